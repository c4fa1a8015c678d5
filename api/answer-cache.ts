import { LRUCache } from 'lru-cache';

/** An answer as it is sent. */
export interface Rendered {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** What it took, in milliseconds. */
  readonly queryMs: number;
  readonly renderMs: number;
}

/** Where an answer came from: it was kept, somebody else had asked already, or it was worked out. */
export type Origin = 'cache' | 'shared' | 'query';

/** A page of a dashboard is some thousand bytes. */
const mostBytes = 64 * 2 ** 20;

interface UnderWay {
  readonly answer: Promise<Rendered>;
  readonly abort: AbortController;
  askers: number;
}

/**
 * Keeps answers, by a key that names the data and the question; who asks what is being worked on already waits for that
 * answer. Work that nobody waits for any more is aborted.
 */
export class AnswerCache {
  private readonly kept = new LRUCache<string, Rendered>({
    maxSize: mostBytes,
    maxEntrySize: mostBytes / 4,
    sizeCalculation: ({ body }, key) => body.length + key.length,
  });
  private readonly underWay = new Map<string, UnderWay>();

  /** Rejects with the signal's reason once that is aborted, with what `make` threw otherwise. */
  async get(
    key: string,
    make: (signal: AbortSignal) => Promise<Rendered>,
    signal: AbortSignal,
  ): Promise<{ rendered: Rendered; origin: Origin }> {
    signal.throwIfAborted();
    const kept = this.kept.get(key);
    if (kept !== undefined) return { rendered: kept, origin: 'cache' };
    const joined = this.underWay.get(key);
    const work = joined ?? this.start(key, make);
    work.askers++;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        reject(signal.reason as Error);
        if (--work.askers > 0) return;
        // Whoever asks from now on starts anew: this one ends in nothing.
        this.forget(key, work);
        work.abort.abort(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return {
        rendered: await Promise.race([work.answer, left]),
        origin: joined === undefined ? 'query' : 'shared',
      };
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private start(key: string, make: (signal: AbortSignal) => Promise<Rendered>): UnderWay {
    const abort = new AbortController();
    const answer = make(abort.signal).then((rendered) => {
      this.kept.set(key, rendered);
      return rendered;
    });
    const work: UnderWay = { answer, abort, askers: 0 };
    this.underWay.set(key, work);
    const done = () => this.forget(key, work);
    answer.then(done, done);
    return work;
  }

  private forget(key: string, work: UnderWay): void {
    if (this.underWay.get(key) === work) this.underWay.delete(key);
  }
}
