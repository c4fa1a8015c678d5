import { decodeSet, encodeSet } from '../../etl/file';
import type { Measure } from '../../etl/measure';
import { totalCost } from '../../etl/set-facts';
import { summarizeGeneration } from '../../operator/generations';
import { readQuarantine } from '../../operator/quarantine';
import { goldenBytes } from '../etl/golden-files';
import {
  federatedBucket,
  firstDay,
  goldenSource,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

const good = goldenSource('cluster-2', firstDay);
const source = sourceKey('cluster-2', firstDay);
const whole = decodeSet('allocations', good).allocations?.size ?? 0;
/** A file for the first day with only two records, neither of which has costs. */
const remains = goldenBytes('edge/valid/nil-records.allocations');
/** Times before and after the moment when the first day counts as closed. */
const [young, closed] = [new Date('2026-11-15T06:00:00Z'), new Date('2026-11-18T00:00:00Z')];

/** Returns the file of cluster-2 with only its first records. */
function firstRecords(records: number): Buffer {
  const set = decodeSet('allocations', good);
  return encodeSet({ ...set, allocations: new Map([...(set.allocations ?? [])].slice(0, records)) });
}

/** A federation of two clusters. Each of them has a file for one day. */
class OneDay extends TestFederator {
  private time = young;

  static async at(time: Date): Promise<OneDay> {
    const one = new OneDay(federatedBucket({ empty: true }), threads);
    one.deps.now = () => one.time;

    one.time = time;
    await one.push('cluster-1', goldenSource('cluster-1', firstDay));
    await one.push('cluster-2', good);
    await one.federate();
    return one;
  }

  setTime(time: Date): void {
    this.time = time;
  }

  async push(cluster: string, bytes: Buffer): Promise<void> {
    await this.bucket.put(sourceKey(cluster, firstDay), bytes);
  }

  /** Replaces the file of cluster-2, federates, and returns the result of `said`. */
  async federateWith(bytes: Buffer) {
    await this.bucket.put(source, bytes);
    await this.federate();
    return this.said();
  }

  async said() {
    const { quarantined, shrunk } = await this.newest();
    return {
      quarantined: quarantined.map(({ code }) => code),
      shrunk: shrunk.map(({ largest, now, closed }) => ({ records: records(largest, now), closed })),
      cost: Math.round(totalCost(decodeSet('allocations', await this.merged(firstDay))) * 100) / 100,
    };
  }
}

function records(largest: Measure, now: Measure): string {
  return `${largest.records} → ${now.records}`;
}

test('a closed day that shrinks is quarantined and kept, even with --full, until it is whole again', async () => {
  const one = await OneDay.at(closed);
  const before = await one.said();
  expect(before).toMatchObject({ quarantined: [], shrunk: [] });
  expect(whole).toBe(45);

  expect(await one.federateWith(remains)).toEqual({ ...before, quarantined: ['SOURCE_SHRUNK'] });
  const [bad] = (await one.newest()).quarantined;
  expect(bad?.detail).toContain(`records ${whole} → 2`);
  expect(bad?.kept).toBeDefined();
  expect((await one.federate()).plan).toMatchObject({ planned: 0 });
  await one.federate({ full: true });
  expect(await one.said()).toEqual({ ...before, quarantined: ['SOURCE_SHRUNK'] });
  expect(await one.federateWith(good)).toEqual(before);
});

test('a young day that shrinks is merged and named, and stays so when it is closed', async () => {
  const one = await OneDay.at(young);
  const before = await one.said();
  const named = { quarantined: [], shrunk: [{ records: `${whole} → 2`, closed: false }] };
  expect(await one.federateWith(remains)).toMatchObject(named);
  expect(await readQuarantine(one.bucket)).toMatchObject({
    sources: [],
    shrunk: [{ cluster: 'cluster-2', window: firstDay }],
  });
  expect(summarizeGeneration(await one.newest())).toMatchObject({ quarantined: 0, shrunk: 1 });

  // This version of the file was judged before the day was closed. It is not judged again afterwards.
  one.setTime(closed);
  expect((await one.federate()).plan).toMatchObject({ planned: 0 });
  for (const again of [{ full: true }, { force: true }]) {
    await one.federate(again);
    expect(await one.said()).toMatchObject(named);
  }
  await one.push('cluster-1', goldenSource('cluster-1', firstDay));
  await one.federate();
  expect(await one.said()).toMatchObject(named);
  expect(await one.federateWith(good)).toEqual(before);
});

test('a young day that was merged and named is no longer named once it is accepted', async () => {
  const one = await OneDay.at(young);
  const named = await one.federateWith(remains);
  const { generation } = await one.newest();
  const change = { kind: 'accept' as const, cluster: 'cluster-2' as never, generation };
  await one.federate({ change, by: 'ann@host', why: 'a quiet day' });
  expect(await one.said()).toEqual({ ...named, shrunk: [] });
  const accepted = [{ code: 'SOURCE_SHRUNK', decided: { by: 'ann@host', reason: 'a quiet day' } }];
  expect((await one.newest()).accepted).toMatchObject(accepted);
  // The file stays accepted when the day closes, when another cluster pushes a new file, and in a run with `--full`.
  // The next version of the file is compared with the accepted version.
  one.setTime(closed);
  await one.push('cluster-1', firstRecords(40));
  await one.federate({ full: true });
  expect(await one.newest()).toMatchObject({ quarantined: [], shrunk: [], accepted });
  expect(await one.federateWith(good)).toMatchObject({ quarantined: [], shrunk: [] });
});

test('a version that was merged while the day was young is judged again when it comes back', async () => {
  const one = await OneDay.at(young);
  await one.federateWith(remains);
  await one.federateWith(good);
  one.setTime(closed);
  expect(await one.federateWith(remains)).toMatchObject({ quarantined: ['SOURCE_SHRUNK'], shrunk: [] });
});

test('a closed day cannot shrink step by step', async () => {
  const one = await OneDay.at(closed);
  const [most, half] = [Math.ceil(whole * 0.8), Math.ceil(whole * 0.55)];
  const said = await one.federateWith(firstRecords(most));
  if (said.quarantined.length > 0) throw new Error('These records must have more than half of all hours.');
  expect(said.shrunk).toEqual([{ records: `${whole} → ${most}`, closed: true }]);
  const entry = { records: `${whole} → ${most}`, closed: true };
  expect(await one.federateWith(firstRecords(Math.ceil(half / 2)))).toMatchObject({
    quarantined: ['SOURCE_SHRUNK'],
    shrunk: [entry],
  });
});

test('an accepted version is merged, and later versions are compared with it', async () => {
  const one = await OneDay.at(closed);
  await one.federateWith(remains);
  const { generation } = await one.newest();
  const change = { kind: 'accept' as const, cluster: 'cluster-2' as never, generation };
  await one.federate({ change, by: 'ann@host' });
  expect(await one.said()).toMatchObject({ quarantined: [], shrunk: [] });
  expect(await one.federateWith(good)).toMatchObject({ quarantined: [], shrunk: [] });
});
