import { existsSync } from 'node:fs';
import { chmod, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Log, silentLog } from '../../config/log';
import { programVersion } from '../../config/program-version';
import { FederationError } from '../../errors/federation-error';
import { decodeSet, encodeSet } from '../../etl/file';
import { clusterEtlKey, clusterPrefix } from '../../federation/layout';
import { FileCache, pushCache } from '../../local-etl/file-cache';
import { lastStart, noteStart } from '../../local-etl/instance';
import { localEtl, localPath } from '../../local-etl/store';
import type { MemoryBudget } from '../../storage/memory-budget';
import { goldenBytes } from '../etl/golden-files';
import {
  assets1,
  built,
  ClusterOnDisk,
  counted,
  day1,
  day2,
  rebuilt,
  rewritten,
  sha256,
  spied,
} from '../local-etl/cluster-on-disk';

/** A memory budget that throws an error when a file is about to be read. */
const readsNothing: MemoryBudget = {
  within: async () => {
    throw new Error('a read');
  },
};

let disk: ClusterOnDisk;
beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  await disk.build(day1, await built(day1));
  await disk.build(assets1, await built(assets1));
});
afterEach(() => disk[Symbol.asyncDispose]());

describe('a push', () => {
  it('uploads the bytes unchanged, with their digest', async () => {
    const bytes = await built(day1);
    expect(await disk.push()).toMatchObject({ files: 2, uploaded: 2, unchanged: 0 });
    expect(await disk.remote(day1)).toEqual(bytes);
    expect(await disk.local(day1)).toEqual(bytes);
    const head = await disk.bucket.head(clusterEtlKey(disk.cluster, day1));
    expect(head?.metadata).toMatchObject({ sha256: sha256(bytes), instance: expect.any(String) });
  });

  it('says which program pushed the file, and what its newest files say about the agent', async () => {
    const metadata = async (path: string) =>
      (await disk.bucket.head(clusterEtlKey(disk.cluster, path)))?.metadata;
    const program = programVersion();
    const all = {
      program,
      agent: 'github.com/opencost/opencost/core/pkg/opencost',
      codecs: 'allocations/25 assets/21',
    };
    const { length } = await built(assets1);
    const slow: MemoryBudget = {
      within: async (bytes, _, work) => {
        if (bytes === length) await sleep(100);
        return work();
      },
    };
    await disk.push({ budget: slow });
    expect((await metadata(assets1))?.program).toBe(program);
    // The federator reads the inventory from this file. So even its first push says what the assets say, although they
    // are read slowly.
    expect(await metadata(day1)).toMatchObject(all);
    await disk.build(day1, rewritten(day1, await built(day1)));
    expect(await disk.push()).toMatchObject({ uploaded: 1 });
    // The assets were pushed earlier, so what they say comes from the push cache.
    expect(await metadata(day1)).toMatchObject(all);
    await disk.build(
      day1,
      encodeSet({ ...decodeSet('allocations', await built(day1)), allocations: null, version: 22 }),
    );
    await disk.push();
    expect(await metadata(day1)).toMatchObject({ codecs: 'allocations/22 assets/21' });
  });

  it('names the last start on the volume, unless that is unknown', async () => {
    await noteStart(disk.store);
    const started = (await lastStart(disk.store)) ?? '';
    await disk.push();
    const metadata = async () => (await disk.bucket.head(clusterEtlKey(disk.cluster, day1)))?.metadata;
    expect(await metadata()).toMatchObject({ start: started });
    for (const name of ['start.json', 'start.copy.json']) await writeFile(join(disk.store.state, name), '{');
    await disk.build(day1, rewritten(day1, await built(day1)));
    expect(await disk.push()).toMatchObject({ uploaded: 1 });
    expect(await metadata()).not.toHaveProperty('start');
  });

  it('costs one listing and no other request if nothing changed', async () => {
    await disk.push();
    const { bucket, calls } = counted(disk.bucket);
    expect(await disk.push({ bucket })).toMatchObject({ uploaded: 0, unchanged: 2 });
    expect(calls).toEqual({ list: 1 });
  });

  it('does not even read an unchanged file', async () => {
    await disk.push();
    expect(await disk.push({ budget: readsNothing })).toMatchObject({ unchanged: 2 });
  });

  it('notices other content, even if size and modification time are the same', async () => {
    await disk.push();
    const path = localPath(disk.store, day1);
    const { atime, mtime } = await stat(path);
    const other = rewritten(day1, await built(day1));
    await writeFile(`${path}.new`, other);
    await utimes(`${path}.new`, atime, mtime);
    await rename(`${path}.new`, path);
    expect(await disk.push()).toMatchObject({ uploaded: 1, unchanged: 1 });
    expect(await disk.remote(day1)).toEqual(other);
    await disk.build(day1, await built(day1));
    expect(await disk.push()).toMatchObject({ uploaded: 1, unchanged: 1 });
  });

  it('reads a file whose attributes have changed, but uploads it only if its content has', async () => {
    await disk.push();
    await chmod(localPath(disk.store, day1), 0o640);
    const { bucket, calls } = counted(disk.bucket);
    await expect(disk.push({ bucket, budget: readsNothing })).rejects.toThrow('a read');
    expect(await disk.push({ bucket })).toMatchObject({ uploaded: 0, unchanged: 2 });
    expect(await disk.push({ bucket, budget: readsNothing })).toMatchObject({ unchanged: 2 });
    expect(calls).toEqual({ list: 3 });
  });

  it('reads files once if their inode numbers have moved, and never again for that reason', async () => {
    await disk.push();
    const cache = join(disk.store.state, pushCache);
    const moveInodes = async () => {
      const state = JSON.parse(await readFile(cache, 'utf8')) as { files: Record<string, { inode: number }> };
      for (const entry of Object.values(state.files)) entry.inode++;
      await writeFile(cache, JSON.stringify(state));
    };
    await moveInodes();
    await expect(disk.push({ budget: readsNothing })).rejects.toThrow('a read');
    expect(await disk.push()).toMatchObject({ uploaded: 0, unchanged: 2 });
    await moveInodes();
    expect(await disk.push({ budget: readsNothing })).toMatchObject({ uploaded: 0, unchanged: 2 });
  });

  it('reads a file again if it was written just before it was read, whatever its time', async () => {
    const [now, first] = [new Date(), rewritten(day1, await built(day1))];
    const second = rewritten(day1, first);
    expect(second).toHaveLength(first.length);
    await disk.build(day1, first, now);
    await disk.push();
    await disk.build(day1, second, now);
    expect((await disk.push()).uploaded).toBe(1);
    expect(await disk.remote(day1)).toEqual(second);
  });

  it('sweeps the lock of a push that was killed, although the window does not change any more', async () => {
    await disk.push();
    const left = join(disk.store.state, 'locks', day1.replaceAll('/', '~'));
    await writeFile(left, '');
    await utimes(left, new Date(0), new Date(0));
    expect(await disk.push()).toMatchObject({ uploaded: 0, unchanged: 2 });
    expect(existsSync(left)).toBe(false);
  });

  it('sweeps temporary state files of a push that was killed', async () => {
    await disk.push();
    const left = join(disk.store.state, '.tmp-1-a');
    await writeFile(left, '{"format":1,"fil');
    await disk.push();
    // The first push must keep the leftover file, because another process could still be writing it.
    expect(existsSync(left)).toBe(true);
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(left, longAgo, longAgo);
    await disk.push();
    expect(existsSync(left)).toBe(false);
  });

  it('restores a copy that was deleted', async () => {
    await disk.push();
    await disk.bucket.delete(clusterEtlKey(disk.cluster, day1));
    expect(await disk.push()).toMatchObject({ uploaded: 1, unchanged: 1 });
    expect(await disk.remote(day1)).toEqual(await built(day1));
  });

  it('replaces a copy that someone overwrote', async () => {
    await disk.push();
    await disk.bucket.put(clusterEtlKey(disk.cluster, day1), Buffer.from('not ours'));
    expect((await disk.push()).uploaded).toBe(1);
    expect(await disk.remote(day1)).toEqual(await built(day1));
  });

  it('uploads nothing if a file was only touched', async () => {
    await disk.push();
    await utimes(localPath(disk.store, day1), new Date('2026-11-18'), new Date('2026-11-18'));
    const { bucket, calls } = counted(disk.bucket);
    expect(await disk.push({ bucket })).toMatchObject({ uploaded: 0, unchanged: 2 });
    expect(calls).toEqual({ list: 1 });
  });

  it('deletes nothing if a local file is removed', async () => {
    await disk.push();
    await rm(localPath(disk.store, day1));
    expect(await disk.push()).toMatchObject({ files: 1, unchanged: 1 });
    expect(await disk.remote(day1)).toEqual(await built(day1));
  });

  it('reserves what gzipped files need unpacked, and refuses only those that unpack to too much', async () => {
    const [first, second] = [await built(day1), await built(day2)];
    const packed = gzipSync(first);
    await disk.build(`${day1}.gz`, packed);
    await disk.build(`${day2}.gz`, gzipSync(Buffer.concat([second, Buffer.alloc(first.length)])));
    const claims: number[] = [];
    const budget: MemoryBudget = {
      mostUnpacked: first.length,
      within: async (bytes, _, work) => (claims.push(bytes), work()),
    };
    expect(await disk.push({ budget })).toMatchObject({
      uploaded: 3,
      incomplete: { count: 1, examples: [{ path: `${day2}.gz`, code: 'ETL_TOO_LARGE' }] },
    });
    expect(claims).toContain(packed.length + first.length);
    expect(await disk.remote(`${day1}.gz`)).toEqual(packed);
    expect(await disk.push()).toMatchObject({
      incomplete: { count: 1, examples: [{ code: 'ETL_CORRUPT' }] },
    });
  });

  it.each([
    ['zero bytes', 'ETL_EMPTY_FILE', (bytes: Buffer) => bytes.subarray(0, 0)],
    ['half a file', 'ETL_TRUNCATED', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['a file without its last byte', 'ETL_TRUNCATED', (bytes: Buffer) => bytes.subarray(0, -1)],
  ])('does not push %s until it is complete', async (_, code, cut) => {
    const whole = await built(day1);
    await disk.build(day2, cut(await built(day2)));
    const first = await disk.push();
    expect(first).toMatchObject({ uploaded: 2, incomplete: { count: 1, examples: [{ path: day2, code }] } });
    expect(await disk.remote(day2)).toBeUndefined();
    await disk.build(day2, await built(day2));
    expect(await disk.push()).toMatchObject({ uploaded: 1, incomplete: { count: 0 } });
    // An incomplete file must not replace a complete copy that is already in the bucket.
    await disk.build(day1, cut(whole));
    await disk.push();
    expect(await disk.remote(day1)).toEqual(whole);
  });

  it('pushes a file of a too-new version, so that the federator reports it', async () => {
    const bytes = await newerVersion(await built(day2));
    await disk.build(day2, bytes);
    expect(await disk.push()).toMatchObject({ uploaded: 3 });
    expect(await disk.remote(day2)).toEqual(bytes);
  });

  it('writes only below its own prefix, and only federated pipelines', async () => {
    await disk.build('cloudcosts/1d/1794614400-1794700800', Buffer.from('x'));
    await disk.build('allocations/1d/notes.txt', Buffer.from('x'));
    await disk.build('allocations/1d/.tmp-1-a', Buffer.from('x'));
    const written: string[] = [];
    const bucket = spied(disk.bucket, (verb, key) => {
      if (verb !== 'list' && verb !== 'head' && verb !== 'get') written.push(key);
    });
    await disk.push({ bucket });
    expect(written.sort()).toEqual([day1, assets1].map((path) => clusterEtlKey(disk.cluster, path)).sort());
    expect(written.every((key) => key.startsWith(clusterPrefix(disk.cluster)))).toBe(true);
  });

  it('keeps the name and folder that the exporter chose', async () => {
    const path = `${day2}.gz`;
    await disk.build(path, await built(day2));
    await disk.push();
    expect(await disk.remote(path)).toEqual(await built(day2));
  });

  it('is refused on a second volume', async () => {
    const instance = (await disk.push().then(() => readInstance(disk.store.state))).instance;
    const second = await ClusterOnDisk.make();
    try {
      await second.build(day1, await built(day1, 'cluster-1'));
      const pushing = disk.push({ store: second.store, instance });
      await expect(pushing).rejects.toMatchObject({ code: 'DUPLICATE_CLUSTER_ID' });
      expect(await disk.remote(day1)).toEqual(await built(day1));
    } finally {
      await second[Symbol.asyncDispose]();
    }
  });

  it('reports a missing store if its folder is missing', async () => {
    const store = localEtl(join(disk.folder, 'unmounted'));
    await expect(disk.push({ store, instance: 'any' })).rejects.toMatchObject({ code: 'LOCAL_ETL_MISSING' });
  });

  it('uploads nothing twice after being killed before it saved its cache', async () => {
    await disk.push();
    await rm(join(disk.store.state, 'push-cache.json'));
    const { bucket, calls } = counted(disk.bucket);
    expect(await disk.push({ bucket })).toMatchObject({ uploaded: 0, unchanged: 2 });
    expect(calls).toEqual({ list: 1, head: 2 });
    expect((await disk.push()).unchanged).toBe(2);
  });

  it('continues without a cache that cannot be read', async () => {
    await disk.push();
    await writeFile(join(disk.store.state, 'push-cache.json'), '{"format":1,"fil');
    expect(await disk.push()).toMatchObject({ uploaded: 0, unchanged: 2 });
  });

  it('keeps its progress if it fails half-way', async () => {
    let puts = 0;
    const bucket = spied(disk.bucket, (verb) => {
      if (verb === 'put' && ++puts === 2)
        throw new FederationError('STORAGE_UNAVAILABLE', { detail: 'away' });
    });
    await expect(disk.push({ bucket })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      subject: { cluster: 'cluster-5' },
    });
    const { bucket: second, calls } = counted(disk.bucket);
    expect(await disk.push({ bucket: second })).toMatchObject({ uploaded: 1, unchanged: 1 });
    expect(calls.put).toBe(1);
  });

  it('stops when cancelled, and keeps its progress', async () => {
    const controller = new AbortController();
    const bucket = spied(disk.bucket, (verb) => {
      if (verb === 'put') controller.abort(new Error('cancelled'));
    });
    await expect(disk.push({ bucket, signal: controller.signal })).rejects.toThrow();
    expect(await disk.push()).toMatchObject({ files: 2, incomplete: { count: 0 } });
    expect(await disk.push()).toMatchObject({ unchanged: 2 });
  });
});

