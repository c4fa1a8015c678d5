import { availableParallelism } from 'node:os';
import path from 'node:path';
import { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';

/** Worker threads for CPU work, so that heartbeats and servers go on beside it. Whoever starts them closes them. */
export interface Threads {
  /** Runs a function of the threads' file; hands bytes and ports over to it. Aborting ends the thread. */
  run<Answer>(
    name: string,
    task: object,
    handedOver: readonly (Uint8Array | MessagePort)[],
    signal: AbortSignal,
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface ThreadsOptions {
  /** (Default: as many as there are cores.) */
  readonly threads?: number;
}

/** A thread that has had nothing to do for so long gives its memory back. */
const idleMs = 30_000;

/** Makes a pool of threads that run the functions of a file in this folder; they start when there is work. */
export function startThreads(
  file: string,
  anyFunction: string,
  { threads = availableParallelism() }: ThreadsOptions = {},
): Threads {
  const extension = path.extname(__filename);
  const pool = new Piscina({
    filename: path.join(__dirname, `${file}${extension}`),
    // A thread loads this one when it starts; without it, it would look for a default export.
    name: anyFunction,
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
  return {
    run: async <Answer>(
      name: string,
      task: object,
      handedOver: readonly (Uint8Array | MessagePort)[],
      signal: AbortSignal,
    ) => {
      signal.throwIfAborted();
      const end = AbortSignal.any([signal, broken.signal]);
      try {
        return (await pool.run(task, {
          name,
          signal: end,
          transferList: handedOver.map(transferable),
        })) as Answer;
      } catch (error) {
        end.throwIfAborted();
        throw error;
      }
    },
    close: () => pool.destroy(),
  };
}

/** Bytes that have their memory to themselves: small buffers share a pool, which cannot be handed over. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function transferable(what: Uint8Array | MessagePort): ArrayBuffer | MessagePort {
  if (what instanceof MessagePort) return what;
  if (what.buffer instanceof ArrayBuffer) return what.buffer;
  throw new TypeError('Shared memory cannot be handed over.');
}
