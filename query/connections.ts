import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError, isFederationError } from '../errors/federation-error';
import { type Database, type DatabaseOptions, openDatabase } from './database';
import { noRoomOf } from './no-room';
import { interruptOn } from './statements';

/**
 * Gives the engine access to its database. After a fatal error, DuckDB rejects every statement until the database is
 * closed and reopened. Once all running calls have ended, the next call reopens it. Until then, new calls fail.
 */
export class Connections {
  private readonly free: DuckDBConnection[] = [];
  private users = 0;
  private unusable = false;
  /** Whether the disk has ever been full. If so, the free disk space is measured before each use of the database. */
  private short = false;
  private opening: Promise<void> | undefined;
  private refusal: FederationError | undefined;

  private constructor(
    private database: Database,
    private readonly options: DatabaseOptions,
  ) {}

  /** Opens the database in a folder, or creates it. */
  static async open(options: DatabaseOptions): Promise<Connections> {
    return new Connections(await openDatabase(options), options);
  }

  /** The error that prevented the database from being reopened. Undefined if there is no such error. */
  get closed(): FederationError | undefined {
    return this.refusal;
  }

  /** Whether the database was opened for reading only. */
  get isReadOnly(): boolean {
    return this.database.isReadOnly;
  }

  /**
   * Calls `work` with the database. If a fatal error has made the database unusable, reopens it first. May throw
   * QUERY_NO_ROOM or QUERY_DATABASE_UNUSABLE.
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
   * If the database was opened for reading only, opens it again once its volume can be written. Throws
   * QUERY_DATABASE_UNUSABLE if it still cannot be written. Queries continue meanwhile.
   */
  async requireWritable(): Promise<void> {
    if (!this.isReadOnly) return;
    const { folder } = this.options;
    if (await isWritable(folder)) {
      this.unusable = true;
      if (await this.withDatabase(async ({ isReadOnly }) => !isReadOnly)) return;
    }
    throw new FederationError('QUERY_DATABASE_UNUSABLE', {
      subject: { key: folder },
      detail: 'It can be read but not written: its volume is read-only, or belongs to another user.',
      hint: 'Mount the volume of query.path writable, and let this process’s user write to it. Until then, queries are answered from what was ingested before. No restart is needed.',
      retryable: true,
    });
  }

  /**
   * Runs `work` in a transaction, so that all of its reads see the same data. The transaction is always rolled back at
   * the end. If `signal` is aborted, the running statement and all later ones are interrupted.
   */
  async inTransaction<T>(
    work: (connection: DuckDBConnection, database: Database) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.withDatabase(async (database) => {
      const connection = this.free.pop() ?? (await database.connect());
      let isFree = false;
      try {
        await connection.run('begin transaction');
        const leave = interruptOn(connection, signal);
        try {
          return await work(connection, database);
        } finally {
          leave();
          isFree = await connection.run('rollback').then(
            () => true,
            () => false,
          );
        }
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        if (isFree) this.free.push(connection);
        // A connection whose transaction did not end could begin no other.
        else database.disconnect(connection);
      }
    });
  }

  close(): void {
    this.database.close();
  }

  private async reopen(): Promise<void> {
    try {
      // Close the database before it is reopened: if the file were open twice, it would be corrupted.
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

  /**
   * Records whether an error makes the database unusable, or means that the disk is full. Returns the error to throw.
   */
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

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function opensAgain(cause?: unknown): FederationError {
  return new FederationError('QUERY_DATABASE_UNUSABLE', {
    detail: 'The database met an error that it cannot undo, and is opened again.',
    hint: 'Ask again in a moment.',
    retryAfterMs: 1_000,
    cause,
  });
}
