import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import { FederationError } from '../../errors/federation-error';
import { releaseBuffer } from '../../etl/release-buffer';
import { windowName, type WindowRef } from '../../etl/window';
import { type AllocationColumns, columnArrays } from '../../query/allocation-columns';
import type { AssetColumns } from '../../query/asset-columns';
import type { AllocationBatches, WindowColumns } from '../../query/columns';
import { MainSide, makeShared } from './exchange';
import { ownBytes, startThreads, type ThreadsOptions } from './pool';
import type { ReadTask, ReadVerdict } from './read-thread';

/** Worker threads that read ETL files into columns. The code that creates them must call `close`. */
export interface ReadThreads {
  /**
   * Reads an ETL file into columns. Transfers the bytes to a thread, so the caller can no longer use them. Throws an
   * `ETL_*` error, before returning anything, if the file cannot be used.
   *
   * Allocations are returned in batches. The thread is occupied until the caller has read all batches or closed the
   * iteration.
   *
   * Each thread returns an identity (names, labels and other texts of an allocation) only once, even if several files
   * contain it. With `allIdentities`, it returns all identities of this file, even those that it has returned before.
   */
  read(
    ref: WindowRef,
    bytes: Uint8Array,
    signal: AbortSignal,
    allIdentities?: boolean,
  ): Promise<AssetColumns | AllocationBatches>;
  close(): Promise<void>;
}

/**
 * Flags that make V8 collect garbage earlier. By default, V8 lets 130 MB of short-lived objects accumulate in each
 * thread. Reading a file creates many such objects, and is just as fast with a lower limit. The first flag affects
 * threads that are started from now on. The second flag affects the current thread.
 */
const smallHeaps = ['--max-semi-space-size=16', '--semi-space-growth-factor=1'];

/** Maximum number of batches in flight: while one is consumed, the thread can make the next one. */
const mostBatches = 2;

export interface ReadThreadsOptions extends ThreadsOptions {
  /** Maximum unpacked size of a gzipped file, in bytes. It should suit the memory of the process. */
  readonly mostUnpacked: number;
}

/** Creates a pool of reading threads. Threads are started only when there is work. */
export function startReadThreads({ mostUnpacked, ...options }: ReadThreadsOptions): ReadThreads {
  for (const flag of smallHeaps) setFlagsFromString(flag);
  const threads = startThreads('read-thread', 'read', options);
  const reader = randomUUID();
  return {
    read: async ({ pipeline, resolution, window }, bytes, signal, allIdentities = false) => {
      const { port1: port, port2: theirs } = new MessageChannel();
      const shared = makeShared(mostBatches);
      const side = new MainSide<WindowColumns>(port, shared);
      const judged = Promise.withResolvers<ReadVerdict>();
      const end = (error: unknown) => {
        side.fail(error);
        judged.reject(error);
        port.close();
      };
      const close = () => end(new Error('The rest of the file is not wanted.'));
      port.on('message', (message: ReadVerdict | object) => {
        if (!side.receive(message)) judged.resolve(message as ReadVerdict);
      });
      const own = ownBytes(bytes);
      const task: ReadTask = { pipeline, window, bytes: own, mostUnpacked, reader, allIdentities };
      threads.run('read', { ...task, port: theirs, shared }, [own, theirs], signal).catch(end);
      const verdict = await judged.promise;
      if (verdict.kind === 'refused') {
        close();
        throw new FederationError(verdict.code, {
          subject: { pipeline, resolution, window: windowName(window) },
          detail: verdict.detail,
        });
      }
      switch (pipeline) {
        case 'allocations':
          return { pipeline, batches: batchesOf(side, close), close };
        case 'assets':
          for await (const columns of side.chunks()) {
            close();
            return columns as AssetColumns;
          }
          throw new Error('The thread sent no columns.');
      }
    },
    close: () => threads.close(),
  };
}

/**
 * Iterates over the batches of a file. The memory of a batch is released when the next batch is requested, so the
 * consumer must not keep it.
 */
async function* batchesOf(
  side: MainSide<WindowColumns>,
  close: () => void,
): AsyncGenerator<AllocationColumns> {
  try {
    for await (const columns of side.chunks() as AsyncGenerator<AllocationColumns>) {
      yield columns;
      for (const array of columnArrays(columns)) releaseBuffer(array);
    }
  } finally {
    close();
  }
}
