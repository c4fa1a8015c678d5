import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { BroadcastChannel } from 'node:worker_threads';
import { FederationError } from '../../errors/federation-error';
import { windowName, type WindowRef } from '../../etl/window';
import type { AllocationBatches, AllocationColumns, AssetColumns } from '../../query/columns';
import { ownBytes, startThreads, type ThreadsOptions } from './pool';
import type { ReadAnswer, ReadTask } from './read-thread';
import { endTurns, freeColumns, giveTurn, makeTurns } from './hand-over';

/** Worker threads that read ETL files into columns. Whoever starts them closes them. */
export interface ReadThreads {
  /**
   * Spends the bytes. What identifies an allocation is told once by each thread, and again when asked to be told anew.
   * Allocations come in batches; until these are read or closed, they keep a thread, which waits.
   *
   * Throws an `ETL_*` code for a file that cannot be taken; by then nothing of it was given.
   */
  read(
    ref: WindowRef,
    bytes: Uint8Array,
    signal: AbortSignal,
    anew?: boolean,
  ): Promise<AssetColumns | AllocationBatches>;
  close(): Promise<void>;
}

/**
 * Short-lived objects may lie in 130 MB of each thread before V8 looks which of them are garbage; reading makes many, and
 * is no slower with less. The first holds for threads that start from now on, the second for this one.
 */
const smallHeaps = ['--max-semi-space-size=16', '--semi-space-growth-factor=1'];

/** Batches on their way at once: one is taken while the next one is made. */
const mostBatches = 2;

/** Makes a pool; its threads start when there is work. */
export function startReadThreads(options?: ThreadsOptions): ReadThreads {
  for (const flag of smallHeaps) setFlagsFromString(flag);
  const threads = startThreads('read-thread', 'read', options);
  const reader = randomUUID();
  return {
    read: async ({ pipeline, resolution, window }, bytes, signal, anew = false) => {
      const own = ownBytes(bytes);
      const turns = makeTurns(mostBatches);
      const answers = listen(turns);
      const task: ReadTask = {
        ...{ pipeline, window, bytes: own, reader, anew },
        ...{ channel: answers.channel, turns },
      };
      threads.run('read', task, [own], signal).catch(answers.fail);
      const first = await answers.next();
      if (first.kind === 'good')
        return { pipeline: 'allocations', batches: batchesOf(answers), close: answers.close };
      answers.close();
      if (first.kind === 'assets') return first.columns;
      if (first.kind !== 'refused') throw new Error(`A thread began by ${first.kind}.`);
      throw new FederationError(first.code, {
        subject: { pipeline, resolution, window: windowName(window) },
        detail: first.detail,
      });
    },
    close: () => threads.close(),
  };
}

/** What a thread sends, one after the other. */
interface Answers {
  readonly channel: string;
  next(): Promise<ReadAnswer>;
  /** Says that the one before was taken. */
  taken(): void;
  /** Whoever waits is told why nothing comes any more. */
  fail(this: void, error: unknown): void;
  close(this: void): void;
}

function listen(turns: Int32Array): Answers {
  const name = randomUUID();
  const channel = new BroadcastChannel(name);
  const arrived: ReadAnswer[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake: () => void = () => undefined;
  channel.onmessage = (message) => {
    arrived.push((message as { data: ReadAnswer }).data);
    wake();
  };
  const close = () => {
    endTurns(turns);
    channel.close();
  };
  return {
    channel: name,
    next: async () => {
      for (;;) {
        const answer = arrived.shift();
        if (answer !== undefined) return answer;
        if (failure !== undefined) throw failure.error;
        await new Promise<void>((done) => (wake = done));
      }
    },
    taken: () => giveTurn(turns),
    fail: (error) => {
      failure = { error };
      close();
      wake();
    },
    close,
  };
}

async function* batchesOf(answers: Answers): AsyncGenerator<AllocationColumns> {
  try {
    for (;;) {
      const answer = await answers.next();
      if (answer.kind !== 'batch') return;
      yield answer.columns;
      freeColumns(answer.columns);
      answers.taken();
    }
  } finally {
    answers.close();
  }
}
