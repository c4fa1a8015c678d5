import type { DuckDBConnection } from '@duckdb/node-api';
import { Appender } from './append';
import type { Database } from './database';
import { type Numbers, readNumbers } from './numbers';

/** The connection that an ingest writes through, with the numbers that stand for texts in its tables. */
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

  /** Commits everything that `work` writes, or nothing. After an error `numbers` are reset to what is in the tables. */
  async transaction(work: () => Promise<void>): Promise<void> {
    await this.connection.run('begin transaction');
    try {
      await work();
      this.tables.finish();
      await this.connection.run('commit');
    } catch (error) {
      this.tables.forget();
      await this.connection.run('rollback').catch(() => undefined);
      // Reading the numbers fails if memory has run out. Ignore it: the engine opens a new ingest after an error
      // anyway.
      await this.readNumbersAgain().catch(() => undefined);
      throw error;
    }
  }

  async readNumbersAgain(): Promise<void> {
    Object.assign(this.numbers, await readNumbers(this.connection));
  }

  /** Returns the number of a cluster. A new cluster is stored and gets the next number. */
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
