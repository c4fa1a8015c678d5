import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WindowId, windowId } from '../../etl/window';
import { clusterEtlPrefix, objectsPrefix } from '../../federation/layout';
import { pullCache, pushCache } from '../../local-etl/file-cache';
import { localPath } from '../../local-etl/store';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import type { StorageCall } from '../../storage/with-metrics';
import { loadTypescript } from '../servers/load-typescript';
import { connectToS3, describeWithS3, s3Store } from '../servers/versitygw';
import { startFaultProxy } from '../storage/fault-proxy';
import { until } from '../until';
import { assets1, built, ClusterOnDisk, sha256 } from './cluster-on-disk';

/**
 * Number of files that are transferred before the process is killed. By then, the cache has been saved at least once,
 * but some files have not been transferred.
 */
const doneFiles = 120;
/**
 * Time limit of a test, in milliseconds. It is long because a killed process may leave a lock, and the test then waits
 * until the lock expires.
 */
const patienceMs = 600_000;
const windows = Array.from({ length: 170 }, (_, hour): WindowId => {
  const start = 1_794_614_400 + hour * 3_600;
  const window = { start, end: start + 3_600 };
  return windowId({ pipeline: 'assets', resolution: '1h', window });
});

/** A cluster on disk, the file with the settings of its store, and the calls that it has made to the store. */
interface Place {
  readonly storeFile: string;
  readonly disk: ClusterOnDisk;
  readonly calls: StorageCall[];
  readonly verbs: (verb: StorageCall['verb'], prefix: string) => StorageCall[];
}

describe('on FILESYSTEM', () => {
  describeCuts(async (folder) => {
    const directory = join(folder, 'store');
    await mkdir(directory);
    return { type: 'FILESYSTEM', config: { directory } };
  });
});

describeWithS3('on S3', () => {
  describeCuts(async () => {
    const s3 = await connectToS3();
    const bucket = `cut-${Date.now()}-${Math.floor(Math.random() * 1e6)}`;
    await s3.createBucket(bucket);
    return s3Store(s3, bucket);
  });

  it('resumes a download at the byte where it broke off', async () => {
    const s3 = await connectToS3();
    const bucket = `broken-${Date.now()}`;
    await s3.createBucket(bucket);
    const { hostname, port } = new URL(s3.endpoint);
    const proxy = await startFaultProxy({ hostname, port: Number(port) });
    const calls: StorageCall[] = [];
    const through = s3Store({ ...s3, endpoint: `http://${proxy.host}` }, bucket);
    await using disk = await ClusterOnDisk.make(await open(through, calls));
    try {
      const bytes = await built(assets1);
      await disk.commit(1, { [assets1]: { bytes, from: ['cluster-1'] } });
      let cuts = 0;
      proxy.plan(({ method, url = '' }) =>
        method === 'GET' && url.includes(`/${objectsPrefix}`) && ++cuts === 1 ? { kind: 'cut' } : undefined,
      );
      calls.length = 0;
      expect(await disk.pull({ federated: false, own: undefined })).toMatchObject({ replaced: 1 });
      const gets = calls.filter(({ verb, key }) => verb === 'get' && key.startsWith(objectsPrefix));
      expect(gets).toHaveLength(2);
      expect(gets[0]?.bytes).toBeGreaterThan(0);
      expect(gets.reduce((sum, { bytes: read = 0 }) => sum + read, 0)).toBe(bytes.length);
      expect(await disk.local(assets1)).toEqual(bytes);
    } finally {
      await proxy.close();
    }
  });
});

