import type { DuckDBConnection } from '@duckdb/node-api';
import { Appender } from './append';
import type { Database } from './database';
import { type Numbers, readNumbers } from './numbers';

/** The connection through which an ingest writes, with the numbers that stand for texts in the tables. */
export class IngestConnection {
  private constructor(
    readonly connection: DuckDBConnection,
    readonly tables: Appender,
    readonly numbers: Numbers,
  ) {}

  static async open(database: Database): Promise<IngestConnection> {
    const connection = await database.connect();
    return new IngestConnection(connection, await Appender.open(connection), await readNumbers(connection));
  }

  close(): void {
    this.connection.closeSync();
  }

  /**
   * Commits everything that `work` writes, or nothing if it fails. After an error, reads `numbers` from the tables
   * again, because `work` may have added some that are not stored.
   */
  async transaction(work: () => Promise<void>): Promise<void> {
    await this.connection.run('begin transaction');
    try {
      await work();
      this.tables.finish();
      await this.connection.run('commit');
    } catch (error) {
      this.tables.forget();
      await this.connection.run('rollback').catch(() => undefined);
      // Ignore errors: reading the numbers fails if memory has run out, but after any error the engine opens a new
      // ingest, which reads them again.
      await this.readNumbersAgain().catch(() => undefined);
      throw error;
    }
  }

  async readNumbersAgain(): Promise<void> {
    Object.assign(this.numbers, await readNumbers(this.connection));
  }

  /** Returns the number of a cluster. If the cluster is new, gives it the next number and stores it. */
  async clusterNumber(name: string): Promise<number> {
    const { clusters } = this.numbers;
    const known = clusters.get(name);
    if (known !== undefined) return known;
    const number = clusters.size + 1;
    await this.connection.run('insert into cluster values ($1, $2)', [number, name]);
    clusters.set(name, number);
    return number;
  }
}
