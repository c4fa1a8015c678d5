import { setImmediate as turn } from 'node:timers/promises';
import { noCalls } from '../../federation/store-calls';
import type { Bucket } from '../../storage/bucket';
import { countCall, countCalls } from '../../storage/count-calls';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { readAll } from '../../storage/read-all';
import { withMetrics } from '../../storage/with-metrics';
import { withPrefix } from '../../storage/with-prefix';
import { withRetry } from '../../storage/with-retry';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
import { type Faults, unavailable, withFaults } from './with-faults';

afterAll(removeTemporaryFolders);

const none = noCalls();
const text = Buffer.from('text');

/** Opens a bucket with the wrappers that the roles use in production. Its store fails on demand. */
function counted(faults: Faults = {}, directory = temporaryFolder()): Bucket {
  const store = withMetrics(withFaults(openFilesystem({ directory }), faults), countCall);
  return withRetry(withPrefix(store, 'below'), { firstPauseMs: 1 });
}

async function names(bucket: Bucket): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of bucket.list('')) found.push(entry.kind === 'object' ? entry.key : entry.prefix);
  return found;
}

test('every verb counts for the work that called it', async () => {
  const bucket = counted();
  const { result, calls } = await countCalls(async () => {
    await bucket.put('a', text);
    await bucket.create('b', text);
    await bucket.copy('a', 'c');
    await bucket.head('a');
    await bucket.head('none');
    await readAll(bucket, 'a');
    await bucket.delete('b');
    return names(bucket);
  });
  expect(result).toEqual(['a', 'c']);
  expect(calls).toEqual({
    ...{ list: 1, head: 2, get: 1, put: 1, create: 1, copy: 1, delete: 1 },
    ...{ bytesRead: 4, bytesWritten: 8 },
  });
});

test('concurrent work is counted separately, and calls outside any work are not counted', async () => {
  const bucket = counted();
  await bucket.put('a', text);
  const reads = (times: number) =>
    countCalls(async () => {
      for (let at = 0; at < times; at++) await Promise.all([readAll(bucket, 'a'), turn()]);
    });
  const [two, five] = await Promise.all([reads(2), reads(5), bucket.head('a')]);
  expect(two.calls).toEqual({ ...none, get: 2, bytesRead: 8 });
  expect(five.calls).toEqual({ ...none, get: 5, bytesRead: 20 });
});

test('a body counts for the caller of get, not for its reader', async () => {
  const bucket = counted();
  await bucket.put('a', text);
  const { result, calls } = await countCalls(() => bucket.get('a'));
  const reader = await countCalls(async () => {
    for await (const _ of result.body);
  });
  expect(calls).toEqual({ ...none, get: 1, bytesRead: 4 });
  expect(reader.calls).toEqual(none);
});

test('failed attempts count as requests too', async () => {
  const bucket = counted({ calls: { put: [unavailable(), unavailable()] }, bodies: [2], lists: [1] });
  const { calls } = await countCalls(async () => {
    await bucket.put('a', text);
    await bucket.put('b', text);
    await readAll(bucket, 'a');
    return names(bucket);
  });
  expect(calls).toEqual({ ...none, put: 4, get: 2, list: 2, bytesRead: 4, bytesWritten: 8 });
});

test('a listing counts its pages', () =>
  countCalls(async () => countCall({ verb: 'list', pages: 7 })).then(({ calls }) =>
    expect(calls).toEqual({ ...none, list: 7 }),
  ));
