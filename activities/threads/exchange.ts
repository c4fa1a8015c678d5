import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/*
 * Lets a worker thread ask questions and send results while it runs one long, synchronous task. The thread never
 * returns to its event loop: it blocks until it is answered. Messages travel through a port; a counter in shared
 * memory wakes the waiting thread.
 */

/** Indexes into the shared memory. */
const place = { changes: 0, turns: 1, round: 2, state: 3 } as const;

/** Values of `state`. */
const states = { wanted: 0, done: 1, unwanted: 2 } as const;

export type Shared = Int32Array<SharedArrayBuffer>;

/**
 * Makes the shared memory of one exchange.
 *
 * @param mostTurns how many chunks may be in flight: sent, but not yet consumed
 */
export function makeShared(mostTurns: number): Shared {
  const shared = new Int32Array(
    new SharedArrayBuffer(Object.keys(place).length * Int32Array.BYTES_PER_ELEMENT),
  );
  shared[place.turns] = mostTurns;
  return shared;
}

/** Thrown in the thread when nobody waits for its result any more. */
export class Unwanted extends Error {}

/** A chunk and the buffers in it that are transferred; they are empty in the thread afterwards. */
export interface Sent<Chunk> {
  readonly chunk: Chunk;
  readonly transfer: readonly ArrayBufferLike[];
}

/** A chunk of a round; without a chunk, the end of the round. */
interface Given {
  readonly round: number;
  readonly chunk?: unknown;
}

/** The thread's side. Its methods block, and throw `Unwanted` once nobody waits for the result any more. */
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

  /** Sends the chunks that `produce` makes, each as soon as a turn is free. Returns when all are sent, consumed or not. */
  give<Chunk>(produce: (send: (chunk: Sent<Chunk>) => void) => void): void {
    const { round } = this;
    produce((chunk) => this.send(round, chunk));
    this.port.postMessage({ round });
  }

  /**
   * Sends chunks that may be requested more than once: starts over whenever the other side does, and returns when it
   * has reported that it needs no more.
   *
   * @param make called once per round
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

  /** Returns whether all chunks were sent before the next round was requested. */
  private sendChunks<Chunk>(round: number, chunks: Iterable<Sent<Chunk>>): boolean {
    for (const chunk of chunks) if (!this.send(round, chunk)) return false;
    return this.round === round;
  }

  /** Waits for a turn; returns false, and sends nothing, if the next round was requested. */
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

/** The side of the thread that started the task. It never blocks. */
export class MainSide<Chunk> {
  /** Received, not yet consumed. */
  private arrived: Chunk[] = [];
  private ended = false;
  /** Chunks of this round whose turns were not returned yet. */
  private held = 0;
  private wake: () => void = () => undefined;
  private failure: { readonly error: unknown } | undefined;
  /** The round being consumed; -1 before the first. */
  private begun = -1;

  constructor(
    private readonly port: MessagePort,
    private readonly shared: Shared,
  ) {}

  /** Answers a question; with the buffers of `transferred`. */
  answer(answer: object, transferred: readonly Uint8Array[] = []): void {
    this.port.postMessage(
      answer,
      transferred.map(({ buffer }) => buffer as ArrayBuffer),
    );
    this.changed();
  }

  /** Takes in a chunk or the end of a round; returns false for any other message. */
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
   * The chunks of the thread. A chunk's turn is returned when the next one is requested. If the thread uses
   * `giveAgain`, a second call starts over, and ends the iteration of the first.
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

  /** Reports to a thread in `giveAgain` that all chunks were consumed. */
  done(): void {
    Atomics.store(this.shared, place.state, states.done);
    this.changed();
  }

  /** Reports to the thread that its result is no longer wanted; `chunks` throws the error. The first error counts. */
  fail(error: unknown): void {
    this.failure ??= { error };
    Atomics.store(this.shared, place.state, states.unwanted);
    this.changed();
    this.wake();
  }

  /** The thread starts the first round unasked, so its chunks may have arrived already. Those of later rounds cannot have. */
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
