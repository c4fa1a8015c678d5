import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../../errors/federation-error';
import { backupsPrefix, clusterEtlKey, objectsPrefix } from '../../federation/layout';
import { readManifest } from '../../local-etl/backup';
import { withWindowLock } from '../../local-etl/lock';
import { primaryState, updatePrimary } from '../../local-etl/primary';
import { localEtl, localPath } from '../../local-etl/store';
import type { Bucket, Version } from '../../storage/bucket';
import {
  assets1,
  built,
  ClusterOnDisk,
  type Combined,
  combined,
  counted,
  day1,
  day2,
  filesBelow,
  later,
  rebuilt,
  rewritten,
  sha256,
  spied,
} from '../local-etl/cluster-on-disk';
import { snapshot } from './federated-bucket';
import { flippingBucket } from './flipping';

let disk: ClusterOnDisk;
let all: Record<string, Combined>;
const windows = [day1, day2, assets1];

beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  all = {};
  for (const window of windows) {
    await disk.build(window, await built(window));
    all[window] = await combined(window);
  }
});
afterEach(() => disk[Symbol.asyncDispose]());

/**
 * Pushes the cluster's files, commits a generation that merges them with other clusters' files, and pulls this
 * generation. This is the cluster's first pull.
 */
async function becomePrimary(): Promise<void> {
  await disk.push();
  await disk.commit(1, all);
  expect(await disk.pull()).toMatchObject({ state: 'pulled', replaced: 3 });
}

async function expectCombined(): Promise<void> {
  for (const window of windows) expect(await disk.local(window)).toEqual(all[window]?.bytes);
}

