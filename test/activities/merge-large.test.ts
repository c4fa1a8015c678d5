import { createHash, randomUUID } from 'node:crypto';
import { encodeSet } from '../../etl/file';
import { objectKey } from '../../federation/layout';
import { openS3 } from '../../storage/drivers/s3';
import { s3Config } from '../../storage/drivers/s3-config';
import { readAll } from '../../storage/read-all';
import { withRetry } from '../../storage/with-retry';
import { allocation, allocationSet } from '../etl/build-records';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { startFaultProxy } from '../storage/fault-proxy';
import { firstDay, sourceKey, TestFederator, testMergeThreads } from './federated-bucket';

const threads = testMergeThreads();
const clusters = ['a', 'b', 'c'];

/**
 * Creates an ETL file of about 5 MB. A window merged from three such files is so large that it is uploaded in parts.
 */
function fileOf(cluster: string, records = 600): Buffer {
  const names = Array.from({ length: records }, (_, index) => `${cluster}/${index}/${'x'.repeat(8_000)}`);
  return encodeSet(allocationSet(names.map((name) => allocation(name))));
}

describeWithS3('a large window', () => {
  test('is uploaded in parts, restarted if one fails, and is reused for clusters that have not changed', async () => {
    const server = await connectToS3();
    const name = `b-${randomUUID()}`;
    await server.createBucket(name);
    const settings = s3Settings(server, name);
    const { hostname, port } = new URL(`http://${settings.endpoint}`);
    await using proxy = await startedProxy({ hostname, port: Number(port) });
    const config = s3Config.parse({ ...settings, endpoint: proxy.host, part_size: 5 * 1024 * 1024 });
    const bucket = withRetry(await openS3(config), { firstPauseMs: 1 });
    const federator = new TestFederator(bucket, threads);
    Object.assign(federator.deps, { mergeMemory: 1 });
    for (const cluster of clusters) await bucket.put(sourceKey(cluster, firstDay), fileOf(cluster));

    let failed = 0;
    proxy.plan(({ url }) =>
      url?.includes('partNumber=2') === true && ++failed === 1 ? { kind: 'status', status: 503 } : undefined,
    );
    await federator.federate();
    const window = (await federator.newest()).windows[firstDay];
    const stored = await readAll(bucket, objectKey(window?.fingerprint ?? ''));
    expect(createHash('sha256').update(stored.bytes).digest('hex')).toBe(window?.digest);
    const parts = proxy.seen.filter(({ url }) => url.includes('partNumber='));
    expect(parts.filter(({ url }) => url.includes('partNumber=2'))).toHaveLength(2);

    await bucket.put(sourceKey('b', firstDay), fileOf('b', 601));
    proxy.plan(() => undefined);
    await federator.federate();
    const got = (key: string) =>
      proxy.seen.filter(({ method, url }) => method === 'GET' && url.split('?')[0]?.endsWith(key) === true);
    expect(got(sourceKey('a', firstDay)).length + got(sourceKey('c', firstDay)).length).toBe(0);
    expect(got(sourceKey('b', firstDay)).length).toBeGreaterThan(0);
    const after = (await federator.newest()).windows[firstDay];
    expect(after?.digest).not.toBe(window?.digest);
    // A bit flips in a range that is read a second time. The merge notices it, and reads the range a third time.
    let ranges = 0;
    proxy.plan(({ method, url, headers }) => {
      const isAgain =
        method === 'GET' && headers.range !== undefined && url?.includes(sourceKey('b', firstDay));
      return isAgain === true && ++ranges === 1 ? { kind: 'flip' } : undefined;
    });
    await federator.federate({ force: true });
    expect(ranges).toBe(2);
    expect((await federator.newest()).windows[firstDay]?.digest).toBe(after?.digest);
    await bucket.close();
  });
});

async function startedProxy(target: { hostname: string; port: number }) {
  const proxy = await startFaultProxy(target);
  return Object.assign(proxy, { [Symbol.asyncDispose]: () => proxy.close() });
}
