import { decodeSet, encodeSet } from '../../etl/file';
import type { Allocation, AllocationSet } from '../../etl/model';
import { totalCost } from '../../etl/set-facts';
import { parseWindowId, type Pipeline, pipelines, windowId } from '../../etl/window';
import type { Change } from '../../federation/change';
import { shrunkSources } from '../../federation/generation';
import { describeNameConflicts } from '../../federation/name-conflicts';
import { shiftSet } from '../../scripts/demo/shift-set';
import {
  federatedBucket,
  firstDay,
  goldenSource,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

/*
 * Everyday events that look like a loss of data, or like records with another cluster's name. Each test checks what the
 * newest generation reports about such an event, and that its total cost is the sum of the costs in all files that must
 * be merged.
 */

const threads = testMergeThreads();
const [hour, day] = [3_600, 86_400];
/** Start of the golden first day, 2026-11-14. */
const start = 1_794_614_400;
const copyOf = 'cluster-1-backup';

/** A federation that begins with an empty bucket, and the files that its clusters have at present. */
class Scene extends TestFederator {
  private readonly files = new Map<string, { cluster: string; pipeline: Pipeline; bytes: Uint8Array }>();
  private time = 0;

  constructor() {
    super(federatedBucket({ empty: true }), threads);
    this.deps.now = () => new Date(this.time * 1_000);
  }

  /** Writes a file of a cluster. */
  async push(cluster: string, window: string, bytes: Uint8Array): Promise<void> {
    const pipeline = parseWindowId(window)?.pipeline ?? 'allocations';
    this.files.set(`${cluster} ${window}`, { cluster, pipeline, bytes });
    await this.bucket.put(sourceKey(cluster, window), bytes);
  }

  /** Writes a file of cluster-1. The window of the file begins at the start of `set`, and is `seconds` long. */
  async pushAllocations(set: AllocationSet, seconds = day): Promise<void> {
    const from = set.window.start?.seconds ?? 0;
    const resolution = seconds === day ? '1d' : seconds === hour ? '1h' : `${seconds / day}d`;
    const window = { start: from, end: from + seconds };
    const end = { ...(set.window.end ?? set.window.start), seconds: window.end, nanos: 0 };
    const sized = { ...set, window: { ...set.window, end } } as AllocationSet;
    await this.push('cluster-1', windowId({ pipeline: 'allocations', resolution, window }), encodeSet(sized));
  }

  /** Writes golden files of cluster-1 into the folder of a cluster, without changing the records. */
  async pushGolden(cluster: string, days: readonly number[], kinds: readonly Pipeline[] = pipelines) {
    for (const pipeline of kinds) {
      for (const number of days) {
        const from = start + number * day;
        const window = windowId({ pipeline, resolution: '1d', window: { start: from, end: from + day } });
        await this.push(cluster, window, goldenSource('cluster-1', window));
      }
    }
  }

  async run(time: number, change?: Change): Promise<void> {
    this.time = time;
    await this.federateToEnd(change === undefined ? {} : { change });
  }

  /**
   * Returns what the newest generation reports (quarantined sources, shrunk sources and notices) and how often, for
   * example `cluster-1: shrunk × 2`.
   */
  async named(): Promise<string[]> {
    const generation = await this.newest();
    const all = [
      ...generation.quarantined.map(({ cluster, code }) => `${cluster}: ${code}`),
      ...shrunkSources(generation).map(({ cluster }) => `${cluster}: shrunk`),
      ...generation.notices.map(({ cluster, code }) => `${cluster}: ${code}`),
    ];
    return [...Map.groupBy(all, (text) => text)].map(([text, { length }]) => `${text} × ${length}`);
  }

  async total(): Promise<number> {
    let total = 0;
    for (const window of Object.keys((await this.newest()).windows)) {
      const pipeline = parseWindowId(window)?.pipeline ?? 'allocations';
      total += totalCost(decodeSet(pipeline, await this.merged(window)));
    }
    return total;
  }

  /** Returns the total cost in the current files of all clusters, or of all clusters except `without`. */
  totalOfFiles(without?: string): number {
    return [...this.files.values()]
      .filter(({ cluster }) => cluster !== without)
      .reduce((sum, { pipeline, bytes }) => sum + totalCost(decodeSet(pipeline, bytes)), 0);
  }
}

const whole = decodeSet('allocations', goldenSource('cluster-1', firstDay));
/**
 * Returns the first day of the golden data, shifted so that it begins at `time`. Keeps only the first records. `part`
 * is the fraction to keep.
 */
function allocationsAt(time: number, part = 1): AllocationSet {
  const all = [...(whole.allocations ?? [])];
  const first = new Map(all.slice(0, Math.ceil(all.length * part)));
  return shiftSet({ ...whole, allocations: first }, time - start) as AllocationSet;
}

function withEach(set: AllocationSet, change: (record: Allocation) => Partial<Allocation>): AllocationSet {
  const records = [...(set.allocations ?? [])].map(([key, record]): [string, Allocation | null] => [
    key,
    record && { ...record, ...change(record) },
  ]);
  return { ...set, allocations: new Map(records) };
}

function ofHours(hours: number): AllocationSet {
  return withEach(allocationsAt(start), ({ cpuCoreHours, ramByteHours, gpuHours, cpuCost, ramCost }) => ({
    cpuCoreHours: (cpuCoreHours * hours) / 24,
    ramByteHours: (ramByteHours * hours) / 24,
    gpuHours: (gpuHours * hours) / 24,
    cpuCost: (cpuCost * hours) / 24,
    ramCost: (ramCost * hours) / 24,
  }));
}

const [young, closed] = [start + day + hour, start + 5 * day];
const monthEnd = Date.parse('2026-11-30T00:00:00Z') / 1_000;

test.each<[string, (scene: Scene) => Promise<void>]>([
  [
    'a cluster that is resized to a third',
    async (scene) => {
      for (const number of [0, 1, 2]) {
        await scene.pushAllocations(allocationsAt(start + number * day, number === 0 ? 1 : 1 / 3));
        await scene.run(start + (number + 1) * day + hour);
      }
      await scene.run(start + 9 * day);
    },
  ],
  [
    'the end of a month, with a day on either side and a week across it',
    async (scene) => {
      const week = monthEnd - 4 * day;
      for (const number of [0, 1]) {
        await scene.pushAllocations(allocationsAt(monthEnd + number * day));
        await scene.pushAllocations(allocationsAt(week, 0.5 + number / 2), 7 * day);
        await scene.run(monthEnd + (number + 1) * day);
      }
      // The new month has other prices, and a tenth of the load.
      const cheaper = withEach(allocationsAt(monthEnd + 2 * day, 0.1), ({ cpuCost }) => ({
        cpuCost: cpuCost / 9,
      }));
      await scene.pushAllocations(cheaper);
      await scene.run(monthEnd + 9 * day);
    },
  ],
  [
    'a day that an agent with a daylight saving time builds as one of 25, then 24, then 23 hours',
    async (scene) => {
      await scene.pushAllocations(ofHours(25));
      await scene.run(young);
      await scene.pushAllocations(ofHours(24));
      await scene.run(young + hour);
      await scene.pushAllocations(ofHours(23));
      await scene.run(closed);
    },
  ],
  [
    'a spot cluster that has hardly any records at night, and none towards the morning',
    async (scene) => {
      for (const [number, part] of [1, 0.5, 0.05, 0].entries()) {
        await scene.pushAllocations(allocationsAt(start + number * hour, part), hour);
        await scene.run(start + (number + 1) * hour + 60);
      }
      await scene.run(closed);
    },
  ],
  [
    'costs that are reconciled late',
    async (scene) => {
      await scene.pushAllocations(allocationsAt(start));
      await scene.run(young);
      const adjusted = withEach(allocationsAt(start), ({ cpuCost, ramCost }) => ({
        cpuCostAdjustment: -0.9 * cpuCost,
        ramCostAdjustment: -0.9 * ramCost,
      }));
      await scene.pushAllocations(adjusted);
      await scene.run(closed);
    },
  ],
  [
    'first pushes that grow',
    async (scene) => {
      for (const [number, part] of [0.1, 0.4, 1].entries()) {
        await scene.pushAllocations(allocationsAt(start, part));
        await scene.run(start + (number + 1) * 8 * hour);
      }
      await scene.run(closed);
    },
  ],
])('no alarm: %s', async (_, play) => {
  const scene = new Scene();
  await play(scene);
  expect(await scene.named()).toEqual([]);
  expect(await scene.total()).toBeCloseTo(scene.totalOfFiles(), 6);
});

test('days of 23 and 25 hours in file names are ignored, and named in a notice only', async () => {
  const scene = new Scene();
  await scene.pushAllocations(allocationsAt(start));
  for (const [from, hours] of [
    [start + day, 23],
    [start + 2 * day - hour, 25],
  ] as const) {
    const name = `allocations/1d/${from}-${from + hours * hour}`;
    await scene.bucket.put(sourceKey('cluster-1', name), encodeSet(allocationsAt(from)));
  }
  await scene.run(closed);
  expect(await scene.named()).toEqual(['cluster-1: WINDOW_LENGTH_WRONG × 1']);
  expect((await scene.newest()).notices).toMatchObject([{ count: 2 }]);
  expect(await scene.total()).toBeCloseTo(scene.totalOfFiles(), 6);
});

test('a re-installed cluster with its old name in a new folder is held back until the old one is removed', async () => {
  const scene = new Scene();
  await scene.pushGolden('cluster-1', [0, 1]);
  await scene.run(start + 2 * day);
  await scene.pushGolden('cluster-7', [1, 2]);
  await scene.run(closed);
  expect(await scene.named()).toEqual(['cluster-7: CLUSTER_NAME_TAKEN × 4']);
  expect(describeNameConflicts(await scene.newest())).toEqual([
    'Records of cluster-7 carry the cluster name cluster-1, which belongs to cluster-1. ' +
      'cluster-7 looks like a new installation of cluster-1: its windows begin where those of cluster-1 end.',
  ]);
  expect(await scene.total()).toBeCloseTo(scene.totalOfFiles('cluster-7'), 6);

  // Removing the old cluster frees its name, so the run that removes it also merges the new cluster.
  await scene.run(closed + hour, { kind: 'remove', cluster: 'cluster-1' as never });
  expect(await scene.named()).toEqual([]);
  expect((await scene.newest()).names).toEqual({ 'cluster-1': 'cluster-7' });
  expect(await scene.total()).toBeCloseTo(scene.totalOfFiles('cluster-1'), 6);
});

test.each<[string, (scene: Scene) => Promise<void>]>([
  ['later', (scene) => scene.run(closed)],
  ['before the first run', async () => undefined],
])('a folder that is copied to a second id %s changes no total', async (_, between) => {
  const scene = new Scene();
  await scene.pushGolden('cluster-1', [0, 1]);
  await between(scene);
  await scene.pushGolden(copyOf, [0, 1]);
  await scene.run(closed + hour);
  expect(await scene.named()).toEqual([`${copyOf}: CLUSTER_NAME_TAKEN × 4`]);
  expect(describeNameConflicts(await scene.newest())).toEqual([
    `Records of ${copyOf} carry the cluster name cluster-1, which belongs to cluster-1.`,
  ]);
  expect(await scene.total()).toBeCloseTo(scene.totalOfFiles(copyOf), 6);
});