describe('a pull', () => {
  it('does not fill a folder that has vanished, as its volume may only be unmounted', async () => {
    await becomePrimary();
    await updatePrimary(disk.store, { leftAt: '2026-11-20T12:00:00Z' });
    await rename(disk.store.root, `${disk.store.root}-away`);
    await expect(disk.pull()).rejects.toMatchObject({
      code: 'LOCAL_ETL_MISSING',
      subject: { key: disk.store.root },
    });
    expect(existsSync(disk.store.root)).toBe(false);
    await rename(`${disk.store.root}-away`, disk.store.root);
    expect(await disk.pull()).toMatchObject({ state: 'left' });
  });

  it('overwrites the local ETL with the combined windows', async () => {
    await becomePrimary();
    await expectCombined();
    expect((await primaryState(disk.store)).lastPull).toMatchObject({ generation: 1 });
  });

  it('fills the empty volume of a cluster that is not federated', async () => {
    await rm(disk.store.root, { recursive: true });
    await mkdir(disk.store.root);
    await disk.commit(1, all);
    const summary = await disk.pull({ own: undefined, federated: false });
    expect(summary).toMatchObject({ state: 'pulled', replaced: 3, salvaged: { count: 0 } });
    expect(summary.backup).toBeUndefined();
    await expectCombined();
  });

  it('does nothing before the first generation', async () => {
    expect(await disk.pull()).toMatchObject({ state: 'no-generation' });
    expect(await disk.local(day1)).toEqual(await built(day1));
  });

  it('does not fetch existing files again', async () => {
    await becomePrimary();
    const { bucket, calls } = counted(disk.bucket);
    expect(await disk.pull({ combined: bucket, own: bucket })).toMatchObject({
      state: 'up-to-date',
      unchanged: 3,
    });
    expect(calls).toEqual({ list: 1, get: 1 });
  });

  it('does not fetch files again that a failed pull fetched', async () => {
    await disk.push();
    await disk.commit(1, all);
    let failed = '';
    const combined = spied(disk.bucket, (verb, key) => {
      if (verb !== 'get' || !key.startsWith(objectsPrefix) || key.endsWith('.json') || failed !== '') return;
      failed = key;
      throw new FederationError('STORAGE_UNAVAILABLE', { detail: 'The bucket is away.' });
    });
    await expect(disk.pull({ combined })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    const fetched: string[] = [];
    const again = spied(disk.bucket, (verb, key) => {
      if (verb === 'get' && key.startsWith(objectsPrefix)) fetched.push(key);
    });
    expect(await disk.pull({ combined: again })).toMatchObject({ replaced: 1, unchanged: 2 });
    expect(fetched).toEqual([failed]);
    await expectCombined();
  });

  it('removes pulled windows that are no longer combined, but none of its own', async () => {
    await becomePrimary();
    const { [day2]: _, ...rest } = all;
    await disk.commit(2, rest);
    const own = 'allocations/1d/1794787200-1794873600';
    await disk.build(own, await built(day1));
    expect(await disk.pull()).toMatchObject({ state: 'pulled', removed: 1, replaced: 0 });
    expect(await disk.local(day2)).toBeUndefined();
    expect(await disk.local(own)).toBeDefined();
  });

  it('leaves one file per window, under its plain name', async () => {
    const other = `allocations/1d/agent.${day2.split('/')[2]}`;
    await disk.build(other, await built(day2));
    await becomePrimary();
    expect(await disk.local(other)).toBeUndefined();
    expect(await disk.remote(other)).toEqual(await built(day2));
    await expectCombined();
  });

  it('fails, and keeps the last good state, if an object does not match the generation', async () => {
    await becomePrimary();
    const before = await disk.localFiles();
    await disk.commit(2, { ...all, [day1]: await combined(day2) });
    for await (const entry of disk.bucket.list(objectsPrefix)) {
      if (entry.kind === 'object' && !entry.key.endsWith('.json'))
        await disk.bucket.put(entry.key, Buffer.from('torn'));
    }
    await expect(disk.pull()).rejects.toMatchObject({ code: 'GENERATION_UNREADABLE' });
    expect(await disk.localFiles()).toEqual(before);
  });

  it('reads an object again if a bit has flipped on the way', async () => {
    await disk.push();
    await disk.commit(1, all);
    const store = flippingBucket(disk.bucket);
    const object = Object.keys(await snapshot(disk.bucket, objectsPrefix)).find(
      (key) => !key.endsWith('.json'),
    );
    const reads = store.flip(object ?? '', 100, 3);
    expect(await disk.pull({ combined: store.bucket })).toMatchObject({ state: 'pulled', replaced: 3 });
    expect(reads()).toBe(4);
    await expectCombined();
  });

  it('never writes outside the store, whatever a generation names', async () => {
    await disk.push();
    await disk.commit(1, { ...all, '../../escape': await combined(day1) });
    await expect(disk.pull()).rejects.toMatchObject({ code: 'GENERATION_UNREADABLE' });
  });

  it('pulls into a separate folder if configured, and leaves the cluster’s own build alone', async () => {
    await disk.push();
    await disk.commit(1, all);
    const pullStore = localEtl(join(disk.folder, 'combined'));
    const before = await disk.localFiles();
    expect(await disk.pull({ pullStore })).toMatchObject({ state: 'pulled', replaced: 3 });
    expect(await disk.localFiles()).toEqual(before);
    expect(Object.keys(await filesBelow(pullStore.bingen)).sort()).toEqual([...windows].sort());
    // Pulled files are in a separate folder, so all files in the cluster's own folder were built by the cluster itself.
    // A push must not refuse any of them.
    await disk.build(day1, rebuilt(day1, await built(day1), 1));
    expect(await disk.push()).toMatchObject({ uploaded: 1, refused: { count: 0 } });
  });
});

describe('the guard', () => {
  it('waits until a generation has every closed window of this cluster, and changes nothing meanwhile', async () => {
    await disk.push();
    const before = await disk.localFiles();
    const { [day2]: last, ...rest } = all;
    await disk.commit(1, rest);
    const waiting = await disk.pull();
    expect(waiting).toMatchObject({
      state: 'waiting',
      replaced: 0,
      waitingFor: {
        count: 1,
        examples: [day2],
        hint: expect.stringMatching(/^Not in generation 1 yet: 1 of 3 closed windows\. They are pushed/),
      },
      waitingSince: expect.any(String),
    });
    const { waitingSince } = waiting;
    expect(await disk.localFiles()).toEqual(before);
    await disk.commit(2, { ...all, [day2]: { bytes: last?.bytes ?? Buffer.alloc(0), from: ['cluster-1'] } });
    expect(await disk.pull()).toMatchObject({ state: 'waiting', waitingFor: { count: 1 }, waitingSince });
    await disk.commit(3, all);
    expect(await disk.pull()).toMatchObject({ state: 'pulled', replaced: 3 });
    expect(await primaryState(disk.store)).not.toHaveProperty('waitingSince');
    await disk.commit(4, rest);
    expect(await disk.pull()).toMatchObject({ state: 'pulled', removed: 1 });
  });

  it('does not wait for windows that are open, older than the cut-off, or undecodable', async () => {
    const { [day1]: old, [day2]: open, ...rest } = all;
    expect([old, open]).toHaveLength(2);
    disk.now = new Date('2026-11-15T12:00:00Z');
    const torn = 'assets/1h/1794621600-1794625200';
    await disk.build(torn, Buffer.from('torn'));
    await disk.commit(1, rest, { cutoff: '2026-11-14T00:00:01Z' });
    expect(await disk.pull()).toMatchObject({ state: 'pulled' });
    expect(await disk.local(torn)).toEqual(Buffer.from('torn'));
  });

  it.each([
    ['settings', 'not this one', /settings exclude this cluster \(not this one\)/],
    ['person', 'wrong prices', /federated-etl include cluster-5/],
  ] as const)('explains what to do if the cluster is excluded by %s', async (by, reason, hint) => {
    await disk.commit(
      1,
      { [day1]: { bytes: all[day1]?.bytes ?? Buffer.alloc(0), from: ['cluster-1'] } },
      {
        excluded: { 'cluster-5': { by, reason } },
      },
    );
    expect((await disk.pull()).waitingFor?.hint).toMatch(hint);
    expect((await primaryState(disk.store)).waitingFor).toMatch(hint);
  });

  it('explains what to do if the cluster’s files are quarantined', async () => {
    const { [day2]: _, ...rest } = all;
    const quarantinedSource = {
      cluster: disk.cluster,
      window: day2,
      seen: 'v' as Version,
      code: 'ETL_TRUNCATED',
      detail: 'It ends.',
    };
    await disk.commit(1, rest, { quarantined: [quarantinedSource] });
    expect((await disk.pull()).waitingFor?.hint).toMatch(
      /Files of this cluster are quarantined, such as .*ETL_TRUNCATED/,
    );
  });

  it('does not apply to a cluster that is not federated', async () => {
    const { [day2]: _, ...rest } = all;
    await disk.commit(1, rest);
    expect(await disk.pull({ federated: false })).toMatchObject({ state: 'pulled', replaced: 2 });
  });
});

describe('the backup', () => {
  it('is taken and verified before the first overwrite, once', async () => {
    const before = await disk.localFiles();
    await disk.push();
    await disk.commit(1, all);
    const seen: string[] = [];
    const own = spied(disk.bucket, (verb, key) => {
      if (key.startsWith(backupsPrefix(disk.cluster))) seen.push(verb);
      else if (key.startsWith(objectsPrefix) && !key.endsWith('.json')) seen.push('object');
    });
    const { backup } = await disk.pull({ own, combined: own });
    expect(backup).toBe('2026-11-20T00-00-00-000Z');
    expect(seen.slice(0, seen.indexOf('object'))).toEqual(expect.arrayContaining(['put', 'get', 'create']));
    expect(seen.slice(seen.indexOf('object'))).not.toContain('put');
    const saved = await filesBelow(
      join(disk.folder, 'bucket', backupsPrefix(disk.cluster), backup ?? '', 'bingen'),
    );
    expect(saved).toMatchObject(before);
    await disk.commit(2, {
      ...all,
      [day1]: { ...(await combined(day1)), bytes: await built(day1, 'cluster-1') },
    });
    expect((await disk.pull()).backup).toBeUndefined();
  });

  const faults: [string, (bucket: Bucket) => Bucket][] = [
    ['cannot be written', (bucket) => failing(bucket, 'put')],
    ['cannot be read back', (bucket) => failing(bucket, 'get')],
    ['is read back with different bytes', (bucket) => garbling(bucket)],
    ['cannot be completed', (bucket) => failing(bucket, 'create')],
  ];
  it.each(faults)('blocks the pull if it %s: nothing is changed', async (_, fault) => {
    await disk.push();
    await disk.commit(1, all);
    const before = await disk.localFiles();
    await expect(disk.pull({ own: fault(disk.bucket) })).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
    expect(await disk.localFiles()).toEqual(before);
    expect(await disk.pull()).toMatchObject({ state: 'pulled', replaced: 3 });
  });

  it('blocks the pull if there is nowhere to save it', async () => {
    await disk.commit(1, all);
    const pulling = disk.pull({ own: undefined, federated: false });
    await expect(pulling).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      subject: { setting: 'localEtl.backupPath' },
    });
    expect(await disk.local(day1)).toEqual(await built(day1));
  });

  it('resumes with the files already saved, and saves again those changed since', async () => {
    await disk.push();
    await disk.commit(1, all);
    const place = backupsPrefix(disk.cluster);
    const own = spied(disk.bucket, (verb, key) => {
      if (verb === 'get' && key.startsWith(place) && key.endsWith(assets1))
        throw new FederationError('STORAGE_UNAVAILABLE', { detail: 'The bucket is away.' });
    });
    await expect(disk.pull({ own })).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
    await disk.build(day2, rebuilt(day2, await built(day2), 1));
    const before = await disk.localFiles();
    disk.now = new Date(later.getTime() + 60_000);
    const saved: string[] = [];
    const again = spied(disk.bucket, (verb, key) => {
      if (verb === 'put' && key.startsWith(place)) saved.push(key.slice(key.indexOf('bingen/') + 7));
    });
    const { backup = '' } = await disk.pull({ own: again });
    expect(saved.sort()).toEqual([day2, assets1].sort());
    // The second pull continues the backup that the failed pull started, so the backup has the same name.
    expect(backup).toBe('2026-11-20T00-00-00-000Z');
    const manifest = await readManifest(disk.bucket, disk.cluster, backup);
    expect(
      Object.fromEntries(Object.entries(manifest.files).map(([path, { digest }]) => [path, digest])),
    ).toEqual(before);
    expect(await filesBelow(join(disk.folder, 'bucket', place, backup, 'bingen'))).toMatchObject(before);
    const kept = await readdir(disk.store.state);
    expect(kept.filter((name) => name.startsWith('backup'))).toEqual([]);
  });

  it('is written to a folder if configured, but not to a folder that does not exist', async () => {
    await disk.push();
    await disk.commit(1, all);
    await expect(disk.pull({ backupPath: join(disk.folder, 'nowhere') })).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
    });
    const { backup } = await disk.pull({ backupPath: disk.folder });
    const saved = await filesBelow(join(disk.folder, backupsPrefix(disk.cluster), backup ?? ''));
    expect(Object.keys(saved)).toEqual(expect.arrayContaining(['manifest.json', `bingen/${day1}`]));
  });
});

