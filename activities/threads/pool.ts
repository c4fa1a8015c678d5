import { availableParallelism } from 'node:os';
import path from 'node:path';
import { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';

/**
 * A pool of worker threads for CPU work. On the main thread, such work would block heartbeats and servers. The code
 * that creates the pool must call `close`.
 */
export interface Threads {
  /**
   * Runs the function `name` of the pool's module in a thread. Transfers the byte arrays and ports in `transferred` to
   * the thread, so that the caller can no longer use them. Aborting the signal terminates the thread.
   */
  run<Answer>(
    name: string,
    task: object,
    transferred: readonly (Uint8Array | MessagePort)[],
    signal: AbortSignal,
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface ThreadsOptions {
  /** Maximum number of threads. (Default: the number of CPU cores) */
  readonly threads?: number;
}

/** Time after which an idle thread ends and frees its memory, in milliseconds. */
const idleMs = 30_000;

/**
 * Creates a pool of threads that run functions of one module in this folder. Threads are started only when there is
 * work.
 */
export function startThreads(
  file: string,
  anyFunction: string,
  { threads = availableParallelism() }: ThreadsOptions = {},
): Threads {
  const extension = path.extname(__filename);
  const loadTypescript = path.join(__dirname, '../../scripts/set-up/load-typescript.cjs');
  const pool = new Piscina({
    filename: path.join(__dirname, `${file}${extension}`),
    // Piscina loads this function when a thread starts. Without a name, Piscina would load the default export.
    name: anyFunction,
    // Threads do not inherit what lets this process load TypeScript.
    execArgv: extension === '.ts' ? ['--require', loadTypescript] : [],
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idleMs,
  });
  // If a thread dies before it takes a task, Piscina reports the error only in an `error` event, not to the callers of
  // `run`. Make all pending calls fail with that error.
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
 * Returns the bytes in an `ArrayBuffer` that contains nothing else, copying them if necessary. Small Node.js buffers
 * share one `ArrayBuffer`, which cannot be transferred to another thread.
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
