import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createEnterPrimary } from '../../activities/enter-primary';
import { createPrimaryStatus } from '../../activities/primary-status';
import type { PullSummary } from '../../activities/pull-summary';
import { createWriteReport } from '../../activities/write-report';
import { silentLog } from '../../config/log';
import { readDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { type GenerationIdentity, identityOf } from '../../federation/identity';
import { federationKey, generationKey, generationsPrefix, objectsPrefix } from '../../federation/layout';
import { findNewest } from '../../operator/newest-generation';
import { describeOtherBucket } from '../../operator/other-bucket';
import type { Bucket } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { reportOf } from '../federation/made-up';
import { built, ClusterOnDisk } from '../local-etl/cluster-on-disk';
import { temporaryFolder } from '../storage/temporary-folder';
import {
  firstDay,
  golden,
  overriding,
  secondDay,
  snapshot,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

/**
 * Folders that serve as buckets: the federation's own bucket, and other buckets that a federator or a cluster may find
 * in its place. Each test uses a copy.
 */
const folders = {
  /** The federation's own bucket as it should be: its newest generation is 2. */
  own: '',
  /** The federation's own bucket as it was at generation 1. */
  earlier: '',
  /**
   * The bucket `earlier` after a rollback by a federator that did not know generation 2 of `own`. The rollback has put
   * the federation on hold.
   */
  onHold: '',
  /**
   * The bucket `earlier` with two more generations. The federators that committed them did not know generation 2 of
   * `own`.
   */
  again: '',
  /** The bucket of another federation. */
  another: '',
  /** The bucket contains only the clusters' files: it was recreated, and the clusters have pushed again. */
  recreated: '',
  /** An empty folder: the bucket was emptied, or is not mounted. */
  empty: '',
};
let known: GenerationIdentity;

const copied = (folder: string): string => {
  const copy = temporaryFolder();
  // Keep the modification times, as a backup does. The copied files have new versions nevertheless, because a version
  // also contains the inode number.
  cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
  return copy;
};
const copyOf = (name: keyof typeof folders): Bucket => openFilesystem({ directory: copied(folders[name]) });
let federators = 0;
/** Returns a federator with a unique id, so that its runs have unique names. */
const federatorOf = (bucket: Bucket) => new TestFederator(bucket, threads, { id: `f${++federators}` });
const excluded = (cluster: string) => ({ [cluster]: { reason: '', at: '2026-11-20T00:00:00Z' } });

/** Commits a generation that differs from the newest one only in that `cluster` is excluded. */
async function commitWithout(directory: string, cluster: string): Promise<GenerationIdentity> {
  const federator = federatorOf(openFilesystem({ directory }));
  federator.exclusions = excluded(cluster);
  expect((await federator.federate()).commit).toMatchObject({ status: 'committed' });
  return identityOf(await federator.newest());
}

beforeAll(async () => {
  const pushed = temporaryFolder();
  for (const cluster of readdirSync(join(golden, 'bucket/federated'))) {
    const day = join('federated', cluster, 'etl/bingen/allocations/1d');
    mkdirSync(join(pushed, day), { recursive: true });
    for (const file of readdirSync(join(golden, 'bucket', day)).slice(0, 1))
      cpSync(join(golden, 'bucket', day, file), join(pushed, day, file));
  }
  Object.assign(folders, { recreated: pushed, empty: temporaryFolder() });
  folders.earlier = copied(pushed);
  await federatorOf(openFilesystem({ directory: folders.earlier })).federate();
  folders.own = copied(folders.earlier);
  known = await commitWithout(folders.own, 'cluster-1');
  folders.onHold = copied(folders.earlier);
  const rollback = { kind: 'rollback', to: 1 } as const;
  await federatorOf(openFilesystem({ directory: folders.onHold })).federate({ change: rollback });
  folders.again = copied(folders.earlier);
  await commitWithout(folders.again, 'cluster-2');
  await commitWithout(folders.again, 'cluster-3');
  folders.another = copied(pushed);
  for (const cluster of ['cluster-1', 'cluster-2']) await commitWithout(folders.another, cluster);
});

/**
 * Returns a federator that knows generation 2 of its own bucket, but finds a copy of the bucket `name` in its place.
 */
function federatorFinding(name: keyof typeof folders): TestFederator {
  const federator = federatorOf(copyOf(name));
  return Object.assign(federator, { known, exclusions: excluded('cluster-1') });
}

const recordedIn = async (bucket: Bucket) =>
  (await readDocument(bucket, documents.federation.at()))?.federation;

describe('a federation', () => {
  it('has an id, which the bucket names before its first generation', async () => {
    const bucket = copyOf('recreated');
    const order: string[] = [];
    const create: Bucket['create'] = (key, ...rest) => {
      order.push(key);
      return bucket.create(key, ...rest);
    };
    const federator = federatorOf(overriding(bucket, { create }));
    expect((await federator.federate()).commit).toMatchObject({ generation: 1 });
    const { federation } = await federator.newest();
    expect(await recordedIn(bucket)).toBe(federation);
    expect(order.slice(-2)).toEqual([federationKey, generationKey(1)]);
  });

  it('continues with its own bucket, and with a later generation of it', async () => {
    const federator = federatorFinding('own');
    const { federation } = known;
    // The files of a copied bucket have new versions, so there is something to commit.
    expect((await federator.federate()).commit).toMatchObject({
      status: 'committed',
      federation,
      generation: 3,
    });
    expect((await federator.federate()).commit).toMatchObject({
      status: 'unchanged',
      federation,
      generation: 3,
    });
    federator.known = identityOf(await federator.newest());
    expect((await federator.federate()).commit).toMatchObject({ status: 'unchanged', ...federator.known });
  });

  it('takes the id that another federator has just written, and plans again', async () => {
    const federator = federatorOf(copyOf('recreated'));
    const { run } = await federator.prepare();
    const other = await federatorOf(federator.bucket).prepare();
    expect(await federator.commit(run)).toMatchObject({ status: 'committed' });
    await federator.bucket.delete(generationKey(1));
    const federation = await recordedIn(federator.bucket);
    expect(await federator.commit(other.run)).toMatchObject({ status: 'replan' });
    await federator.prepare({}, other.run, 2);
    expect(await federator.commit(other.run, 2)).toMatchObject({ status: 'committed', federation });
  });

  it.each(['missing', 'damaged', 'another'])('mends federation.json from the generation: %s', async (how) => {
    const federator = federatorFinding('own');
    await federator.federate();
    if (how === 'missing') await federator.bucket.delete(federationKey);
    else if (how === 'damaged') await federator.bucket.put(federationKey, Buffer.from('{'));
    else {
      const document = await readDocument(federator.bucket, documents.federation.at());
      const text = JSON.stringify({ ...document, federation: 'another' });
      await federator.bucket.put(federationKey, Buffer.from(text));
    }
    expect((await federator.federate()).commit).toMatchObject({ status: 'unchanged' });
    expect(await recordedIn(federator.bucket)).toBe(known.federation);
  });

  it.each([
    ['empty', 'FEDERATION_MISSING'],
    ['recreated', 'FEDERATION_MISSING'],
    ['another', 'FEDERATION_OTHER'],
  ] as const)('writes nothing into a bucket that is %s', async (name, code) => {
    const federator = federatorFinding(name);
    const before = await snapshot(federator.bucket, '');
    await expect(federator.prepare()).rejects.toMatchObject({ code });
    const times = { startedAt: '2026-11-20T00:00:00Z', endedAt: '2026-11-20T00:00:01Z' };
    const error = { code, message: '' };
    await createWriteReport(federator.deps)(reportOf('r', { ...times, outcome: 'failed', error }));
    expect(await snapshot(federator.bucket, '')).toEqual(before);
  });

  it.each(['earlier', 'again', 'onHold'] as const)(
    'commits nothing if the bucket was restored: %s',
    async (name) => {
      const federator = federatorFinding(name);
      const before = await snapshot(federator.bucket, generationsPrefix);
      await expect(federator.federate()).rejects.toMatchObject({
        code: 'FEDERATION_OTHER',
        message: expect.stringContaining('restored to an earlier state'),
      });
      expect(await snapshot(federator.bucket, generationsPrefix)).toEqual(before);
    },
  );

  it.each([
    ['recreated', undefined, 3],
    ['earlier', 1, 3],
    ['again', 3, 4],
    ['another', 2, 3],
  ] as const)(
    'begins again if a person says so, and uses no number twice: %s',
    async (name, parent, generation) => {
      const federator = federatorFinding(name);
      expect((await federator.federate({ newFederation: true })).commit).toMatchObject({
        status: 'committed',
        generation,
      });
      const newest = await federator.newest();
      expect(newest.parent?.generation).toBe(parent);
      expect(newest.federation).not.toBe(known.federation);
      expect(await recordedIn(federator.bucket)).toBe(newest.federation);
      federator.known = identityOf(newest);
      // Repeating the request, as a replay does, does not begin another federation.
      expect((await federator.federate({ newFederation: true })).commit).toMatchObject({
        status: 'unchanged',
        generation,
      });
    },
  );

  it('begins after the published generation if its number is the highest that is known', async () => {
    const federator = federatorFinding('recreated');
    const published = { format: 1, generation: 7, windows: {} } as const;
    await federator.bucket.put(documents.published.at().key, Buffer.from(JSON.stringify(published)));
    expect((await federator.federate({ newFederation: true })).commit).toMatchObject({ generation: 8 });
  });
});

describe('a primary', () => {
  let disk: ClusterOnDisk;
  let served: Record<string, string>;
  beforeEach(async () => {
    disk = await ClusterOnDisk.make(copyOf('own'));
    await disk.build(firstDay, await built(firstDay));
    await disk.push();
    expect(await disk.pull()).toMatchObject({ state: 'pulled', generation: 2 });
    served = await disk.localFiles();
  });
  afterEach(() => disk[Symbol.asyncDispose]());

  const pull = (bucket: Bucket, log = silentLog) => disk.pull({ combined: bucket, own: bucket, log });
  const status = () => createPrimaryStatus({ cluster: disk.cluster, store: disk.store })();
  const accept = (acceptFederation: string) =>
    createEnterPrimary({ store: disk.store, now: () => disk.now })({ acceptFederation });

  it.each([
    ['empty', 'FEDERATION_MISSING', 'contains no generation'],
    ['recreated', 'FEDERATION_MISSING', 'contains no generation'],
    ['earlier', 'FEDERATION_OTHER', 'restored to an earlier state'],
    ['again', 'FEDERATION_OTHER', 'restored to an earlier state'],
    ['another', 'FEDERATION_OTHER', 'contains federation'],
  ] as const)('keeps what it serves if the bucket is %s', async (name, code, detail) => {
    const bucket = copyOf(name);
    const errors: unknown[] = [];
    const log = { ...silentLog, error: (fields: unknown) => errors.push(fields) } as typeof silentLog;
    for (let times = 0; times < 2; times++) {
      const refused = { code, detail: expect.stringContaining(detail) };
      expect(await pull(bucket, log)).toMatchObject({ state: 'refused', generation: 2, refused });
      expect(await status()).toMatchObject({ state: 'refused', known, pullRefused: refused });
    }
    expect(errors).toEqual([{ event: 'primary.refused', cluster: disk.cluster, code }]);
    expect(await disk.localFiles()).toEqual(served);
    expect(await pull(disk.bucket)).toMatchObject({ state: 'up-to-date', generation: 2 });
    expect((await status()).state).toBe('pulling');
  });

  it.each(['earlier', 'again', 'another'] as const)(
    'takes the other state if a person accepts it, and continues from there: %s',
    async (name) => {
      const bucket = copyOf(name);
      const federation = (await recordedIn(bucket)) ?? '';
      const { refused } = await pull(bucket);
      expect(refused?.hint).toContain(`primary enter --accept-federation ${federation}`);
      await accept('some-other-id');
      expect(await pull(bucket)).toMatchObject({ state: 'refused' });
      await accept(federation);
      expect(await pull(bucket)).toMatchObject({ state: 'pulled', replaced: 1 });
      expect(await disk.localFiles()).not.toEqual(served);
      expect(await status()).toMatchObject({ state: 'pulling', known: { federation } });
      expect(await status()).not.toHaveProperty('accepts');
      // Pull from the cluster's own bucket again. Its history contains the newest generation of `earlier`, but not the
      // newest generation of `again` or `another`.
      const back = name === 'earlier' ? 'pulled' : 'refused';
      expect(await pull(disk.bucket)).toMatchObject({ state: back });
    },
  );

  it('follows a federation that begins again once a person accepts it', async () => {
    const federator = federatorFinding('recreated');
    await federator.federate({ newFederation: true });
    const { federation, generation } = await federator.newest();
    expect(generation).toBe(3);
    expect(await pull(federator.bucket)).toMatchObject({ state: 'refused' });
    await accept(federation);
    expect(await pull(federator.bucket)).toMatchObject({ state: 'up-to-date', generation: 3 });
    expect((await status()).known).toMatchObject({ federation, generation: 3 });
  });

  it('remembers a generation even if its first pull was cut off', async () => {
    const other = await ClusterOnDisk.make(copyOf('own'));
    await other.build(firstDay, await built(firstDay));
    await other.push();
    const cut = () => {
      throw new Error('cut');
    };
    const combined = overriding(other.bucket, {
      get: (key, options) =>
        key.startsWith(objectsPrefix) && !key.endsWith('.json') ? cut() : other.bucket.get(key, options),
    });
    await expect(other.pull({ combined })).rejects.toThrow('cut');
    const empty = copyOf('empty');
    expect(await other.pull({ combined: empty, own: empty })).toMatchObject({ state: 'refused' });
    await other[Symbol.asyncDispose]();
  });
});

describe('status', () => {
  const said = async (name: keyof typeof folders, found = name) =>
    describeOtherBucket(copyOf(name), await findNewest(copyOf(found)), {
      roster: { ...emptyRoster, known },
      pull: new Map(),
    });
  const emptyRoster = { id: 'r', bucket: '', exclusions: {}, primaries: [], loaded: true };

  it.each([
    ['empty', /^FEDERATION_MISSING: .*no generation.* Check that the bucket is mounted/],
    ['recreated', /^FEDERATION_MISSING: /],
    ['earlier', /^FEDERATION_OTHER: .*restored/],
    ['onHold', /^FEDERATION_OTHER: .*restored/],
    ['again', /^FEDERATION_OTHER: .*restored/],
    ['another', /^FEDERATION_OTHER: .*--new-federation/],
  ] as const)('says that the bucket is not the one that the roster knows: %s', async (name, sentence) => {
    expect(await said(name)).toMatch(sentence);
  });

  it('says nothing of the bucket that the roster knows, even if it was committed to meanwhile', async () => {
    expect(await said('own')).toBeUndefined();
    expect(await said('own', 'earlier')).toBeUndefined();
  });

  it('believes a primary if the roster knows nothing', async () => {
    const refused = { code: 'FEDERATION_MISSING', detail: 'It is empty.', hint: 'Mount it.' };
    const summary = { state: 'refused', refused } as PullSummary;
    const pull = new Map([['cluster-5', { cluster: 'cluster-5', summary }]]);
    const found = await findNewest(copyOf('empty'));
    expect(await describeOtherBucket(copyOf('empty'), found, { roster: emptyRoster, pull })).toBe(
      'FEDERATION_MISSING: It is empty. Mount it.',
    );
  });
});

describe('a push', () => {
  it.each(['empty', 'recreated', 'earlier'] as const)('says what has vanished: %s', async (name) => {
    const disk = await ClusterOnDisk.make(copyOf('own'));
    await disk.build(firstDay, await built(firstDay));
    await disk.build(secondDay, await built(secondDay));
    expect(await disk.push()).toMatchObject({ uploaded: 2, vanished: 0 });
    expect(await disk.push()).toMatchObject({ uploaded: 0, vanished: 0 });
    const bucket = copyOf(name);
    const vanished = name === 'empty' ? 2 : 1;
    expect(await disk.push({ bucket })).toMatchObject({ uploaded: 2, vanished });
    expect(await disk.push({ bucket })).toMatchObject({ uploaded: 0, vanished });
    await disk[Symbol.asyncDispose]();
  });

  it('that is cut off leaves the rest to the next one, which counts all', async () => {
    await using disk = await ClusterOnDisk.make(copyOf('own'));
    for (const day of [firstDay, secondDay]) await disk.build(day, await built(day));
    await disk.push();
    const empty = copyOf('empty');
    let puts = 0;
    const put: Bucket['put'] = (...of) =>
      ++puts === 1 ? empty.put(...of) : Promise.reject(new Error('cut'));
    await expect(disk.push({ bucket: overriding(empty, { put }) })).rejects.toThrow('cut');
    expect(await disk.push({ bucket: empty })).toMatchObject({ uploaded: 1, vanished: 2 });
  });
});