describe('no bytes are lost', () => {
  it('pushes a build that the bucket lacks before replacing it', async () => {
    await becomePrimary();
    const build = rebuilt(day1, await built(day1), 1);
    await disk.build(day1, build);
    expect(await disk.pull()).toMatchObject({
      state: 'pulled',
      replaced: 1,
      pushedFirst: 1,
      salvaged: { count: 0 },
    });
    expect(await disk.remote(day1)).toEqual(build);
    await expectCombined();
  });

  it('replaces nothing if the bucket becomes unavailable between a build and a pull', async () => {
    await becomePrimary();
    const build = rebuilt(day1, await built(day1), 1);
    await disk.build(day1, build);
    await expect(disk.pull({ own: failing(disk.bucket, 'put') })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    expect(await disk.local(day1)).toEqual(build);
    await expect(disk.pull({ own: failing(disk.bucket, 'list') })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    expect(await disk.local(day1)).toEqual(build);
    expect(await disk.pull()).toMatchObject({ replaced: 1, pushedFirst: 1 });
    expect(await disk.remote(day1)).toEqual(build);
  });

  it('salvages a file that may not be pushed, and reports it', async () => {
    await becomePrimary();
    const foreign = rebuilt(day1, await built(day1, 'cluster-1'), 1);
    await disk.build(day1, foreign);
    const summary = await disk.pull();
    expect(summary).toMatchObject({
      replaced: 1,
      pushedFirst: 0,
      salvaged: { count: 1, examples: [{ path: day1 }] },
    });
    expect(await disk.remote(day1)).toEqual(await built(day1));
    const copies = await filesBelow(join(disk.store.state, 'salvaged'));
    expect(Object.keys(copies)).toHaveLength(1);
    await expectCombined();
  });

  it('leaves a file alone if it is being written, or is written while it is replaced', async () => {
    await becomePrimary();
    const build = rebuilt(day1, await built(day1), 1);
    await disk.build(day1, build.subarray(0, 500), new Date());
    expect(await disk.pull()).toMatchObject({
      replaced: 0,
      postponed: { count: 1, examples: [{ path: day1 }] },
    });
    expect(await disk.local(day1)).toEqual(build.subarray(0, 500));
    await disk.build(day1, build);
    const newer = rebuilt(day1, await built(day1), 2);
    const writing: Promise<void>[] = [];
    const slow = spied(disk.bucket, (verb, key) => {
      if (verb === 'get' && key.startsWith(objectsPrefix))
        writing.push(writeFile(localPath(disk.store, day1), newer));
    });
    expect(await disk.pull({ combined: slow })).toMatchObject({ replaced: 0, postponed: { count: 1 } });
    await Promise.all(writing);
    expect(await disk.local(day1)).toEqual(newer);
    expect(await disk.pull()).toMatchObject({ replaced: 1, pushedFirst: 1 });
    expect(await disk.remote(day1)).toEqual(newer);
  });

  it('leaves each file either old or new, and no leftovers, wherever it is cancelled', async () => {
    await disk.push();
    await disk.commit(1, all);
    let done = false;
    for (let step = 1; !done && step < 60; step++) {
      disk.now = new Date(later.getTime() + step * 1_000);
      const controller = new AbortController();
      let calls = 0;
      const bucket = spied(disk.bucket, () => ++calls === step && controller.abort(new Error('cancelled')));
      const changes = { combined: bucket, own: bucket, signal: () => controller.signal };
      const outcome = await disk.pull(changes).catch((error: unknown) => error);
      for (const window of windows) {
        const bytes = await disk.local(window);
        expect([await built(window), all[window]?.bytes]).toContainEqual(bytes);
      }
      expect(
        (await readdir(join(disk.store.bingen, 'allocations/1d'))).filter((name) => name.startsWith('.')),
      ).toEqual([]);
      done = !(outcome instanceof Error) && calls < step;
    }
    await expectCombined();
  });

  it('records what it pulls before replacing the first file', async () => {
    await disk.push();
    await disk.commit(1, all);
    const recorded: string[] = [];
    const combined = spied(disk.bucket, (verb, key) => {
      const isObject = verb === 'get' && key.startsWith(objectsPrefix) && !key.endsWith('.json');
      if (isObject) recorded.push(readFileSync(join(disk.store.state, 'pulled.json'), 'utf8'));
    });
    await disk.pull({ combined });
    expect(recorded).toHaveLength(3);
    for (const text of recorded) {
      for (const { bytes } of Object.values(all)) expect(text).toContain(sha256(bytes));
    }
  });

  it('holds a window’s lock against a push of it', async () => {
    await becomePrimary();
    await disk.build(day1, rebuilt(day1, await built(day1), 1));
    let pushed = false;
    const pushing = await withWindowLock(disk.store, day1, async () => {
      const push = disk.push().then((summary) => ((pushed = true), summary));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(pushed).toBe(false);
      return { push };
    });
    expect(await pushing.push).toMatchObject({ uploaded: 1 });
  });
});

describe('no echo', () => {
  it('never pushes pulled files', async () => {
    await becomePrimary();
    for (const window of windows) await disk.bucket.delete(clusterEtlKey(disk.cluster, window));
    expect(await disk.push()).toMatchObject({ uploaded: 0, pulled: 3, refused: { count: 0 } });
    await rm(join(disk.store.state, 'push-cache.json'));
    expect(await disk.push()).toMatchObject({ uploaded: 0, pulled: 3 });
    // Pull a newer file for `day1`, and then put back the file from the first pull. A pulled file must not be pushed,
    // even if a newer one has been pulled since.
    await disk.commit(2, { ...all, [day1]: { ...(await combined(day2)) } });
    await disk.pull();
    await disk.build(day1, all[day1]?.bytes ?? Buffer.alloc(0));
    expect(await disk.push()).toMatchObject({ uploaded: 0, pulled: 3 });
  });

  it.each(windows)('never pushes %s that was rewritten with different bytes', async (window) => {
    await becomePrimary();
    const before = await disk.remote(window);
    await disk.build(window, rewritten(window, all[window]?.bytes ?? Buffer.alloc(0)));
    expect(await disk.push()).toMatchObject({
      uploaded: 0,
      refused: { count: 1, examples: [{ path: window }] },
    });
    expect(await disk.push()).toMatchObject({ uploaded: 0, refused: { count: 1 } });
    expect(await disk.remote(window)).toEqual(before);
    expect(await disk.pull()).toMatchObject({ replaced: 1, pushedFirst: 0, salvaged: { count: 1 } });
    expect(await disk.remote(window)).toEqual(before);
  });

  it('refuses a file without any of the cluster’s records, and one of an unsupported version', async () => {
    await becomePrimary();
    await disk.build(day1, rebuilt(day1, await built(day1), Infinity));
    expect((await disk.push()).refused).toMatchObject({
      count: 1,
      examples: [{ path: day1, why: /names this cluster/ }],
    });
  });

  it("still works if the volume's primary state is lost", async () => {
    await becomePrimary();
    await rm(join(disk.store.state, 'primary.json'));
    await disk.build(day1, rewritten(day1, all[day1]?.bytes ?? Buffer.alloc(0)));
    expect(await disk.push()).toMatchObject({ uploaded: 0, pulled: 2, refused: { count: 1 } });
  });

  it('records the cluster’s own names other than its id, from before the first pull', async () => {
    // The records on this volume have the cluster name cluster-1, although the cluster's id is cluster-5.
    for (const window of windows) await disk.build(window, await built(window, 'cluster-1'));
    await becomePrimary();
    await disk.build(day1, rebuilt(day1, await built(day1, 'cluster-1'), 1));
    expect(await disk.push()).toMatchObject({ uploaded: 1, refused: { count: 0 } });
    await disk.build(day1, rebuilt(day1, await built(day1, 'cluster-2'), 1));
    expect(await disk.push()).toMatchObject({ uploaded: 0, refused: { count: 1 } });
  });

  it('never happens over many rounds of builds, pushes, pulls and rewrites', async () => {
    await becomePrimary();
    for (let round = 1; round <= 4; round++) {
      const build = rebuilt(day1, await built(day1), round);
      await disk.build(day1, build, new Date(Date.now() - 100_000 + round));
      if (round % 2 === 0) expect(await disk.push()).toMatchObject({ uploaded: 1 });
      all[day1] = { ...(await combined(day1)), bytes: rebuilt(day1, (await combined(day1)).bytes, round) };
      await disk.commit(round + 1, all);
      expect(await disk.pull()).toMatchObject({
        replaced: 1,
        pushedFirst: round % 2,
        salvaged: { count: 0 },
      });
      await expectCombined();
      expect(await disk.remote(day1)).toEqual(build);
      await disk.build(assets1, rewritten(assets1, all[assets1]?.bytes ?? Buffer.alloc(0)));
      expect(await disk.push()).toMatchObject({ uploaded: 0, refused: { count: 1 } });
      expect(await disk.pull()).toMatchObject({ replaced: 1, pushedFirst: 0 });
      expect(await disk.remote(assets1)).toEqual(await built(assets1));
    }
  });
});

function failing(bucket: Bucket, fault: string): Bucket {
  return spied(bucket, (verb) => {
    if (verb === fault) throw new FederationError('STORAGE_UNAVAILABLE', { detail: 'The bucket is away.' });
  });
}

/** Returns a bucket that drops the last byte of each upload. */
function garbling(bucket: Bucket): Bucket {
  return new Proxy(bucket, {
    get(target, name: keyof Bucket) {
      if (name === 'put') return (key: string, body: Buffer) => target.put(key, body.subarray(0, -1));
      const value = target[name];
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}
