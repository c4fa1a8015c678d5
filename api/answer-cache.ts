import { LRUCache } from 'lru-cache';

/** An encoded answer, ready to be sent. */
export interface Rendered {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Duration of the query, in milliseconds. `renderMs` is the duration of the encoding, in milliseconds. */
  readonly queryMs: number;
  readonly renderMs: number;
}

/** Where an answer comes from: the `cache`, a query that was already running (`shared`), or a new `query`. */
export type Origin = 'cache' | 'shared' | 'query';

/** Maximum size of the cache, in bytes. This is enough for thousands of dashboard answers of a few kilobytes each. */
const mostBytes = 64 * 2 ** 20;

interface UnderWay {
  readonly answer: Promise<Rendered>;
  readonly abort: AbortController;
  askers: number;
}

/**
 * Caches answers. A key identifies both the query and the version of the data. Concurrent requests with the same key
 * share one computation. It is aborted once all of these requests have been cancelled.
 */
export class AnswerCache {
  private readonly kept = new LRUCache<string, Rendered>({
    maxSize: mostBytes,
    maxEntrySize: mostBytes / 4,
    sizeCalculation: ({ body }, key) => body.length + key.length,
  });
  private readonly underWay = new Map<string, UnderWay>();

  /**
   * Returns the answer from the cache or from a computation that is already running. If there is neither, computes the
   * answer with `make`. If the signal is aborted, rejects with the signal's reason. If `make` throws, rejects with the
   * same error.
   */
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
        // Forget the computation before aborting it, so that later requests do not join it.
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
