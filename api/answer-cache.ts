import { LRUCache } from 'lru-cache';

/** An answer as it is sent. */
export interface Rendered {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What it took, in milliseconds. */
  readonly queryMs: number;
  readonly renderMs: number;
}

/** In characters; a page of a dashboard is some thousand. */
const mostCharacters = 64 * 2 ** 20;

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
    maxSize: mostCharacters,
    maxEntrySize: mostCharacters / 4,
    sizeCalculation: ({ body }) => Math.max(1, body.length),
  });
  private readonly underWay = new Map<string, UnderWay>();

  async get(
    key: string,
    make: (signal: AbortSignal) => Promise<Rendered>,
    signal: AbortSignal,
  ): Promise<{ rendered: Rendered; hit: boolean }> {
    const kept = this.kept.get(key);
    if (kept !== undefined) return { rendered: kept, hit: true };
    const joined = this.underWay.get(key);
    const work = joined ?? this.start(key, make);
    work.askers++;
    const leave = () => {
      if (--work.askers === 0) work.abort.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return { rendered: await work.answer, hit: joined !== undefined };
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private start(key: string, make: (signal: AbortSignal) => Promise<Rendered>): UnderWay {
    const abort = new AbortController();
    const answer = make(abort.signal)
      .then((rendered) => {
        this.kept.set(key, rendered);
        return rendered;
      })
      .finally(() => this.underWay.delete(key));
    const work = { answer, abort, askers: 0 };
    this.underWay.set(key, work);
    return work;
  }
}
