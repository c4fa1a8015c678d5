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

/** What a merge reads and writes while it goes on. */
export interface MergeTraffic {
  /** Answers one question; what it gives is handed over. An error ends the merge, which throws it. */
  read(question: MergeQuestion): Promise<MergeReply>;
  /**
   * Takes the merged file, once, when every source has proved good.
   *
   * @param chunks gives the file; again from its start when it is gone through again
   */
  write(begun: MergeBegun, chunks: () => AsyncIterable<Uint8Array>): Promise<void>;
}

/** Worker threads for the CPU work of merging. Whoever starts them closes them. */
export interface MergeThreads {
  /** Merges a window, of which little is in memory at any time. Aborting ends the thread. */
  merge(task: MergeTask, traffic: MergeTraffic, signal: AbortSignal): Promise<MergeAnswer>;
  /** Spends the bytes of the object. */
  extract(task: ExtractTask, signal: AbortSignal): Promise<ExtractAnswer>;
  close(): Promise<void>;
}

/** Chunks of a merged file in flight, 2 MiB each. */
const mostChunks = 3;

/** Makes a pool; its threads start when there is work. */
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
        const { bytes, skipped } = await traffic.read(question);
        const own = bytes && ownBytes(bytes);
        const ownSkipped = skipped && ownBytes(skipped);
        side.answer(
          { bytes: own, skipped: ownSkipped },
          [own, ownSkipped].filter((one) => one !== undefined),
        );
      };
      const write = async (begun: MergeBegun) => {
        await traffic.write(begun, () => side.chunks());
        side.done();
      };
      // Whoever counts what the work asks of the store knows it by its context.
      const inContext = AsyncLocalStorage.snapshot();
      port.on('message', (message: MergeQuestion | MergeBegun) => {
        if (side.receive(message)) return;
        void inContext(() => ('ask' in message ? answer(message) : write(message)).catch(fail));
      });
      try {
        return await threads.run<MergeAnswer>('merge', { ...task, port: theirs, shared }, [theirs], signal);
      } catch (error) {
        // Whoever writes waits for what does not come any more.
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
