import { clusterId } from '../../etl/cluster-id';
import type { QuarantinedSource } from '../../federation/generation';
import type { ShrunkSource } from '../../federation/shrinkage';
import { notesOnCosts } from '../../operator/cost-notes';
import type { Version } from '../../storage/bucket';
import { dayWindow, generation, membership } from '../federation/made-up';

const now = Date.parse('2026-11-29T12:00:00Z');
const decided = { by: 'kim@host', reason: 'sold', at: '2026-11-20T12:00:00Z' };
const measure = {
  records: 2,
  hours: { cpuCoreHours: 1, ramByteHours: 0, gpuHours: 0, diskByteHours: 0 },
};

function source(cluster: string, day: number, more: Partial<QuarantinedSource> = {}): QuarantinedSource {
  const named = { cluster: clusterId(cluster), window: dayWindow(day), seen: 'v' as Version };
  return { ...named, code: 'ETL_CORRUPT', detail: '', ...more };
}

function shrunk(cluster: string, closed: boolean): ShrunkSource {
  const named = { cluster: clusterId(cluster), window: dayWindow(1), seen: 'v' as Version };
  return { ...named, largest: measure, now: measure, closed };
}

const notes = (more: Parameters<typeof generation>[2], members = membership(['a', 'b'])) =>
  notesOnCosts(generation({}, members, more), now);

test('a generation with nothing unusual has no notes', () => {
  expect(notes({})).toEqual([]);
});

test('quarantined sources are counted by cluster and by what is merged instead, unless they are dropped', () => {
  const kept = { kept: 'k' as Version };
  const quarantined = [
    source('b', 1, kept),
    source('a', 1, kept),
    source('a', 2, kept),
    source('a', 3),
    source('a', 4, { dropped: decided }),
    source('excluded', 1),
  ];
  expect(notes({ quarantined })).toEqual([
    'Files that cannot be used are quarantined: a (last good data in 2 windows, no data in 1 window), b (last good data in 1 window).',
  ]);
});

test('shrunk sources are named while they are new', () => {
  expect(notes({ shrunk: [shrunk('a', false), shrunk('b', true)] })).toEqual([
    'Files that have shrunk count as they are: a (1 window).',
  ]);
});

test('removed clusters are named for 30 days', () => {
  const removed = {
    [clusterId('gone')]: decided,
    [clusterId('long-gone')]: { ...decided, at: '2026-10-01T00:00:00Z' },
  };
  expect(notes({}, membership(['a'], { removed }))).toEqual([
    'Removed from the federation, with all costs: gone (2026-11-20, by kim@host: sold).',
  ]);
});