function describeCuts(settle: (folder: string) => Promise<object>): void {
  let folder: string;
  let place: Place;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'federated-etl-cut-'));
    const store = await settle(folder);
    const storeFile = join(folder, 'federated-store.yaml');
    await writeFile(storeFile, JSON.stringify(store));
    const calls: StorageCall[] = [];
    const disk = await ClusterOnDisk.make(await open(store, calls));
    const verbs: Place['verbs'] = (verb, prefix) =>
      calls.filter((call) => call.verb === verb && call.key.startsWith(prefix));
    place = { storeFile, disk, calls, verbs };
  });
  afterEach(async () => {
    await place.disk[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    'a push that is killed resumes where it stopped',
    async () => {
      const { disk, calls, verbs } = place;
      const bytes = await built(assets1);
      for (const window of windows) await disk.build(window, bytes);
      const ours = clusterEtlPrefix(disk.cluster);
      await killedOnce(place, 'push', async () => {
        let there = 0;
        for await (const entry of disk.bucket.list(ours)) if (entry.kind === 'object') there++;
        return there === doneFiles && (await cached(disk, pushCache)).length > 0;
      });
      const known = await cached(disk, pushCache);
      const unread = await spoilUnseen(disk, known[0]);
      calls.length = 0;
      const rest = windows.length - doneFiles;
      expect(await disk.push()).toMatchObject({ uploaded: rest, unchanged: doneFiles });
      expect(verbs('put', ours)).toHaveLength(rest);
      // A file that was uploaded but not saved to the push cache costs one `head`. A file in the cache costs none.
      expect(verbs('head', ours)).toHaveLength(doneFiles - known.length);
      expect(await disk.remote(unread)).toEqual(bytes);
    },
    patienceMs,
  );

  it(
    'a pull that is killed resumes where it stopped, and sweeps its leftovers',
    async () => {
      const { disk, calls, verbs } = place;
      const bytes = await built(assets1);
      await disk.commit(1, Object.fromEntries(windows.map((id) => [id, { bytes, from: ['cluster-1'] }])));
      const temporary = async () => (await fileNames(disk)).filter((name) => name.startsWith('.tmp-'));
      const whole = async () => (await fileNames(disk)).filter((name) => !name.startsWith('.'));
      await killedOnce(
        place,
        'pull',
        async () =>
          (await whole()).length === doneFiles &&
          (await cached(disk, pullCache)).length > 0 &&
          (await temporary()).length > 0,
      );
      for (const name of await whole())
        expect(sha256((await disk.local(`assets/1h/${name}`)) ?? Buffer.alloc(0))).toBe(sha256(bytes));
      const longAgo = new Date(Date.now() - 2 * 3_600_000);
      for (const name of await temporary())
        await utimes(join(disk.store.bingen, 'assets/1h', name), longAgo, longAgo);
      calls.length = 0;
      const rest = windows.length - doneFiles;
      expect(await disk.pull({ federated: false, backupPath: folder })).toMatchObject({
        replaced: rest,
        unchanged: doneFiles,
      });
      expect(verbs('get', objectsPrefix)).toHaveLength(rest);
      expect(await temporary()).toEqual([]);
      for (const window of windows) expect(await disk.local(window)).toEqual(bytes);
    },
    patienceMs,
  );
}

async function open(store: object, calls: StorageCall[]) {
  const parsed = parseFederatedStore(JSON.stringify(store), 'federated-store.yaml');
  return openBucket(parsed, { observe: (call) => calls.push(call) });
}

/** Runs a push or a pull in a child process. Kills the child as soon as `isThere` returns true. */
async function killedOnce(
  { storeFile, disk }: Place,
  verb: 'push' | 'pull',
  isThere: () => Promise<boolean>,
): Promise<void> {
  const args = [storeFile, disk.store.root, verb, String(doneFiles)];
  const child = fork(join(__dirname, 'cut-child.ts'), args, {
    execArgv: loadTypescript,
  });
  const ended = once(child, 'exit');
  await until('all that it does before it is killed', async () => child.exitCode !== null || isThere());
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
}

async function fileNames({ store }: ClusterOnDisk): Promise<string[]> {
  return readdir(join(store.bingen, 'assets/1h')).catch(() => []);
}

/** Returns the paths of the files that are recorded in a cache of the cluster. */
async function cached({ store }: ClusterOnDisk, cache: string): Promise<string[]> {
  const text = await readFile(join(store.state, cache), 'utf8').catch(() => '{"files":{}}');
  return Object.keys((JSON.parse(text) as { files: object }).files);
}

/**
 * Changes the content of a file so that only reading the file reveals the change: keeps the size and the modification
 * time, and updates the file's other attributes in the push cache.
 */
async function spoilUnseen({ store }: ClusterOnDisk, path = ''): Promise<string> {
  const file = localPath(store, path);
  const { size, mtime } = await stat(file);
  await writeFile(file, Buffer.alloc(size));
  await utimes(file, mtime, mtime);
  const { ctimeMs } = await stat(file);
  const cache = join(store.state, pushCache);
  const state = JSON.parse(await readFile(cache, 'utf8')) as { files: Record<string, object> };
  state.files[path] = { ...state.files[path], ctimeMs };
  await writeFile(cache, JSON.stringify(state));
  return path;
}
