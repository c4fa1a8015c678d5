import { clusterId } from '../../etl/cluster-id';
import { showPushes } from '../../scripts/show-pushes';
import { pushed } from '../workflows/doubles';

test('status names what a push refused, shrank, found gone, passed over or failed at, and nothing else', () => {
  const cluster = clusterId('cluster-2');
  const state = { cluster, instance: 'volume-1' };
  const shown = (summary: Partial<typeof pushed>, more = {}) =>
    showPushes([{ cluster, push: { ...state, summary: { ...pushed, ...summary }, ...more } }]);
  const notes = { count: 2, examples: [{ path: 'allocations/1d/1-2', why: 'records 45 → 2' }] };
  expect(showPushes([{ cluster }])).toEqual([]);
  expect(shown({})).toEqual([]);
  expect(shown({ shrunk: notes })).toEqual([
    'cluster-2: 2 shrunk files uploaded in the last day, such as allocations/1d/1-2 (records 45 → 2)',
  ]);
  const unreadable = { count: 1, examples: [{ path: 'lost+found', why: 'No permission.' }] };
  const links = { count: 2, examples: [{ path: 'assets/1h', why: 'It is a link.' }] };
  expect(shown({ unreadable, links })).toEqual([
    'cluster-2: 1 place could not be read, such as lost+found: No permission.',
    'cluster-2: 2 links not followed, such as assets/1h.',
  ]);
  const error = {
    code: 'LOCAL_ETL_MISSING',
    message: 'It is gone',
    hint: 'Mount it.',
    since: '2026-11-20T00:00:00Z',
  };
  expect(shown({ refused: { ...notes, count: 1 }, vanished: 3 }, { error })).toEqual([
    'cluster-2: has failed since 2026-11-20T00:00:00Z: LOCAL_ETL_MISSING: It is gone. Mount it.',
    'cluster-2: 1 file refused, as the data may not be its own',
    'cluster-2: 3 files uploaded again in the last day, because the copies in the bucket had vanished',
  ]);
});
