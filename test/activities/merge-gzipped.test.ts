import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { encodeSet } from '../../etl/file';
import type { Bucket } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { allocation, allocationSet, day } from '../etl/build-records';
import { sameMeaning } from '../etl/same-meaning';
import { loadTypescript } from '../servers/load-typescript';
import { temporaryFolder } from '../storage/temporary-folder';
import {
  firstDay,
  goldenSource,
  smallBucket,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();
const mebibyte = 2 ** 20;
const clusters = Array.from({ length: 12 }, (_, index) => `cluster-${10 + index}`);
const firstStart = day().start!.seconds;
/** Two days. Each cluster has a file for each of them. */
const days = [firstStart, firstStart + 86_400];

/** A file of about 7 MB, which gzip compresses to about a thirtieth of that. */
function firstFile(records = 20_000): Buffer {
  const blank = allocation('');
  const named = Array.from({ length: records }, (_, index) => ({ ...blank, name: `cluster-00/${index}` }));
  return encodeSet(allocationSet(named));
}

/** Turns the first file into that of a cluster and a day. This is much faster than encoding the records again. */
function turnedInto(cluster: string, start: number, bytes: Buffer): Buffer {
  const text = bytes
    .toString('latin1')
    .replaceAll('cluster-00/', `${cluster}/`)
    .replaceAll(instant(firstStart + 86_400), instant(start + 86_400))
    .replaceAll(instant(firstStart), instant(start));
  return Buffer.from(text, 'latin1');
}

/** Returns the eight bytes that stand for an instant in a file: the seconds since the year 1. */
function instant(unixSeconds: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(unixSeconds) + 62_135_596_800n);
  return bytes.toString('latin1');
}

async function federateInProcess(directory: string, mergeMemory: number): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...loadTypescript,
    path.join(__dirname, 'federating-process.ts'),
    directory,
    `${mergeMemory}`,
  ]);
  return Number(stdout);
}

describe('gzipped sources', () => {
  test('take no more memory than plain ones, and merge to the same bytes', async () => {
    const folders = { plain: temporaryFolder(), gzipped: temporaryFolder() };
    const plain = openFilesystem({ directory: folders.plain });
    const gzipped = openFilesystem({ directory: folders.gzipped });
    const first = firstFile();
    for (const cluster of clusters) {
      for (const start of days) {
        const key = sourceKey(cluster, `allocations/1d/${start}-${start + 86_400}`);
        const bytes = turnedInto(cluster, start, first);
        await plain.put(key, bytes);
        await gzipped.put(key, gzipSync(bytes, { level: 1 }));
      }
    }
    const memory = 20 * mebibyte;
    const [plainUsage, usage] = await Promise.all([
      federateInProcess(folders.plain, memory),
      federateInProcess(folders.gzipped, memory),
    ]);
    // All files together have 170 MB. Some memory that is no longer used has not been collected yet.
    expect(usage).toBeLessThan(plainUsage + 80 * mebibyte);
    expect(await digests(gzipped)).toEqual(await digests(plain));
  }, 120_000);

  test('that unpack to more than the limit are quarantined alone, and read again by a full run', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const { bucket } = federator;
    const files = ['cluster-1', 'cluster-2'].map((cluster) => goldenSource(cluster, firstDay));
    const most = Math.max(...files.map(({ length }) => length));
    Object.assign(federator.deps, { mostUnpacked: most });
    await federator.federate();
    const before = await federator.merged(firstDay);
    const packed = Buffer.concat([goldenSource('cluster-2', firstDay), Buffer.alloc(most)]);
    await bucket.put(sourceKey('cluster-1', firstDay), gzipSync(goldenSource('cluster-1', firstDay)));
    await bucket.put(sourceKey('cluster-2', firstDay), gzipSync(packed));
    const { outcomes, commit } = await federator.federate();
    expect(outcomes).toMatchObject([{ window: firstDay, clusters: 5, changed: 2, quarantined: 1 }]);
    expect(commit).toMatchObject({ status: 'committed', degraded: ['cluster-2'] });
    const { length } = gzipSync(packed);
    expect((await federator.newest()).quarantined).toMatchObject([
      {
        cluster: 'cluster-2',
        window: firstDay,
        code: 'ETL_TOO_LARGE',
        detail: expect.stringContaining(`${length} bytes unpacks to more than ${most} bytes`),
      },
    ]);
    expect(sameMeaning('allocations', await federator.merged(firstDay), before)).toEqual([]);

    await bucket.put(sourceKey('cluster-2', firstDay), gzipSync(files[1]!));
    Object.assign(federator.deps, { mostUnpacked: files[1]!.length - 1 });
    await federator.federate();
    expect((await federator.newest()).quarantined).toMatchObject([{ code: 'ETL_TOO_LARGE' }]);
    Object.assign(federator.deps, { mostUnpacked: most });
    await federator.federate();
    expect((await federator.newest()).quarantined).toHaveLength(1);
    await federator.federate({ full: true });
    expect((await federator.newest()).quarantined).toEqual([]);
    expect((await federator.merged(firstDay)).equals(before)).toBe(true);
  });

  test.each([
    ['of several members', (bytes: Buffer) => inMembers(bytes), undefined],
    ['with trailing zeros', (bytes: Buffer) => Buffer.concat([gzipSync(bytes), Buffer.alloc(9)]), undefined],
    ['truncated', (bytes: Buffer) => gzipSync(bytes).subarray(0, -9), 'ETL_TRUNCATED'],
    ['gzipped twice', (bytes: Buffer) => gzipSync(gzipSync(bytes)), 'ETL_CORRUPT'],
    ['of nothing', () => gzipSync(Buffer.alloc(0)), 'ETL_EMPTY_FILE'],
    ['a bomb', () => gzipSync(Buffer.alloc(2 ** 26)), 'ETL_TOO_LARGE'],
  ])('that are %s are merged or quarantined, with all memory or little', async (_, pack, code) => {
    for (const mergeMemory of [1_000, 100 * mebibyte]) {
      const federator = new TestFederator(smallBucket(), threads);
      Object.assign(federator.deps, { mergeMemory, mostUnpacked: 32 * mebibyte });
      await federator.federate();
      const before = await federator.merged(firstDay);
      await federator.bucket.put(sourceKey('cluster-2', firstDay), pack(goldenSource('cluster-2', firstDay)));
      await federator.federate();
      expect((await federator.newest()).quarantined.map((one) => one.code)).toEqual(code ? [code] : []);
      expect(sameMeaning('allocations', await federator.merged(firstDay), before)).toEqual([]);
    }
  });
});

/** Gzips bytes in two members, as if two files had been joined. */
function inMembers(bytes: Buffer): Buffer {
  return Buffer.concat([gzipSync(bytes.subarray(0, 500)), gzipSync(bytes.subarray(500))]);
}

async function digests(bucket: Bucket): Promise<string[]> {
  const { windows } = await new TestFederator(bucket, threads).newest();
  return Object.values(windows).map(({ digest }) => digest);
}
