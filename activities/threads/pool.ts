import { availableParallelism } from 'node:os';
import path from 'node:path';
import { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';

/**
 * Worker threads for CPU work, which would otherwise block heartbeats and servers. The caller that starts them must
 * close them.
 */
export interface Threads {
  /** Runs a function of the thread's module. Transfers bytes and ports to the thread. Aborting ends the thread. */
  run<Answer>(
    name: string,
    task: object,
    transferred: readonly (Uint8Array | MessagePort)[],
    signal: AbortSignal,
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface ThreadsOptions {
  /** Maximum number of threads. (Default: the number of cores.) */
  readonly threads?: number;
}

/** A thread ends after this many milliseconds without work, which frees its memory. */
const idleMs = 30_000;

/** Creates a pool of threads that run the functions of a module in this folder. They start when there is work. */
export function startThreads(
  file: string,
  anyFunction: string,
  { threads = availableParallelism() }: ThreadsOptions = {},
): Threads {
  const extension = path.extname(__filename);
  const pool = new Piscina({
    filename: path.join(__dirname, `${file}${extension}`),
    // A thread loads this function when it starts. Without a name, piscina would look for a default export.
    name: anyFunction,
    // Load `tsx` again: a thread does not inherit the loader that lets this process run TypeScript.
    execArgv: extension === '.ts' ? ['--require', require.resolve('tsx/cjs')] : [],
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idleMs,
  });
  // If a thread dies before it takes a task, for example because it cannot be loaded, only the pool reports the error.
  // End all waiting calls with that error.
  let broken = new AbortController();
  pool.on('error', (error: unknown) => {
    broken.abort(error);
    broken = new AbortController();
  });
  return {
    run: async <Answer>(
      name: string,
      task: object,
      transferred: readonly (Uint8Array | MessagePort)[],
      signal: AbortSignal,
    ) => {
      signal.throwIfAborted();
      const end = AbortSignal.any([signal, broken.signal]);
      try {
        return (await pool.run(task, {
          name,
          signal: end,
          transferList: transferred.map(transferable),
        })) as Answer;
      } catch (error) {
        end.throwIfAborted();
        throw error;
      }
    },
    close: () => pool.destroy(),
  };
}

/**
 * Returns the bytes in an `ArrayBuffer` of their own. Small buffers are parts of one shared `ArrayBuffer`, which cannot
 * be transferred.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function transferable(what: Uint8Array | MessagePort): ArrayBuffer | MessagePort {
  if (what instanceof MessagePort) return what;
  if (what.buffer instanceof ArrayBuffer) return what.buffer;
  throw new TypeError('Shared memory cannot be transferred.');
}
