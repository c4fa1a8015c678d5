import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/*
 * Lets a worker thread ask questions and send results in the middle of one long, synchronous task. The thread never
 * returns to its event loop: when it needs an answer, it blocks. Messages are sent through a port, and a counter in
 * shared memory wakes the blocked thread.
 *
 * The thread sends its result in chunks. To limit memory, only a fixed number of chunks can be in flight: the thread
 * needs a permit (a "turn") to send a chunk, and the permit is returned when the chunk has been consumed.
 */

/** Indexes of the values in the shared memory. */
const place = { changes: 0, turns: 1, round: 2, state: 3 } as const;

/**
 * Values of `state`. `wanted`: the main thread still needs the result. `done`: the result has been consumed completely.
 * `unwanted`: the main thread no longer needs the result.
 */
const states = { wanted: 0, done: 1, unwanted: 2 } as const;

export type Shared = Int32Array<SharedArrayBuffer>;

/**
 * Creates the shared memory of one exchange.
 *
 * @param mostTurns maximum number of chunks in flight (sent, but not yet consumed)
 */
export function makeShared(mostTurns: number): Shared {
  const shared = new Int32Array(
    new SharedArrayBuffer(Object.keys(place).length * Int32Array.BYTES_PER_ELEMENT),
  );
  shared[place.turns] = mostTurns;
  return shared;
}

/** Thrown in the worker thread when its result is no longer wanted. */
export class Unwanted extends Error {}

/** A chunk, and the buffers in it that are transferred to the receiver. The sending thread can no longer use them. */
export interface Sent<Chunk> {
  readonly chunk: Chunk;
  readonly transfer: readonly ArrayBufferLike[];
}

/**
 * A message from the worker thread: a chunk, or the end of a round if `chunk` is missing. In each round, the thread
 * sends all chunks once, from the beginning.
 */
interface Given {
  readonly round: number;
  readonly chunk?: unknown;
}

/**
 * The worker thread's side of the exchange. Its methods block until the main thread has answered. They throw `Unwanted`
 * when the result is no longer wanted.
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
   * Sends the chunks that `produce` makes. While the maximum number of chunks is in flight, waits before sending more.
   * Returns when all chunks have been sent; some may not have been consumed yet.
   */
  give<Chunk>(produce: (send: (chunk: Sent<Chunk>) => void) => void): void {
    const { round } = this;
    produce((chunk) => this.send(round, chunk));
    this.port.postMessage({ round });
  }

  /**
   * Sends all chunks, and sends them again from the beginning whenever the main thread asks for that. Returns when the
   * main thread reports that it needs no more chunks.
   *
   * @param make returns the chunks; called each time that sending starts from the beginning
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

  /** Sends all chunks once. If the main thread asks to start over in the meantime, stops and returns false. */
  private sendChunks<Chunk>(round: number, chunks: Iterable<Sent<Chunk>>): boolean {
    for (const chunk of chunks) if (!this.send(round, chunk)) return false;
    return this.round === round;
  }

  /**
   * Waits while the maximum number of chunks is in flight, then sends a chunk. If the main thread has asked to start
   * over, sends nothing and returns false.
   */
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

/** The main side of the exchange, in the thread that started the worker thread's task. It never blocks. */
export class MainSide<Chunk> {
  /** Chunks that have been received, but not yet yielded by `chunks`. */
  private arrived: Chunk[] = [];
  private ended = false;
  /** Number of received chunks that still count as in flight, because they have not been consumed yet. */
  private held = 0;
  private wake: () => void = () => undefined;
  private failure: { readonly error: unknown } | undefined;
  /** How many times `chunks` has started over from the first chunk; -1 if it has not been called yet. */
  private begun = -1;

  constructor(
    private readonly port: MessagePort,
    private readonly shared: Shared,
  ) {}

  /** Answers a question from the worker thread. The buffers of `transferred` can no longer be used in this thread. */
  answer(answer: object, transferred: readonly Uint8Array[] = []): void {
    this.port.postMessage(
      answer,
      transferred.map(({ buffer }) => buffer as ArrayBuffer),
    );
    this.changed();
  }

  /** Handles a message that contains a chunk or marks the end of the chunks. Returns false for any other message. */
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
   * Iterates over the chunks that the worker thread sends. A chunk counts as consumed when the next chunk is requested.
   * If the thread uses `giveAgain`, this method can be called several times: each call starts from the first chunk, and
   * ends the previous iteration.
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

  /** Tells a thread that is blocked in `giveAgain` that all chunks have been consumed. */
  done(): void {
    Atomics.store(this.shared, place.state, states.done);
    this.changed();
  }

  /**
   * Tells the worker thread that its result is no longer wanted. From now on, `chunks` throws `error`. If `fail` is
   * called several times, `chunks` throws the first error.
   */
  fail(error: unknown): void {
    this.failure ??= { error };
    Atomics.store(this.shared, place.state, states.unwanted);
    this.changed();
    this.wake();
  }

  /**
   * Begins the next round, in which the thread sends all chunks from the beginning. Returns the number of the round.
   * Chunks of the first round may have arrived before this call, because the thread sends them without being asked. The
   * thread sends chunks of a later round only after this call.
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
