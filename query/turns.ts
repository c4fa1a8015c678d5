import { FederationError } from '../errors/federation-error';

export interface TurnLimits {
  /** Maximum number of queries that run at the same time. Further queries wait. */
  readonly concurrent: number;
  /** Maximum number of queries that wait. */
  readonly waiting: number;
}

interface Waiting {
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Decides which query runs next, so that no client can keep others from being answered:
 *
 * - Clients take turns. Each turn starts the oldest waiting query of one client.
 * - One query more than `concurrent` may run, if it is the only one of its client. So a client whose queries take long
 *   cannot occupy every place.
 * - If too many queries wait, the newest query of the client with the most waiting queries is refused. So a client can
 *   use all places while nobody else needs them.
 */
export class Turns {
  /** The waiting queries of each client that has any. The client whose turn it is comes first. */
  private readonly queues = new Map<string, Waiting[]>();
  /** How many queries of each client run. */
  private readonly runs = new Map<string, number>();
  private running = 0;
  private waiting = 0;

  constructor(private readonly limits: TurnLimits) {}

  /** Returns how many queries are running, and how many are waiting. */
  load(): { readonly running: number; readonly waiting: number } {
    return { running: this.running, waiting: this.waiting };
  }

  /**
   * Waits for the client's turn, then runs `work`. Throws QUERY_BUSY if too many queries wait. If the signal is aborted
   * while the query waits, throws the signal's reason. Once `work` has begun, it has to observe the signal itself.
   */
  async take<T>(client: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    await this.turn(client, signal);
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.count(client, -1);
      this.startNext();
    }
  }

  private async turn(client: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: Waiting = { start: resolve, refuse: reject };
    const leave = () => {
      this.remove(client, entry);
      reject(signal.reason as Error);
    };
    this.queues.set(client, [...(this.queues.get(client) ?? []), entry]);
    this.waiting += 1;
    this.startNext();
    if (this.waiting > this.limits.waiting) this.refuseOne(client);
    signal.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Starts waiting queries while there are free places. */
  private startNext(): void {
    for (let client = this.next(); client !== undefined; client = this.next()) {
      const [entry, ...rest] = this.queues.get(client) ?? [];
      // The client goes to the end of the map, so that it is the others' turn.
      this.queues.delete(client);
      if (rest.length > 0) this.queues.set(client, rest);
      this.waiting -= 1;
      this.running += 1;
      this.count(client, 1);
      entry?.start();
    }
  }

  /** Returns the client whose turn it is, or undefined if no query may start now. */
  private next(): string | undefined {
    const free = this.limits.concurrent - this.running;
    if (free < 0) return undefined;
    for (const client of this.queues.keys()) if (free > 0 || !this.runs.has(client)) return client;
    return undefined;
  }

  /** Refuses the newest query of the client with the most waiting queries: of `newcomer`, if others have no more. */
  private refuseOne(newcomer: string): void {
    let most = newcomer;
    const length = (client: string) => this.queues.get(client)?.length ?? 0;
    for (const client of this.queues.keys()) if (length(client) > length(most)) most = client;
    const entry = this.queues.get(most)?.at(-1);
    if (entry === undefined) return;
    this.remove(most, entry);
    entry.refuse(
      new FederationError('QUERY_BUSY', {
        detail: `${this.limits.waiting} queries wait already, and no client has more of them than this one.`,
        retryAfterMs: 1_000,
      }),
    );
  }

  private remove(client: string, entry: Waiting): void {
    const queue = this.queues.get(client) ?? [];
    const rest = queue.filter((one) => one !== entry);
    if (rest.length === queue.length) return;
    this.waiting -= 1;
    if (rest.length > 0) this.queues.set(client, rest);
    else this.queues.delete(client);
  }

  private count(client: string, change: number): void {
    const now = (this.runs.get(client) ?? 0) + change;
    if (now > 0) this.runs.set(client, now);
    else this.runs.delete(client);
  }
}
