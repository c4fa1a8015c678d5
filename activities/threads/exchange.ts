import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/*
 * How a thread that does one long piece of work asks for things and gives things away on the way, without turns of its
 * event loop: it blocks until what it waits for is there. Whoever gave it the work answers as it can. Messages go through a
 * port; who waits is woken by a number in shared memory.
 */

/** Where in the shared memory what stands. */
const place = { changes: 0, turns: 1, round: 2, state: 3 } as const;

/** Of the last of them. */
const states = { wanted: 0, done: 1, unwanted: 2 } as const;

/** What a thread sends may be on its way so many times at once. */
const mostTurns = 3;

export type Shared = Int32Array<SharedArrayBuffer>;

/** Makes the shared memory of one exchange. */
export function makeShared(): Shared {
  const shared = new Int32Array(
    new SharedArrayBuffer(Object.keys(place).length * Int32Array.BYTES_PER_ELEMENT),
  );
  shared[place.turns] = mostTurns;
  return shared;
}

/** Nobody waits for what a thread makes any more. */
export class Unwanted extends Error {}

/** What a thread gives in a round; without a chunk it has given all. */
interface Given {
  readonly round: number;
  readonly chunk?: Uint8Array;
}

/** The thread's side. Everything in it blocks, and throws `Unwanted` once nobody waits for the work any more. */
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

  /** Sends something that needs no answer. */
  tell(message: object): void {
    this.port.postMessage(message);
  }

  /**
   * Sends what `make` gives, one after the other, each when the one before the last few was taken; from the start again when
   * it is asked for again. Ends when all of it was taken.
   *
   * @param make what it gives is handed over
   */
  giveAll(make: () => Iterable<Uint8Array>): void {
    for (;;) {
      const { round } = this;
      if (!this.giveOnce(round, make())) continue;
      this.port.postMessage({ round });
      const next = this.await(() => {
        if (this.round !== round) return 'again';
        return Atomics.load(this.shared, place.state) === states.done ? 'done' : undefined;
      });
      if (next === 'done') return;
    }
  }

  /** Whether all of it was sent before it was asked for again. */
  private giveOnce(round: number, chunks: Iterable<Uint8Array>): boolean {
    for (const chunk of chunks) {
      this.await(() => this.takeTurn() || undefined);
      if (this.round !== round) {
        Atomics.add(this.shared, place.turns, 1);
        return false;
      }
      this.port.postMessage({ round, chunk }, [chunk.buffer as ArrayBuffer]);
    }
    return this.round === round;
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

/** The side of whoever gave the thread its work. */
export class MainSide {
  /** What has arrived and was not taken. */
  private arrived: Uint8Array[] = [];
  private ended = false;
  /** Chunks of this round whose turns were not given back. */
  private held = 0;
  private wake: () => void = () => undefined;
  private failure: { readonly error: unknown } | undefined;
  /** The round that is being taken. */
  private begun = -1;

  constructor(
    private readonly port: MessagePort,
    private readonly shared: Shared,
  ) {}

  /** Answers a question. */
  answer(answer: object, handedOver: readonly Uint8Array[] = []): void {
    this.port.postMessage(
      answer,
      handedOver.map(({ buffer }) => buffer as ArrayBuffer),
    );
    this.changed();
  }

  /** Takes in what the thread has given, the end of it included; false for any other message. */
  receive(message: object): boolean {
    if (!('round' in message)) return false;
    const { round, chunk } = message as Given;
    if (round !== Atomics.load(this.shared, place.round)) {
      if (chunk !== undefined) this.giveTurns(1);
      return true;
    }
    if (chunk === undefined) {
      this.ended = true;
    } else {
      this.arrived.push(chunk);
      this.held += 1;
    }
    this.wake();
    return true;
  }

  /** All that the thread gives; gone through a second time, it is given again. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const round = this.begin();
    while (round === this.begun) {
      if (this.failure !== undefined) throw this.failure.error;
      const chunk = this.arrived.shift();
      if (chunk !== undefined) {
        yield chunk;
        if (round === this.begun) this.giveBack(1);
      } else if (this.ended) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    }
  }

  /** Says that everything was taken. */
  done(): void {
    Atomics.store(this.shared, place.state, states.done);
    this.changed();
  }

  /** Says that nobody waits for anything any more; who takes chunks is told why. */
  fail(error: unknown): void {
    this.failure ??= { error };
    Atomics.store(this.shared, place.state, states.unwanted);
    this.changed();
    this.wake();
  }

  /** The thread begins with the first round by itself, whose chunks may have arrived; of later ones none has. */
  private begin(): number {
    if (this.begun >= 0) {
      Atomics.add(this.shared, place.round, 1);
      this.arrived = [];
      this.ended = false;
      this.giveBack(this.held);
    }
    return ++this.begun;
  }

  private giveBack(chunks: number): void {
    this.held -= chunks;
    this.giveTurns(chunks);
  }

  private giveTurns(turns: number): void {
    Atomics.add(this.shared, place.turns, turns);
    this.changed();
  }

  private changed(): void {
    Atomics.add(this.shared, place.changes, 1);
    Atomics.notify(this.shared, place.changes);
  }
}
