import { clusterId } from '../../etl/cluster-id';
import type { FederationRequest } from '../../federation/run';
import {
  failuresToReplay,
  groupByRequest,
  isUnsuccessful,
  joinRun,
  newestFirst,
  type Run,
  type TemporalRun,
} from '../../operator/join-runs';
import { reportOf } from '../federation/made-up';

const run = 'federation-2026-11-20T10:00:00Z';
const request: FederationRequest = { trigger: 'person', at: '2026-11-20T10:00:00Z', why: 'from the bucket' };
const report = reportOf(run, {
  outcome: 'partial',
  startedAt: '2026-11-20T10:00:01Z',
  endedAt: '2026-11-20T10:00:09Z',
});
const known: TemporalRun = {
  run,
  runId: 'w',
  outcome: 'failed',
  request: { ...request, why: 'from the memo' },
  startedAt: '2026-11-20T10:00:02Z',
  endedAt: '2026-11-20T10:00:03Z',
};
const error = { code: 'STORAGE_BUCKET_NOT_FOUND', message: 'The folder is gone.' };

describe('A run', () => {
  it('is what its report says, whatever Temporal says', () => {
    const { outcome, startedAt, endedAt } = report;
    for (const other of [known, undefined, 'silent'] as const)
      expect(joinRun(run, { request, report }, other, error)).toEqual({
        run,
        outcome,
        request,
        report,
        startedAt,
        endedAt,
      });
  });

  it('without a report is what Temporal says, with the request of the bucket', () => {
    const { outcome, startedAt, endedAt } = known;
    expect(joinRun(run, { request }, known, error)).toEqual({
      run,
      outcome,
      request,
      startedAt,
      endedAt,
      error,
    });
  });

  it('whose request never reached the bucket has the request of its memo', () => {
    expect(joinRun(run, {}, known).request?.why).toBe('from the memo');
    expect(joinRun(run, { report }, known)).toMatchObject({
      outcome: report.outcome,
      request: known.request,
    });
  });

  it('without a report died if Temporal forgot it, and is unknown if Temporal is silent', () => {
    expect(joinRun(run, { request }, undefined)).toMatchObject({ outcome: 'died', request });
    expect(joinRun(run, { request }, 'silent')).toMatchObject({ outcome: 'unknown', request });
  });

  it.each([
    ['failed', true],
    ['died', true],
    ['cancelled', true],
    ['running', false],
    ['unknown', false],
    ['nothing', false],
    ['complete', false],
  ] as const)('that is %s may be worth a replay: %s', (outcome, worth) => {
    expect(isUnsuccessful({ run, outcome })).toBe(worth);
  });
});

describe('Runs', () => {
  it('of both sides are listed once, the newest first', () => {
    expect(newestFirst(['f-1', 'f-3'], ['f-3', 'f-2', 'f-4'])).toEqual(['f-4', 'f-3', 'f-2', 'f-1']);
  });

  it('with equal requests form a group, no matter who asked and when', () => {
    const windows = { start: 0, end: 3600 };
    const accept = { kind: 'accept', generation: 7 } as const;
    const runs = [
      { run: 'a', request },
      { run: 'b', request: { ...request, windows } },
      { run: 'c', request: { ...request, trigger: 'replay', replayOf: 'a', why: 'again' } },
      { run: 'd', request: { ...request, windows: { end: 3600, start: 0 }, force: false } },
      { run: 'e', request: { ...request, windows, force: true } },
      { run: 'f', request: { ...request, full: true } },
      { run: 'g', request: { ...request, takeOver: true } },
      { run: 'h', request: { ...request, change: { ...accept, cluster: clusterId('c-1') } } },
      { run: 'i', request: { ...request, change: { ...accept, cluster: clusterId('c-2') } } },
      { run: 'j', request: { ...request, by: 'bob@host', change: { ...accept, cluster: clusterId('c-1') } } },
    ] as const;
    const groups = groupByRequest(runs.map((one) => ({ outcome: 'failed', ...one })));
    expect(groups.map((group) => group.map((one) => one.run))).toEqual([
      ['a', 'c'],
      ['b', 'd'],
      ['e'],
      ['f'],
      ['g'],
      ['h', 'j'],
      ['i'],
    ]);
  });
});

describe('The failures to replay', () => {
  const asked = (name: string, outcome: Run['outcome'], more: Partial<FederationRequest> = {}): Run => ({
    run: name,
    outcome,
    request: { ...request, ...more },
  });
  const named = (...runs: Run[]) => failuresToReplay(runs).map((found) => found.run);

  it('are those since the last run that committed', () => {
    const failed = (['failed', 'died', 'cancelled'] as const).map((outcome) => asked(outcome, outcome));
    expect(named(...failed, asked('c', 'partial'), asked('old', 'failed'))).toEqual([
      'failed',
      'died',
      'cancelled',
    ]);
    expect(named(asked('c', 'complete'), ...failed)).toEqual([]);
    expect(named(...failed, asked('h', 'on-hold'), asked('old', 'failed'))).toContain('old');
  });

  it('are not those after which a run with an equal request found nothing to do', () => {
    const later = [asked('3', 'failed'), asked('2', 'nothing')];
    expect(named(...later, asked('1', 'failed'), asked('0', 'failed', { full: true }))).toEqual(['3', '0']);
    expect(named(...later, { run: '1', outcome: 'died' })).toEqual(['3', '1']);
  });
});
