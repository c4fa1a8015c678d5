import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Piscina } from 'piscina';
import type { ExtractAnswer, ExtractTask, MergeAnswer, MergeTask } from './merge-thread';

/** Worker threads for the CPU work of merging. Whoever starts them closes them. */
export interface MergeThreads {
  /** Spends the bytes of the sources: they are handed over to the thread. Aborting ends the thread. */
  merge(task: MergeTask, signal: AbortSignal): Promise<MergeAnswer>;
  /** Spends the bytes of the object. */
  extract(task: ExtractTask, signal: AbortSignal): Promise<ExtractAnswer>;
  close(): Promise<void>;
}

export interface MergeThreadsOptions {
  /** (Default: as many as there are cores.) */
  readonly threads?: number;
}

/** A thread that has had nothing to do for so long gives its memory back. */
const idleMs = 30_000;

/** Makes a pool; its threads start when there is work. */
export function startMergeThreads({
  threads = availableParallelism(),
}: MergeThreadsOptions = {}): MergeThreads {
  const extension = path.extname(__filename);
  const pool = new Piscina({
    filename: path.join(__dirname, `merge-thread${extension}`),
    // A thread loads this one when it starts; without it, it would look for a default export.
    name: 'merge',
    // A thread does not inherit what lets this process run TypeScript.
    execArgv: extension === '.ts' ? ['--require', require.resolve('tsx/cjs')] : [],
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idleMs,
  });
  // A thread that dies before it has taken a task, as when it cannot be loaded, says so to the pool alone.
  let broken = new AbortController();
  pool.on('error', (error: unknown) => {
    broken.abort(error);
    broken = new AbortController();
  });
  const run = async <Answer>(
    name: string,
    task: object,
    buffers: Uint8Array[],
    signal: AbortSignal,
  ): Promise<Answer> => {
    signal.throwIfAborted();
    const end = AbortSignal.any([signal, broken.signal]);
    try {
      return (await pool.run(task, { name, signal: end, transferList: buffers.map(transferable) })) as Answer;
    } catch (error) {
      end.throwIfAborted();
      throw error;
    }
  };
  return {
    merge: (task, signal) => {
      const sources = task.sources.map((source) => ({ ...source, bytes: ownBytes(source.bytes) }));
      return run(
        'merge',
        { ...task, sources },
        sources.map((source) => source.bytes),
        signal,
      );
    },
    extract: (task, signal) => {
      const bytes = ownBytes(task.bytes);
      return run('extract', { ...task, bytes }, [bytes], signal);
    },
    close: () => pool.destroy(),
  };
}

/** Bytes that have their memory to themselves: small buffers share a pool, which cannot be handed over. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function transferable(bytes: Uint8Array): ArrayBuffer {
  if (bytes.buffer instanceof ArrayBuffer) return bytes.buffer;
  throw new TypeError('Shared memory cannot be handed over.');
}
