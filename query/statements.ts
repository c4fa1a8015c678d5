import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { Pace } from '../concurrency/pace';
import { FederationError } from '../errors/federation-error';

/** What runs statements: a connection of the database, or a query with its time limit. */
export interface Statements {
  run(sql: string, values?: DuckDBValue[]): Promise<DuckDBResult>;
  /** Paces the computations between statements. */
  readonly pace?: Pace;
  /** Counts bytes of memory that are used for rows. Throws QUERY_TOO_LARGE if there are too many. */
  use?(bytes: number): void;
}

/** Returns the pace of the computations between statements. */
export function paceOf({ pace = new Pace() }: Statements): Pace {
  return pace;
}

/** The statements of one query. Once its signal is aborted, no further statement starts. */
export class QueryStatements implements Statements {
  readonly pace: Pace;

  private used = 0;

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly signal: AbortSignal | undefined,
    private readonly megabytes: number,
  ) {
    this.pace = new Pace(signal);
  }

  use(bytes: number): void {
    this.used += bytes;
    if (this.used > this.megabytes * bytesPerMegabyte)
      throw tooLarge('What is read for the answer', this.megabytes);
  }

  async run(sql: string, values?: DuckDBValue[]): Promise<DuckDBResult> {
    this.signal?.throwIfAborted();
    return this.connection.run(sql, values);
  }
}

export const bytesPerMegabyte = 1_000_000;

/** Returns the error for something that is larger than `api.limits.megabytes`. */
export function tooLarge(what: string, megabytes: number): FederationError {
  return new FederationError('QUERY_TOO_LARGE', {
    detail: `${what} is larger than api.limits.megabytes allows, ${megabytes} MB.`,
  });
}

/** Time between two interruptions, in milliseconds. */
const againMs = 50;

/**
 * Interrupts the statements of a connection from the moment when the signal is aborted until the returned function is
 * called. An interruption only reaches the statement that is running. It is repeated, because the next statement may
 * start right after it.
 */
export function interruptOn(connection: DuckDBConnection, signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer ??= setInterval(() => connection.interrupt(), againMs);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  if (signal?.aborted === true) interrupt();
  return () => {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(timer);
  };
}
