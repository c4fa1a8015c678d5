import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MergeTask } from '../../activities/threads/merge-thread';
import type { MergeTraffic } from '../../activities/threads/merge-threads';
import { encodeSet } from '../../etl/file';
import { allocation, allocationSet } from '../etl/build-records';
import { spliceSets } from '../etl/splice-sets';
import { testMergeThreads } from './federated-bucket';

const threads = testMergeThreads();

/** Three source files of about 3 MB each. They are large enough for the merged file to consist of several chunks. */
const files = ['a', 'b', 'c'].map((id) =>
  encodeSet(
    allocationSet(
      Array.from({ length: 400 }, (_, index) => allocation(`${id}/${index}/${'x'.repeat(8_000)}`)),
    ),
  ),
);
const merged = Buffer.concat([
  ...spliceSets(
    'allocations',
    files.map((bytes, index) => ({ id: `${index}`, bytes: Buffer.from(bytes) })),
  ).parts,
]);
const size = merged.length;
const digest = createHash('sha256').update(merged).digest('hex');

const task: MergeTask = {
  pipeline: 'allocations',
  window: { start: 1794614400, end: 1794700800 },
  sources: files.map((_, index) => ({ cluster: `${index}` })),
  bytes: size,
  mostHeld: 0,
};

const read: MergeTraffic['read'] = async (question) => {
  if (question.ask === 'source') return { bytes: Buffer.from(files[question.source]!) };
  if (question.ask !== 'again') return {};
  const { input, offset, length } = question.again;
  return { bytes: Buffer.from(files[input]!.subarray(offset, offset + length)) };
};

/** Reads up to `most` chunks from the start, and returns their bytes. */
async function take(chunks: () => AsyncIterable<Uint8Array>, most = Infinity): Promise<Buffer> {
  const taken: Uint8Array[] = [];
  for await (const chunk of chunks()) {
    taken.push(Buffer.from(chunk));
    if (taken.length === most) break;
  }
  return Buffer.concat(taken);
}

function signal(): AbortSignal {
  return new AbortController().signal;
}

test.each([0, Infinity])(
  'a window is returned in chunks, with at most %d bytes held in memory',
  async (mostHeld) => {
    let found: Buffer = Buffer.alloc(0);
    const answer = await threads.merge(
      { ...task, mostHeld },
      { read, write: async (begun, chunks) => void (found = await take(chunks)) },
      signal(),
    );
    expect(answer).toMatchObject({ kind: 'merged', size, digest });
    expect(found.equals(merged)).toBe(true);
  },
);

test('the consumer of chunks may start late', async () => {
  let found: Buffer = Buffer.alloc(0);
  const write: MergeTraffic['write'] = async (_, chunks) => {
    // Give the thread time to produce some chunks before they are read.
    await sleep(200);
    found = await take(chunks);
  };
  await threads.merge(task, { read, write }, signal());
  expect(found.equals(merged)).toBe(true);
});

test('can be read any number of times', async () => {
  const found: Buffer[] = [];
  const write: MergeTraffic['write'] = async (_, chunks) => {
    for (let time = 0; time < 8; time++) await take(chunks, 1);
    // Also abandon reads without closing their iterators: nothing calls their `return` method.
    for (let time = 0; time < 8; time++) await chunks()[Symbol.asyncIterator]().next();
    found.push(await take(chunks));
  };
  const answer = await threads.merge(task, { read, write }, signal());
  expect(answer).toMatchObject({ kind: 'merged', size, digest });
  expect(found[0]?.equals(merged)).toBe(true);
});

test.each([1, 2, 3, Infinity])('after %d chunks it can be read again from the start', async (most) => {
  let found: Buffer = Buffer.alloc(0);
  const write: MergeTraffic['write'] = async (_, chunks) => {
    expect((await take(chunks, most)).length).toBeGreaterThan(0);
    // Chunks of the first read may still be under way. Wait for them, because the second read must ignore them.
    await sleep(50);
    found = await take(chunks);
  };
  const answer = await threads.merge(task, { read, write }, signal());
  expect(answer).toMatchObject({ kind: 'merged', size, digest });
  expect(found.equals(merged)).toBe(true);
});

test('an error of the reader or the writer is the merge’s error, and the thread stays usable', async () => {
  const no = () => Promise.reject(new Error('no'));
  const write: MergeTraffic['write'] = async (_, chunks) => void (await take(chunks));
  await expect(threads.merge(task, { read: no, write }, signal())).rejects.toThrow('no');
  const later: MergeTraffic['read'] = (question) => (question.ask === 'again' ? no() : read(question));
  await expect(threads.merge(task, { read: later, write }, signal())).rejects.toThrow('no');
  await expect(threads.merge(task, { read, write: no }, signal())).rejects.toThrow('no');
  const halfway: MergeTraffic['write'] = async (_, chunks) => {
    await take(chunks, 1);
    await no();
  };
  await expect(threads.merge(task, { read, write: halfway }, signal())).rejects.toThrow('no');
  expect(await threads.merge(task, { read, write }, signal())).toMatchObject({ digest });
});

test.each(['reading', 'writing'])('aborting stops a merge that hangs while %s', async (what) => {
  const ending = new AbortController();
  const begun = Promise.withResolvers<void>();
  const hang = () => {
    begun.resolve();
    return new Promise<never>(() => undefined);
  };
  const write: MergeTraffic['write'] = what === 'writing' ? hang : async () => undefined;
  const merging = threads.merge(task, { read: what === 'reading' ? hang : read, write }, ending.signal);
  await begun.promise;
  ending.abort(new Error('enough'));
  await expect(merging).rejects.toThrow('enough');
});

test('the consumer of chunks is notified when the merge is aborted', async () => {
  const ending = new AbortController();
  const notified = Promise.withResolvers<unknown>();
  const write: MergeTraffic['write'] = async (_, chunks) => {
    try {
      for await (const chunk of chunks()) {
        expect(chunk.length).toBeGreaterThan(0);
        ending.abort(new Error('enough'));
      }
    } catch (error) {
      notified.resolve(error);
      throw error;
    }
  };
  await expect(threads.merge(task, { read, write }, ending.signal)).rejects.toThrow('enough');
  expect(await notified.promise).toMatchObject({ message: 'enough' });
});