describe('a push of a file that has shrunk', () => {
  /**
   * Builds a file and pushes it. In the result, `shrunk` describes what the file has lost. `said` lists the warnings
   * and the uploads of the push in the order in which they happened, each upload as the word `put`.
   */
  async function pushing(bytes: Uint8Array, path: string = day1) {
    const said: string[] = [];
    const log = { ...silentLog, info: () => undefined } as unknown as Log;
    log.warn = (_: object, line?: string) => void said.push(line ?? '');
    const bucket = spied(disk.bucket, (verb) => {
      if (verb === 'put') said.push('put');
    });
    await disk.build(path, bytes, new Date());
    const { uploaded, shrunk } = await disk.push({ log, bucket });
    return { uploaded, shrunk: shrunk.examples.map(({ why }) => why), said };
  }

  const quietly = { uploaded: 1, shrunk: [], said: ['put'] };
  const records = (bytes: Uint8Array) => decodeSet('allocations', bytes).allocations?.size ?? 0;
  const withRecords = (bytes: Buffer, left: number) => rebuilt(day1, bytes, records(bytes) - left);

  it('warns, and then uploads it nevertheless', async () => {
    await disk.push();
    const whole = await built(day1);
    const short = withRecords(whole, 2);
    const { uploaded, shrunk, said } = await pushing(short);
    expect({ uploaded, shrunk }).toEqual({
      uploaded: 1,
      shrunk: [expect.stringMatching(`^records ${records(whole)} → 2, core hours `)],
    });
    expect(said).toEqual([
      `FederatedCluster[allocations][1d] uploads 2026-11-14 although it has shrunk since the last push: ${shrunk[0]}`,
      'put',
    ]);
    expect(await disk.remote(day1)).toEqual(short);
    // The push lists the file as shrunk for a day, or until the file is replaced.
    expect(await pushing(short)).toEqual({ uploaded: 0, shrunk, said: [] });
    const cache = await FileCache.open(disk.store, pushCache);
    expect(cache.shrunkSince(Date.now() - 86_400_000)).toEqual([{ path: day1, why: shrunk[0] }]);
    expect(cache.shrunkSince(Date.now())).toEqual([]);
    expect(await pushing(whole)).toEqual(quietly);
  });

  it('warns also if all records are gone, and if the file was only touched since the last push', async () => {
    await disk.push();
    await utimes(localPath(disk.store, day1), new Date('2026-11-18'), new Date('2026-11-18'));
    await disk.push();
    const { shrunk } = await pushing(goldenBytes('edge/valid/nil-maps.allocations'));
    expect(shrunk).toEqual([expect.stringMatching(`^records ${records(await built(day1))} → 0, `)]);
  });

  it('does not warn about a first file, the same records in another order, or a file that it cannot measure', async () => {
    const whole = await built(day2);
    expect((await pushing(whole, day2)).shrunk).toEqual([]);
    expect(await pushing(rewritten(day2, whole), day2)).toEqual(quietly);
    expect(await pushing(await newerVersion(whole), day2)).toEqual(quietly);
  });

  it('does not warn if its cache is lost, but again from the next version on', async () => {
    await disk.push();
    await rm(join(disk.store.state, 'push-cache.json'));
    const whole = await built(day1);
    expect(await pushing(withRecords(whole, 2))).toEqual(quietly);
    await pushing(whole);
    expect((await pushing(withRecords(whole, 2))).shrunk).toHaveLength(1);
  });
});

async function readInstance(folder: string): Promise<{ instance: string }> {
  return JSON.parse(await readFile(join(folder, 'instance.json'), 'utf8')) as { instance: string };
}

/** Replaces the set's version byte, which follows the string table, with a version that is too new. */
async function newerVersion(bytes: Buffer): Promise<Buffer> {
  const newer = Buffer.from(bytes);
  let at = 8;
  for (let strings = newer.readInt32LE(4); strings > 0; strings--) at += 2 + newer.readUInt16LE(at);
  newer[at] = 99;
  return newer;
}
