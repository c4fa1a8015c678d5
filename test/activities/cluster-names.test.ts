import type { Log } from '../../config/log';
import { toByteString } from '../../etl/byte-string';
import { decodeSet, encodeSet } from '../../etl/file';
import { parseWindowId } from '../../etl/window';
import type { Change } from '../../federation/change';
import type { Generation } from '../../federation/generation';
import type { Bucket } from '../../storage/bucket';
import {
  firstDay,
  goldenSource,
  renamedSource,
  secondDay,
  smallBucket,
  sourceKey,
  TestFederator,
  type TestFederatorOptions,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

const thirdDay = 'allocations/1d/1794787200-1794873600';
const days = [firstDay, secondDay, thirdDay];
const four = ['cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'];

/** Writes files into a cluster's folder: copies of cluster-1's files, with the cluster name `name` in their records. */
async function write(bucket: Bucket, cluster: string, name: string, windows: readonly string[] = days) {
  for (const window of windows)
    await bucket.put(sourceKey(cluster, window), renamedSource('cluster-1', window, name));
}

async function erase(bucket: Bucket, cluster: string, windows: readonly string[] = days) {
  for (const window of windows) await bucket.delete(sourceKey(cluster, window));
}

function dayOf(window: string) {
  return parseWindowId(window)?.window;
}

/**
 * Returns the digest of each merged window. If two generations have equal digests, their combined sets are identical.
 */
function digests({ windows }: Generation): Record<string, string> {
  return Object.fromEntries(Object.entries(windows).map(([window, { digest }]) => [window, digest]));
}

/**
 * Describes each quarantined source in one string: its cluster, day, error code and state, and the names in its
 * records.
 */
function quarantined({ quarantined: sources }: Generation): string[] {
  return sources.map(({ cluster, window, kept, code, names }) => {
    const day = days.indexOf(window) + 1;
    const state = kept === undefined ? 'refused' : 'kept';
    return `${cluster} day ${day} ${code} ${state} ${names?.join() ?? '-'}`;
  });
}

function owners(generation: Generation): Record<string, string> {
  return Object.fromEntries(Object.entries(generation.names).filter(([name]) => !four.includes(name)));
}

const taken = (cluster: string, names = 'cluster-1') =>
  days.map((_, index) => `${cluster} day ${index + 1} CLUSTER_NAME_TAKEN refused ${names}`);

/** Commits the first generation of a new bucket. Returns the federator, the bucket and the generation. */
async function committed(options: TestFederatorOptions = {}) {
  const federator = new TestFederator(smallBucket(), threads, options);
  await federator.federate();
  const generation = await federator.newest();
  return { federator, bucket: federator.bucket, generation };
}

test('the first generation names the owner of each name', async () => {
  const { federator, generation } = await committed();
  expect(Object.entries(generation.names)).toEqual(
    [1, 2, 3, 4, 5].map((number) => [`cluster-${number}`, `cluster-${number}`]),
  );
  expect(generation.nameConflicts).toEqual({});
  expect((await federator.federate()).commit).toMatchObject({ status: 'unchanged' });
});

describe('a folder with records of a name that another folder owns', () => {
  test('is quarantined as a whole, both are named, and the combined set does not change', async () => {
    const { federator, bucket, generation } = await committed();
    await write(bucket, 'cluster-7', 'cluster-1');
    const { attempts, commit } = await federator.federateToEnd();
    expect({ attempts, commit }).toMatchObject({
      attempts: 2,
      commit: {
        status: 'committed',
        clusters: 6,
        quarantined: 3,
        degraded: ['cluster-7'],
        nameConflicts: ['Records of cluster-7 carry the cluster name cluster-1, which belongs to cluster-1.'],
      },
    });
    const after = await federator.newest();
    expect(digests(after)).toEqual(digests(generation));
    expect(quarantined(after)).toEqual(taken('cluster-7'));
    expect(after.quarantined[0]?.detail).toBe(
      'Records of cluster-7 carry the cluster name cluster-1, which belongs to cluster-1.',
    );
    expect(owners(after)).toEqual({ 'cluster-1': 'cluster-1' });
    expect(after.nameConflicts).toEqual({
      'cluster-7': { names: { 'cluster-1': 'cluster-1' }, reinstalled: false },
    });
    expect((await federator.federateToEnd()).commit).toMatchObject({ status: 'unchanged', quarantined: 3 });
  });

  test('is quarantined even if its records write the name in a way that looks the same', async () => {
    const { federator, bucket, generation } = await committed();
    for (const window of days) {
      const set = decodeSet('allocations', goldenSource('cluster-1', window));
      for (const record of set.allocations?.values() ?? [])
        if (record?.properties) record.properties.cluster = toByteString('\ufeffcluster-1');
      await bucket.put(sourceKey('cluster-7', window), encodeSet(set));
    }
    await federator.federateToEnd();
    expect(quarantined(await federator.newest())).toEqual(taken('cluster-7'));
    expect(digests(await federator.newest())).toEqual(digests(generation));
  });

  test.each([
    ['owns it by its id', 'cluster-1', 'cluster-0', 'cluster-1'],
    ['comes first by bytes', 'cluster-x', 'cluster-7', 'cluster-0'],
  ])('that is new in the same run as one that %s, is quarantined', async (_, name, one, other) => {
    const federator = new TestFederator(smallBucket(), threads);
    await erase(federator.bucket, 'cluster-1');
    await write(federator.bucket, one, name);
    await write(federator.bucket, other, name);
    const [owner, loser] = name === other ? [other, one] : [one, other].sort();
    const { attempts } = await federator.federateToEnd();
    expect(attempts).toBe(2);
    const generation = await federator.newest();
    expect(owners(generation)).toEqual({ [name]: owner });
    expect(quarantined(generation)).toEqual(taken(loser ?? '', name));
  });

  test('is quarantined even in windows for which the owner has no file', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    await erase(federator.bucket, 'cluster-1', [secondDay]);
    await federator.federate();
    const before = await federator.newest();
    await write(federator.bucket, 'cluster-7', 'cluster-1', [secondDay]);
    await federator.federateToEnd();
    const after = await federator.newest();
    expect(digests(after)).toEqual(digests(before));
    expect(quarantined(after)).toEqual(['cluster-7 day 2 CLUSTER_NAME_TAKEN refused cluster-1']);
  });

  test('keeps what was merged from it before it carried the name', async () => {
    const { log, events } = logged();
    const { federator, bucket } = await committed({ log });
    await write(bucket, 'cluster-7', 'cluster-7');
    await federator.federate();
    const before = await federator.newest();
    await write(bucket, 'cluster-7', 'cluster-1', [firstDay]);
    await federator.federateToEnd();
    const after = await federator.newest();
    expect(digests(after)).toEqual(digests(before));
    expect(quarantined(after)).toEqual(['cluster-7 day 1 CLUSTER_NAME_TAKEN kept cluster-1']);
    expect(events('cluster.name-taken')).toEqual([
      'Federator merges nothing new of cluster-7: Records of cluster-7 carry the cluster name cluster-1, which belongs to cluster-1.',
    ]);
    // While another file of cluster-7 carries the name cluster-1, a new file of cluster-7 is examined but not merged.
    await write(bucket, 'cluster-7', 'cluster-7', [secondDay]);
    expect(await federator.federateToEnd()).toMatchObject({ attempts: 1, commit: { quarantined: 2 } });
    const later = await federator.newest();
    expect(digests(later)).toEqual(digests(before));
    expect(quarantined(later)).toEqual([
      'cluster-7 day 1 CLUSTER_NAME_TAKEN kept cluster-1',
      'cluster-7 day 2 CLUSTER_NAME_TAKEN kept ',
    ]);
    expect(later.quarantined[1]?.detail).toMatch(/This file does not, but is quarantined with the others\.$/);
    // Once no file of cluster-7 carries the name cluster-1, all files of cluster-7 are merged.
    await write(bucket, 'cluster-7', 'cluster-7', [firstDay]);
    expect(await federator.federateToEnd()).toMatchObject({ attempts: 1, commit: { quarantined: 0 } });
    expect(digests(await federator.newest())).toEqual(digests(before));
  });

  test('is merged once its files are right', async () => {
    const { federator, bucket, generation } = await committed();
    await write(bucket, 'cluster-7', 'cluster-1');
    await federator.federateToEnd();
    await write(bucket, 'cluster-7', 'cluster-7');
    const { attempts, commit } = await federator.federateToEnd();
    expect({ attempts, commit }).toMatchObject({ attempts: 1, commit: { clusters: 6, quarantined: 0 } });
    const right = await federator.newest();
    expect(owners(right)).toEqual({ 'cluster-1': 'cluster-1', 'cluster-7': 'cluster-7' });
    expect(right.nameConflicts).toEqual({});
    expect(Object.keys(right.windows)).toEqual(Object.keys(generation.windows));
    for (const day of days) expect(digests(right)[day]).not.toBe(digests(generation)[day]);
  });

  test('is merged once its owner is removed', async () => {
    const { federator, bucket, generation } = await committed();
    await write(bucket, 'cluster-7', 'cluster-1');
    await federator.federateToEnd();
    await federator.federateToEnd({ change: { kind: 'remove', cluster: 'cluster-1' as never } });
    const after = await federator.newest();
    expect(owners(after)).toEqual({ 'cluster-1': 'cluster-7' });
    expect(after.quarantined).toEqual([]);
    // cluster-7, which replaces cluster-1, has files for the same windows.
    expect(Object.keys(after.windows)).toEqual(Object.keys(generation.windows));
  });

  test('is merged once all files with the name are dropped, and held back again if that is taken back', async () => {
    const { federator, bucket } = await committed();
    await write(bucket, 'cluster-7', 'cluster-1', [firstDay]);
    await write(bucket, 'cluster-7', 'cluster-7', [secondDay, thirdDay]);
    await federator.federateToEnd();
    const { generation: before, quarantined: all } = await federator.newest();
    expect(all).toHaveLength(3);
    const about = (kind: 'accept' | 'drop', generation: number) => ({
      change: { kind, cluster: 'cluster-7' as never, generation, windows: dayOf(firstDay) },
    });
    expect(await federator.federateToEnd(about('drop', before))).toMatchObject({
      commit: { quarantined: 0 },
    });
    const freed = await federator.newest();
    expect(freed.nameConflicts).toEqual({});
    expect(quarantined(freed)).toEqual(['cluster-7 day 1 CLUSTER_NAME_TAKEN refused cluster-1']);
    expect(owners(freed)).toEqual({ 'cluster-1': 'cluster-1', 'cluster-7': 'cluster-7' });

    expect(await federator.federateToEnd(about('accept', freed.generation))).toMatchObject({
      commit: { status: 'committed', quarantined: 1, degraded: ['cluster-7'] },
    });
    const back = await federator.newest();
    expect(quarantined(back)).toEqual(quarantined(freed));
    expect(Object.keys(back.nameConflicts)).toEqual(['cluster-7']);
    expect(digests(back)).toEqual(digests(freed));
  });

  test('is quarantined even while the owner is excluded', async () => {
    const { federator, bucket } = await committed();
    federator.exclusions = { 'cluster-1': { reason: '', at: '2026-11-20T00:00:00Z' } };
    await federator.federate();
    const before = await federator.newest();
    await write(bucket, 'cluster-7', 'cluster-1');
    await federator.federateToEnd();
    const after = await federator.newest();
    expect(digests(after)).toEqual(digests(before));
    expect(quarantined(after)).toEqual(taken('cluster-7'));
  });

  test('is quarantined in the same way by every federator', async () => {
    const made = await Promise.all(
      ['f', 'g'].map(async (id) => {
        const federator = new TestFederator(smallBucket(), threads, { id });
        for (const cluster of ['cluster-7', 'cluster-8']) await write(federator.bucket, cluster, 'cluster-1');
        await write(federator.bucket, 'cluster-9', 'cluster-9');
        await federator.federateToEnd();
        return federator.newest();
      }),
    );
    const [f, g] = made.map((generation) => ({
      digests: digests(generation),
      names: generation.names,
      nameConflicts: generation.nameConflicts,
      quarantined: quarantined(generation),
    }));
    expect(g).toEqual(f);
    expect(f?.quarantined).toHaveLength(6);
  });
});

