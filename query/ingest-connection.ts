import type { DuckDBConnection } from '@duckdb/node-api';
import { Appender } from './append';
import type { Database } from './database';
import { type Numbers, readNumbers } from './numbers';

/** The database connection of an ingest, and the ids by which the tables refer to texts. */
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
   * Runs `work` in a transaction: if `work` fails, nothing that it wrote is stored. In this case, also reads `numbers`
   * from the tables again, because `work` may have added ids that were not stored.
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
      // Ignore errors, such as a lack of memory. The engine then opens a new ingest, which reads the ids again.
      await this.readNumbersAgain().catch(() => undefined);
      throw error;
    }
  }

  async readNumbersAgain(): Promise<void> {
    Object.assign(this.numbers, await readNumbers(this.connection));
  }

  /** Returns the id of a cluster in the database. If the cluster is new, assigns the next id to it and stores it. */
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
