import { AsyncLocalStorage } from 'node:async_hooks';
import { MessageChannel } from 'node:worker_threads';
import { MainSide, makeShared } from './exchange';
import type {
  ExtractAnswer,
  ExtractTask,
  MergeAnswer,
  MergeBegun,
  MergeQuestion,
  MergeReply,
  MergeTask,
} from './merge-thread';
import { ownBytes, startThreads, type ThreadsOptions } from './pool';

/** Callbacks through which a merge gets its input and delivers its output. */
export interface MergeTraffic {
  /**
   * Answers one request from the merge thread. The buffers of the reply are transferred to the thread and can no longer
   * be used here. If this throws, the merge fails with the same error.
   */
  read(question: MergeQuestion): Promise<MergeReply>;
  /**
   * Stores the merged file. Called at most once, after all sources have been checked.
   *
   * @param chunks returns an iterator over the bytes of the file; every call starts at the beginning
   */
  write(begun: MergeBegun, chunks: () => AsyncIterable<Uint8Array>): Promise<void>;
}

/** Worker threads for the CPU work of merging. The code that creates them must call `close`. */
export interface MergeThreads {
  /** Merges a window in bounded memory. Aborting the signal terminates the thread. */
  merge(task: MergeTask, traffic: MergeTraffic, signal: AbortSignal): Promise<MergeAnswer>;
  /**
   * Extracts contributions from a merged object. Transfers the object's bytes to the thread, so the caller can no
   * longer use them.
   */
  extract(task: ExtractTask, signal: AbortSignal): Promise<ExtractAnswer>;
  close(): Promise<void>;
}

/** Maximum number of chunks (2 MiB each) that have been sent to the main thread but not consumed there yet. */
const mostChunks = 3;

/** Creates a pool of merge threads. Threads are started only when there is work. */
export function startMergeThreads(options?: ThreadsOptions): MergeThreads {
  const threads = startThreads('merge-thread', 'merge', options);
  return {
    merge: async (task, traffic, signal) => {
      const { port1: port, port2: theirs } = new MessageChannel();
      const shared = makeShared(mostChunks);
      const side = new MainSide<Uint8Array>(port, shared);
      let failure: { readonly error: unknown } | undefined;
      const fail = (error: unknown) => {
        failure ??= { error };
        side.fail(error);
      };
      const answer = async (question: MergeQuestion) => {
        const { bytes, skipped, refused } = await traffic.read(question);
        const own = bytes && ownBytes(bytes);
        const ownSkipped = skipped && ownBytes(skipped);
        side.answer(
          { bytes: own, skipped: ownSkipped, refused },
          [own, ownSkipped].filter((one) => one !== undefined),
        );
      };
      const write = async (begun: MergeBegun) => {
        await traffic.write(begun, () => side.chunks());
        side.done();
      };
      // Port events lose the activity's async context. Restore it, because store calls are counted in that context.
      const inContext = AsyncLocalStorage.snapshot();
      port.on('message', (message: MergeQuestion | MergeBegun) => {
        if (side.receive(message)) return;
        void inContext(() => ('ask' in message ? answer(message) : write(message)).catch(fail));
      });
      try {
        return await threads.run<MergeAnswer>('merge', { ...task, port: theirs, shared }, [theirs], signal);
      } catch (error) {
        // Make `write` fail as well: it may be waiting for chunks that will never arrive.
        fail(error);
        throw failure?.error ?? error;
      } finally {
        port.close();
      }
    },
    extract: (task, signal) => {
      const bytes = ownBytes(task.bytes);
      return threads.run('extract', { ...task, bytes }, [bytes], signal);
    },
    close: () => threads.close(),
  };
}
