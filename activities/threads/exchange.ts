import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/*
 * Lets a worker thread ask questions and send results while it runs one long, synchronous task. The thread never
 * returns to its event loop: it blocks until it is answered. Messages travel through a port; a counter in shared
 * memory wakes the waiting thread.
 */

/** Positions of the values in the shared memory. */
const place = { changes: 0, turns: 1, round: 2, state: 3 } as const;

/** Values of `state`. */
const states = { wanted: 0, done: 1, unwanted: 2 } as const;

export type Shared = Int32Array<SharedArrayBuffer>;

/**
 * Creates the shared memory of one exchange.
 *
 * @param mostTurns number of turns: a chunk takes one when it is sent, and returns it when it has been consumed
 */
export function makeShared(mostTurns: number): Shared {
  const shared = new Int32Array(
    new SharedArrayBuffer(Object.keys(place).length * Int32Array.BYTES_PER_ELEMENT),
  );
  shared[place.turns] = mostTurns;
  return shared;
}

/** Thrown in the thread when nobody is waiting for its result any more. */
export class Unwanted extends Error {}

/** A chunk, and the buffers in it that are transferred. The thread can no longer use these buffers afterwards. */
export interface Sent<Chunk> {
  readonly chunk: Chunk;
  readonly transfer: readonly ArrayBufferLike[];
}

/**
 * A message with a chunk of a round, which is one pass over all chunks. Without a chunk, it marks the end of the round.
 */
interface Given {
  readonly round: number;
  readonly chunk?: unknown;
}

/**
 * The worker thread's side of the exchange. Its methods block while they wait, and throw `Unwanted` once nobody is
 * waiting for the result any more.
 */
export class ThreadSide {
  constructor(
    private readonly port: MessagePort,
    private readonly shared: Shared,
  ) {}

  /** Sends a question and waits for the answer. */
  ask<Answer>(question: object): Answer {
    this.port.postMessage(question);
    const received = this.await<{ message: Answer }>(() => receiveMessageOnPort(this.port));
    return received.message;
  }

  /** Sends a message that needs no answer. */
  tell(message: object): void {
    this.port.postMessage(message);
  }

  /**
   * Sends the chunks that `produce` makes, each as soon as a turn is free. Returns when all have been sent, even if
   * some have not been consumed yet.
   */
  give<Chunk>(produce: (send: (chunk: Sent<Chunk>) => void) => void): void {
    const { round } = this;
    produce((chunk) => this.send(round, chunk));
    this.port.postMessage({ round });
  }

  /**
   * Sends chunks that the other side may request more than once. Starts over whenever the other side begins the next
   * round, and returns when the other side has reported that it needs no more chunks.
   *
   * @param make makes the chunks; called once per round
   */
  giveAgain<Chunk>(make: () => Iterable<Sent<Chunk>>): void {
    for (;;) {
      const { round } = this;
      if (!this.sendChunks(round, make())) continue;
      this.port.postMessage({ round });
      const next = this.await(() => {
        if (this.round !== round) return 'again';
        return Atomics.load(this.shared, place.state) === states.done ? 'done' : undefined;
      });
      if (next === 'done') return;
    }
  }

  /** Sends the chunks of a round. Returns whether all of them were sent before the next round was requested. */
  private sendChunks<Chunk>(round: number, chunks: Iterable<Sent<Chunk>>): boolean {
    for (const chunk of chunks) if (!this.send(round, chunk)) return false;
    return this.round === round;
  }

  /** Sends a chunk when a turn is free. If the next round was requested meanwhile, sends nothing and returns false. */
  private send<Chunk>(round: number, { chunk, transfer }: Sent<Chunk>): boolean {
    this.await(() => this.takeTurn() || undefined);
    if (this.round !== round) {
      Atomics.add(this.shared, place.turns, 1);
      return false;
    }
    this.port.postMessage({ round, chunk }, transfer as ArrayBuffer[]);
    return true;
  }

