import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { heldByOne } from '../../activities/merge-window';
import { ReadAhead } from '../../activities/read-ahead';
import type { MergeReply } from '../../activities/threads/merge-thread';
import { startMergeThreads } from '../../activities/threads/merge-threads';
import { encodeMerged } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { recordCount } from '../../etl/set-facts';
import { Splice } from '../../etl/splice/splice';
import type { AgainRange } from '../../etl/splice/spliced-input';
import { isPipeline, type Pipeline } from '../../etl/window';
import { day } from './made-up-clusters';

/**
 * Ways of merging files.
 *
 * - `federator`: splices encoded records in a worker thread while the main thread reads and writes, as in a federator.
 * - `splice`: reads, splices and writes in one thread.
 * - `decoding`: decodes all records, merges them and encodes the result.
 * - `copy`: only concatenates the files.
 */
export type Way = 'federator' | 'splice' | 'decoding' | 'copy';

export interface Worked {
  /** Time in seconds from the start of reading the first file until the merged file has been synced to disk. */
  readonly seconds: number;
  /**
   * The part of `seconds` that was spent on merging, without reading and writing. 0 if it was not measured separately.
   */
  readonly alone: number;
  /** CPU time in seconds, summed over all cores. */
  readonly cpu: number;
  readonly bytes: number;
  readonly records: number;
  /** Memory of the process in bytes, after it has merged one file and thus loaded all its code. */
  readonly idleBytes: number;
}

/**
 * Number of files in each of the unmeasured merges that run first. These merges give V8 time to optimize the code, as
 * it does in a long-running federator.
 */
const warmUp = 20;

/** Merges files and prints the measurements as JSON. The command line specifies the files and the way of merging. */
async function work(): Promise<void> {
  const [way, pipeline = '', folder = '', count = '', out = ''] = process.argv.slice(2);
  if (!isPipeline(pipeline)) throw new Error(`no pipeline: ${pipeline}`);
  const run = ways[way as Way];
  const names = (await readdir(folder)).sort().slice(0, Number(count));
  const files = names.map((name) => path.join(folder, name));
  // Merge one file before measuring the memory, because a worker thread loads its code only when it gets its first job.
  await run(pipeline, files.slice(0, 1), out);
  const idleBytes = process.memoryUsage.rss();
  for (let i = 0; i < 3; i++) await run(pipeline, files.slice(0, warmUp), out);
  const [start, cpuBefore] = [performance.now(), process.cpuUsage()];
  const { alone, bytes, records } = await run(pipeline, files, out);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const worked: Worked = {
    ...{ seconds, alone: alone / 1000, cpu: (user + system) / 1e6 },
    ...{ bytes, records, idleBytes },
  };
  console.log(JSON.stringify(worked));
  await threads.close();
}

const ways: Record<Way, typeof spliced> = {
  federator: federated,
  splice: spliced,
  decoding: decoded,
  copy: copied,
};
/** Worker threads for the function `federated`. A thread starts only when it gets its first job. */
const threads = startMergeThreads({ threads: 1 });

interface Ran {
  /** Time spent on merging, without reading and writing, in milliseconds. 0 if it was not measured separately. */
  readonly alone: number;
  readonly bytes: number;
  readonly records: number;
}

async function federated(pipeline: Pipeline, files: readonly string[], out: string): Promise<Ran> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const ahead = new ReadAhead(
    files.map((file, index) => ({
      bytes: sizes[index] ?? 0,
      read: async () => ({ bytes: await readFile(file) }),
    })),
  );
  const readAgain = async ({ input, offset, length }: AgainRange) => {
    await using handle = await open(files[input] ?? '');
    const range = Buffer.allocUnsafeSlow(length);
    await handle.read(range, 0, length, offset);
    return { bytes: range };
  };
  let again: ReadAhead<MergeReply> | undefined;
  let inputs: number[] = [];
  const answer = await threads.merge(
    {
      ...{ pipeline, window: day, bytes, mostHeld: heldByOne },
      sources: files.map((file) => ({ cluster: file })),
    },
    {
      read: async (question) => {
        if (question.ask === 'source') return ahead.take(question.source);
        if (question.ask !== 'again') throw new RangeError('There is no previous object.');
        return again?.take(inputs.indexOf(question.again.input)) ?? readAgain(question.again);
      },
      write: async (begun, chunks) => {
        inputs = begun.again.map(({ input }) => input);
        again = new ReadAhead(
          begun.again.map((range) => ({ bytes: range.length, read: () => readAgain(range) })),
        );
        await using handle = await open(out, 'w');
        for await (const chunk of chunks()) await handle.writeFile(chunk);
        await handle.sync();
      },
    },
    new AbortController().signal,
  );
  if (answer.kind !== 'merged') throw new Error(`The merge is ${answer.kind}.`);
  const records = answer.contributions.reduce((sum, contribution) => sum + contribution.measure.records, 0);
  return { alone: 0, bytes, records };
}

async function spliced(pipeline: Pipeline, files: readonly string[], out: string): Promise<Ran> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const splice = new Splice(pipeline, {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    mostHeld: heldByOne,
    readAgain: ({ input, offset, length }) => readRange(files[input] ?? '', offset, length),
  });
  let [alone, bytes, records] = [0, 0, 0];
  for await (const [id, file] of readAhead(files)) {
    bytes += file.length;
    const start = performance.now();
    records += splice.add(id, file).measure.records;
    alone += performance.now() - start;
  }
  const start = performance.now();
  const { parts } = splice.finish();
  alone += performance.now() - start;
  await write(out, parts);
  splice.free();
  return { alone, bytes, records };
}

function readRange(file: string, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, bytes, 0, length, offset);
  closeSync(descriptor);
  return bytes;
}

async function decoded(pipeline: Pipeline, files: readonly string[], out: string): Promise<Ran> {
  const inputs: { id: string; set: ReturnType<typeof decodeSet<Pipeline>> }[] = [];
  let [alone, bytes, records] = [0, 0, 0];
  for await (const [id, file] of readAhead(files)) {
    bytes += file.length;
    const start = performance.now();
    const set = decodeSet(pipeline, file);
    inputs.push({ id, set });
    records += recordCount(set);
    alone += performance.now() - start;
  }
  const start = performance.now();
  const merged = encodeMerged(mergeSets(pipeline, inputs));
  alone += performance.now() - start;
  await write(out, [merged.bytes]);
  return { alone, bytes, records };
}

async function copied(_pipeline: Pipeline, files: readonly string[], out: string): Promise<Ran> {
  let bytes = 0;
  async function* chunks() {
    for (const file of files) {
      for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
        bytes += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    }
  }
  await write(out, chunks());
  return { alone: 0, bytes, records: 0 };
}

/** Yields the path and the content of each file. Reads the next file while the caller processes the current one. */
async function* readAhead(files: readonly string[]): AsyncGenerator<[string, Buffer]> {
  const read = async (file: string): Promise<[string, Buffer]> => [file, await readFile(file)];
  const [first, ...others] = files;
  let next = first === undefined ? undefined : read(first);
  while (next !== undefined) {
    const pair = await next;
    const file = others.shift();
    next = file === undefined ? undefined : read(file);
    yield pair;
  }
}

async function write(out: string, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  await using handle = await open(out, 'w');
  for await (const part of parts) {
    // Compute the hash of this part while the file system writes it.
    const written = handle.writeFile(part);
    hash.update(part);
    await written;
  }
  await handle.sync();
  return hash.digest('hex');
}

void work();
