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

/** Callbacks through which a running merge gets its input and stores its output. */
export interface MergeTraffic {
  /**
   * Answers one request of the thread. The buffers of the reply are transferred to the thread. If this throws, the
   * merge ends and throws the same error.
   */
  read(question: MergeQuestion): Promise<MergeReply>;
  /**
   * Stores the merged file. Called once, after all sources have been checked.
   *
   * @param chunks returns an iterator over the bytes of the file; every call starts at the beginning
   */
  write(begun: MergeBegun, chunks: () => AsyncIterable<Uint8Array>): Promise<void>;
}

/** Worker threads for the CPU work of merging. The caller that starts them must close them. */
export interface MergeThreads {
  /** Merges a window in bounded memory. Aborting ends the thread. */
  merge(task: MergeTask, traffic: MergeTraffic, signal: AbortSignal): Promise<MergeAnswer>;
  /** Extracts contributions from a merged object. The bytes of the object must not be used afterwards. */
  extract(task: ExtractTask, signal: AbortSignal): Promise<ExtractAnswer>;
  close(): Promise<void>;
}

/** Maximum number of chunks of a merged file that have been sent but not consumed yet. Each has 2 MiB. */
const mostChunks = 3;

/** Creates a pool of threads, which start when there is work. */
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
      // Store calls are counted for the activity in whose async context they are made. The port's events do not run in
      // that context, so it is restored here.
      const inContext = AsyncLocalStorage.snapshot();
      port.on('message', (message: MergeQuestion | MergeBegun) => {
        if (side.receive(message)) return;
        void inContext(() => ('ask' in message ? answer(message) : write(message)).catch(fail));
      });
      try {
        return await threads.run<MergeAnswer>('merge', { ...task, port: theirs, shared }, [theirs], signal);
      } catch (error) {
        // Let `write` fail, too: it may be waiting for chunks that will never come.
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
