import { randomUUID } from 'node:crypto';
import { FederationError } from '../../errors/federation-error';
import { windowName, type WindowRef } from '../../etl/window';
import type { WindowColumns } from '../../query/columns';
import { ownBytes, startThreads, type ThreadsOptions } from './pool';
import type { ReadAnswer } from './read-thread';

/** Worker threads that read ETL files into columns. Whoever starts them closes them. */
export interface ReadThreads {
  /**
   * Spends the bytes. What identifies an allocation is told once by each thread, and again when asked to be told anew.
   *
   * Throws an `ETL_*` code for a file that cannot be taken.
   */
  read(ref: WindowRef, bytes: Uint8Array, signal: AbortSignal, anew?: boolean): Promise<WindowColumns>;
  close(): Promise<void>;
}

/** Makes a pool; its threads start when there is work. */
export function startReadThreads(options?: ThreadsOptions): ReadThreads {
  const threads = startThreads('read-thread', 'read', options);
  const reader = randomUUID();
  return {
    read: async ({ pipeline, resolution, window }, bytes, signal, anew = false) => {
      const own = ownBytes(bytes);
      const answer = await threads.run<ReadAnswer>(
        'read',
        { pipeline, window, bytes: own, reader, anew },
        [own],
        signal,
      );
      if (answer.columns !== undefined) return answer.columns;
      throw new FederationError(answer.code, {
        subject: { pipeline, resolution, window: windowName(window) },
        detail: answer.detail,
      });
    },
    close: () => threads.close(),
  };
}
