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

/** A request: the client that made it, and a signal that is aborted when the client is gone. */
export interface CachedFor {
  readonly client: string;
  readonly signal: AbortSignal;
}

interface UnderWay {
  readonly key: string;
  readonly answer: Promise<Rendered>;
  /** Settles `answer` with the answer of another computation of the same key. */
  readonly settle: (rendered: Rendered) => void;
  readonly abort: AbortController;
  askers: number;
  settledByOther: boolean;
}

/**
 * Caches answers. A key identifies both the query and the version of the data. Concurrent requests of one client with
 * the same key share one computation. It is aborted once all of these requests have been cancelled. Each client has a
 * computation of its own, because it would otherwise wait behind the other queries of another client. The first that
 * ends answers them all.
 */
export class AnswerCache {
  private readonly kept = new LRUCache<string, Rendered>({
    maxSize: mostBytes,
    maxEntrySize: mostBytes / 4,
    sizeCalculation: ({ body }, key) => body.length + key.length,
  });
  /** The computations that are running, by client and key. */
  private readonly underWay = new Map<string, UnderWay>();

  /**
   * Returns the answer from the cache or from a computation that is already running. If there is neither, computes the
   * answer with `make`. If the signal is aborted, rejects with the signal's reason. If `make` throws, rejects with the
   * same error.
   */
  async get(
    key: string,
    { client, signal }: CachedFor,
    make: (signal: AbortSignal) => Promise<Rendered>,
  ): Promise<{ rendered: Rendered; origin: Origin }> {
    signal.throwIfAborted();
    const kept = this.kept.get(key);
    if (kept !== undefined) return { rendered: kept, origin: 'cache' };
    const place = JSON.stringify([client, key]);
    const joined = this.underWay.get(place);
    const work = joined ?? this.start(key, place, make);
    work.askers++;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        reject(signal.reason as Error);
        if (--work.askers > 0) return;
        // Forget the computation before aborting it, so that later requests do not join it.
        this.forget(place, work);
        work.abort.abort(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      const rendered = await Promise.race([work.answer, left]);
      return { rendered, origin: joined === undefined && !work.settledByOther ? 'query' : 'shared' };
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private start(key: string, place: string, make: (signal: AbortSignal) => Promise<Rendered>): UnderWay {
    const abort = new AbortController();
    const { promise: answer, resolve: settle, reject } = Promise.withResolvers<Rendered>();
    const work: UnderWay = { key, answer, settle, abort, askers: 0, settledByOther: false };
    this.underWay.set(place, work);
    make(abort.signal).then(
      (rendered) => {
        this.forget(place, work);
        this.kept.set(key, rendered);
        settle(rendered);
        this.settleOthers(key, rendered);
      },
      (error: Error) => {
        this.forget(place, work);
        reject(error);
      },
    );
    return work;
  }

  /** Answers the requests that wait for other computations of the key, and aborts these computations. */
  private settleOthers(key: string, rendered: Rendered): void {
    for (const [place, other] of this.underWay) {
      if (other.key !== key) continue;
      this.underWay.delete(place);
      other.settledByOther = true;
      other.settle(rendered);
      other.abort.abort(new Error('Another computation has the answer.'));
    }
  }

  private forget(place: string, work: UnderWay): void {
    if (this.underWay.get(place) === work) this.underWay.delete(place);
  }
}
