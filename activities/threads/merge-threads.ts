import type { ExtractAnswer, ExtractTask, MergeAnswer, MergeTask } from './merge-thread';
import { ownBytes, startThreads, type ThreadsOptions } from './pool';

/** Worker threads for the CPU work of merging. Whoever starts them closes them. */
export interface MergeThreads {
  /** Spends the bytes of the sources: they are handed over to the thread. Aborting ends the thread. */
  merge(task: MergeTask, signal: AbortSignal): Promise<MergeAnswer>;
  /** Spends the bytes of the object. */
  extract(task: ExtractTask, signal: AbortSignal): Promise<ExtractAnswer>;
  close(): Promise<void>;
}

/** Makes a pool; its threads start when there is work. */
export function startMergeThreads(options?: ThreadsOptions): MergeThreads {
  const threads = startThreads('merge-thread', 'merge', options);
  return {
    merge: (task, signal) => {
      const sources = task.sources.map((source) => ({ ...source, bytes: ownBytes(source.bytes) }));
      return threads.run(
        'merge',
        { ...task, sources },
        sources.map((source) => source.bytes),
        signal,
      );
    },
    extract: (task, signal) => {
      const bytes = ownBytes(task.bytes);
      return threads.run('extract', { ...task, bytes }, [bytes], signal);
    },
    close: () => threads.close(),
  };
}
