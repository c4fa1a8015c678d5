import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError, isFederationError } from '../errors/federation-error';
import { type Database, type DatabaseOptions, openDatabase } from './database';
import { noRoomOf } from './no-room';

/**
 * Gives the engine access to its database. After a fatal error, DuckDB rejects every statement. New calls fail as long
 * as running ones still use the database. After that, the next call closes and reopens it.
 */
export class Connections {
  private readonly free: DuckDBConnection[] = [];
  private users = 0;
  private unusable = false;
  /** Whether the disk was full at some time. If so, its free space is measured before each use of the database. */
  private short = false;
  private opening: Promise<void> | undefined;
  private refusal: FederationError | undefined;

  private constructor(
    private database: Database,
    private readonly options: DatabaseOptions,
  ) {}

  /** Opens or creates the database of a folder. */
  static async open(options: DatabaseOptions): Promise<Connections> {
    return new Connections(await openDatabase(options), options);
  }

  /** Why the database is closed; undefined while it is open. */
  get closed(): FederationError | undefined {
    return this.refusal;
  }

  /**
   * Calls `work` with the database. Reopens the database first if a fatal error has made it unusable. Throws
   * QUERY_NO_ROOM and QUERY_DATABASE_UNUSABLE.
   */
  async withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    while (this.unusable) {
      if (this.users > 0) throw opensAgain();
      await (this.opening ??= this.reopen());
    }
    const { database } = this;
    this.users++;
    try {
      if (this.short) await database.measureDisk();
      return await work(database);
    } catch (error) {
      throw this.judge(error);
    } finally {
      this.users--;
    }
  }

  /**
   * Runs `work` in a transaction that is rolled back at its end, so that all of its reads see the same generation. An
   * abort interrupts the running statement.
   */
  async inTransaction<T>(
    work: (connection: DuckDBConnection, database: Database) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.withDatabase(async (database) => {
      const connection = this.free.pop() ?? (await database.connect());
      const interrupt = () => connection.interrupt();
      signal?.addEventListener('abort', interrupt, { once: true });
      try {
        signal?.throwIfAborted();
        await connection.run('begin transaction');
        try {
          return await work(connection, database);
        } finally {
          await connection.run('rollback').catch(() => undefined);
        }
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', interrupt);
        this.free.push(connection);
      }
    });
  }

  close(): void {
    this.database.close();
  }

  private async reopen(): Promise<void> {
    try {
      // The file must be closed first: opening it twice would corrupt it.
      this.database.close();
      this.free.length = 0;
      this.database = await openDatabase(this.options);
      this.unusable = false;
      this.refusal = undefined;
    } catch (error) {
      if (isFederationError(error)) this.refusal = error;
      throw error;
    } finally {
      this.opening = undefined;
    }
  }

  /** Notes whether an error makes the database unusable or means that the disk is full. Returns the error to throw. */
  private judge(error: unknown): unknown {
    if (isFederationError(error)) return error;
    const text = String(error);
    if (/\b(?:FATAL|INTERNAL) Error\b|has been invalidated/.test(text)) this.unusable = true;
    const noRoom = noRoomOf(error, this.options);
    if (noRoom !== undefined) {
      this.short ||= noRoom.subject.setting === 'query.path';
      return noRoom;
    }
    return text.includes('has been invalidated') ? opensAgain(error) : error;
  }
}

function opensAgain(cause?: unknown): FederationError {
  return new FederationError('QUERY_DATABASE_UNUSABLE', {
    detail: 'The database met an error that it cannot undo, and is opened again.',
    hint: 'Ask again in a moment.',
    retryAfterMs: 1_000,
    cause,
  });
}
