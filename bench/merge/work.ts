import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { heldByOne } from '../../activities/merge-window';
import { inChunks } from '../../activities/threads/merge-thread';
import { encodeMerged } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { recordCount } from '../../etl/set-facts';
import { Splice } from '../../etl/splice/splice';
import { isPipeline, type Pipeline } from '../../etl/window';

/** `decoding` decodes, merges and encodes; `copy` only puts the files one behind the other. */
export type Way = 'splice' | 'decoding' | 'copy';

export interface Worked {
  /** From the first file to the end of the fsync. */
  readonly seconds: number;
  /** Of them, what the merge itself took, on one core. */
  readonly alone: number;
  readonly bytes: number;
  readonly records: number;
  /** Of memory, before it read anything, with all its code loaded. */
  readonly idleBytes: number;
}

/** So many files are merged once before, not measured: a federator's code is warm. */
const warmUp = 20;

/** Merges (or copies) files into one in one way and prints what it took, as JSON. */
async function work(): Promise<void> {
  const [way, pipeline = '', folder = '', count = '', out = ''] = process.argv.slice(2);
  if (!isPipeline(pipeline)) throw new Error(`no pipeline: ${pipeline}`);
  const run = way === 'splice' ? spliced : way === 'decoding' ? decoded : copied;
  const names = (await readdir(folder)).sort().slice(0, Number(count));
  const files = names.map((name) => path.join(folder, name));
  const idleBytes = process.memoryUsage.rss();
  for (let i = 0; i < 3; i++) await run(pipeline, files.slice(0, warmUp), out);
  const start = performance.now();
  const { alone, bytes, records } = await run(pipeline, files, out);
  const seconds = (performance.now() - start) / 1000;
  const worked: Worked = { seconds, alone: alone / 1000, bytes, records, idleBytes };
  console.log(JSON.stringify(worked));
}

interface Ran {
  /** In ms. */
  readonly alone: number;
  readonly bytes: number;
  readonly records: number;
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
    records += splice.add(id, file).records;
    alone += performance.now() - start;
  }
  const start = performance.now();
  const { parts, byteLength } = splice.finish();
  alone += performance.now() - start;
  await write(out, inChunks(parts, byteLength));
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

/** Files and their contents, the next one being read while one is worked on. */
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
    // The disk works while the hash is made.
    const written = handle.writeFile(part);
    hash.update(part);
    await written;
  }
  await handle.sync();
  return hash.digest('hex');
}

void work();