test('a cluster that takes over from another one looks re-installed', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { bucket } = federator;
  await erase(bucket, 'cluster-1', [thirdDay]);
  await federator.federate();
  await write(bucket, 'cluster-7', 'cluster-1', [secondDay, thirdDay]);
  await federator.federateToEnd();
  const { nameConflicts, quarantined: sources } = await federator.newest();
  expect(nameConflicts['cluster-7' as keyof typeof nameConflicts]).toMatchObject({ reinstalled: true });
  expect(sources[0]?.detail).toBe(
    'Records of cluster-7 carry the cluster name cluster-1, which belongs to cluster-1. ' +
      'cluster-7 looks like a new installation of cluster-1: its windows begin where those of cluster-1 end.',
  );
  await federator.federateToEnd();
  expect((await federator.newest()).nameConflicts).toEqual(nameConflicts);
});

describe('a name', () => {
  const give = (cluster: string): { change: Change } => ({
    change: { kind: 'give-name', cluster: cluster as never, name: 'cluster-1' },
  });

  test('that is given away changes sides, and comes back', async () => {
    const { federator, bucket, generation } = await committed();
    await write(bucket, 'cluster-7', 'cluster-1');
    await federator.federateToEnd();
    expect(await federator.federateToEnd(give('cluster-7'))).toMatchObject({
      attempts: 2,
      commit: { status: 'committed', quarantined: 3, degraded: ['cluster-1'] },
    });
    const given = await federator.newest();
    expect(owners(given)).toEqual({ 'cluster-1': 'cluster-7' });
    expect(quarantined(given)).toEqual(taken('cluster-1'));
    // cluster-7, which replaces cluster-1, has files for the same windows.
    expect(Object.keys(given.windows)).toEqual(Object.keys(generation.windows));
    expect((await federator.federateToEnd()).commit).toMatchObject({ status: 'unchanged' });

    await federator.federateToEnd(give('cluster-1'));
    const back = await federator.newest();
    expect(owners(back)).toEqual({ 'cluster-1': 'cluster-1' });
    expect(digests(back)).toEqual(digests(generation));
    expect(quarantined(back)).toEqual(taken('cluster-7'));
  });

  test('that nobody else carries can be given away, too, and a replay changes nothing', async () => {
    const { federator, generation } = await committed();
    await federator.federateToEnd({
      change: { kind: 'give-name', cluster: 'cluster-2' as never, name: 'spare' },
    });
    const after = await federator.newest();
    expect(owners(after)).toEqual({ 'cluster-1': 'cluster-1', spare: 'cluster-2' });
    expect(digests(after)).toEqual(digests(generation));
    expect(
      await federator.federateToEnd({
        change: { kind: 'give-name', cluster: 'cluster-2' as never, name: 'spare' },
      }),
    ).toMatchObject({ commit: { status: 'unchanged' } });
  });
});

test('a set of several clusters owns the names of all of them', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await write(federator.bucket, 'cluster-8', 'cluster-8', [firstDay]);
  await write(federator.bucket, 'cluster-8', 'cluster-9', [secondDay]);
  await federator.federate();
  expect(owners(await federator.newest())).toEqual({
    'cluster-1': 'cluster-1',
    'cluster-8': 'cluster-8',
    'cluster-9': 'cluster-8',
  });
  await write(federator.bucket, 'cluster-9', 'cluster-9', [firstDay]);
  await federator.federateToEnd();
  expect(quarantined(await federator.newest())).toEqual([
    'cluster-9 day 1 CLUSTER_NAME_TAKEN refused cluster-9',
  ]);
});

/** Makes a log. `events` returns the messages of all events with a given name. */
function logged() {
  const lines: { event: string; text: string }[] = [];
  const note = ({ event }: { event?: string }, text: string) => void lines.push({ event: event ?? '', text });
  const log = { debug: note, info: note, warn: note, error: note, child: () => log } as unknown as Log;
  return {
    log,
    events: (name: string) => lines.filter(({ event }) => event === name).map(({ text }) => text),
  };
}
