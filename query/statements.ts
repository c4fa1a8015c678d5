import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { Pace } from '../concurrency/pace';

/** What runs statements: a connection of the database, or a query with its time limit. */
export interface Statements {
  run(sql: string, values?: DuckDBValue[]): Promise<DuckDBResult>;
  /** Paces the computations between statements. */
  readonly pace?: Pace;
}

/** Returns the pace of the computations between statements. */
export function paceOf({ pace = new Pace() }: Statements): Pace {
  return pace;
}

/** The statements of one query. Once its signal is aborted, no further statement starts. */
export class QueryStatements implements Statements {
  readonly pace: Pace;

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly signal?: AbortSignal,
  ) {
    this.pace = new Pace(signal);
  }

  async run(sql: string, values?: DuckDBValue[]): Promise<DuckDBResult> {
    this.signal?.throwIfAborted();
    return this.connection.run(sql, values);
  }
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
