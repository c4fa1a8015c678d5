import { FederationError } from '../../errors/federation-error';
import { windowName, type WindowRef } from '../../etl/window';
import type { WindowColumns } from '../../query/columns';
import { ownBytes, startThreads, type ThreadsOptions } from './pool';
import type { ReadAnswer } from './read-thread';

/** Worker threads that read ETL files into columns. Whoever starts them closes them. */
export interface ReadThreads {
  /** Spends the bytes. Throws an `ETL_*` code for a file that cannot be taken. */
  read(ref: WindowRef, bytes: Uint8Array, signal: AbortSignal): Promise<WindowColumns>;
  close(): Promise<void>;
}

/** Makes a pool; its threads start when there is work. */
export function startReadThreads(options?: ThreadsOptions): ReadThreads {
  const threads = startThreads('read-thread', 'read', options);
  return {
    read: async ({ pipeline, resolution, window }, bytes, signal) => {
      const own = ownBytes(bytes);
      const answer = await threads.run<ReadAnswer>('read', { pipeline, window, bytes: own }, [own], signal);
      if (answer.columns !== undefined) return answer.columns;
      throw new FederationError(answer.code, {
        subject: { pipeline, resolution, window: windowName(window) },
        detail: answer.detail,
      });
    },
    close: () => threads.close(),
  };
}