  private takeTurn(): boolean {
    if (Atomics.load(this.shared, place.turns) <= 0) return false;
    Atomics.sub(this.shared, place.turns, 1);
    return true;
  }

  private get round(): number {
    return Atomics.load(this.shared, place.round);
  }

  private await<T>(look: () => T | undefined): T {
    for (;;) {
      const seen = Atomics.load(this.shared, place.changes);
      if (Atomics.load(this.shared, place.state) === states.unwanted) throw new Unwanted();
      const found = look();
      if (found !== undefined) return found;
      Atomics.wait(this.shared, place.changes, seen);
    }
  }
}

/** The other side of the exchange, in the thread that started the task. It never blocks. */
export class MainSide<Chunk> {
  /** Chunks that have been received, but not yet consumed. */
  private arrived: Chunk[] = [];
  private ended = false;
  /** Number of chunks of this round whose turns have not been returned yet. */
  private held = 0;
  private wake: () => void = () => undefined;
  private failure: { readonly error: unknown } | undefined;
  /** Number of the round that is being consumed; -1 before the first round. */
  private begun = -1;

  constructor(
    private readonly port: MessagePort,
    private readonly shared: Shared,
  ) {}

  /** Answers a question of the thread. The buffers of `transferred` are transferred to the thread. */
  answer(answer: object, transferred: readonly Uint8Array[] = []): void {
    this.port.postMessage(
      answer,
      transferred.map(({ buffer }) => buffer as ArrayBuffer),
    );
    this.changed();
  }

  /** Handles a message if it is a chunk or the end of a round; returns false for any other message. */
  receive(message: object): boolean {
    if (!('round' in message)) return false;
    const { round, chunk } = message as Given;
    if (round !== Atomics.load(this.shared, place.round)) {
      if (chunk !== undefined) this.returnTurns(1);
      return true;
    }
    if (chunk === undefined) {
      this.ended = true;
    } else {
      this.arrived.push(chunk as Chunk);
      this.held += 1;
    }
    this.wake();
    return true;
  }

  /**
   * Iterates over the chunks that the thread sends. A chunk's turn is returned when the next chunk is requested. If the
   * thread uses `giveAgain`, a second call starts over and ends the iteration of the first call.
   */
  async *chunks(): AsyncGenerator<Chunk> {
    const round = this.begin();
    while (round === this.begun) {
      if (this.failure !== undefined) throw this.failure.error;
      const chunk = this.arrived.shift();
      if (chunk !== undefined) {
        yield chunk;
        if (round === this.begun) this.releaseHeld(1);
      } else if (this.ended) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    }
  }

  /** Reports to a thread in `giveAgain` that all chunks have been consumed. */
  done(): void {
    Atomics.store(this.shared, place.state, states.done);
    this.changed();
  }

  /**
   * Reports to the thread that its result is no longer wanted. From then on, `chunks` throws the error of the first
   * call.
   */
  fail(error: unknown): void {
    this.failure ??= { error };
    Atomics.store(this.shared, place.state, states.unwanted);
    this.changed();
    this.wake();
  }

  /**
   * Begins the next round and returns its number. The thread starts the first round unasked, so chunks of that round
   * may have arrived already. Chunks of a later round cannot have arrived before it begins.
   */
  private begin(): number {
    if (this.begun >= 0) {
      Atomics.add(this.shared, place.round, 1);
      this.arrived = [];
      this.ended = false;
      this.releaseHeld(this.held);
    }
    return ++this.begun;
  }

  private releaseHeld(chunks: number): void {
    this.held -= chunks;
    this.returnTurns(chunks);
  }

  private returnTurns(turns: number): void {
    Atomics.add(this.shared, place.turns, turns);
    this.changed();
  }

  private changed(): void {
    Atomics.add(this.shared, place.changes, 1);
    Atomics.notify(this.shared, place.changes);
  }
}
