import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError, isFederationError } from '../errors/federation-error';
import { answerAllocations } from './allocations';
import type { AllocationAnswer, AssetAnswer, DataState } from './answer';
import type { Answers, Asker, Turn } from './answers';
import { answerAssets } from './assets';
import { answerAutocomplete } from './autocomplete';
import { type Catalog, coverageOf, readCatalog } from './catalog';
import { Connections } from './connections';
import type { Database, DatabaseOptions } from './database';
import { Ingest, type IngestOptions, type IngestSummary, type WantedFile } from './ingest';
import type { Serving } from './publish';
import type { AllocationRequest, AssetRequest, AutocompleteRequest } from './request';
import { QueryStatements, type Statements } from './statements';
import { type TurnLimits, Turns } from './turns';

export interface QueryLimits extends TurnLimits {
  /** Time limit of a query in seconds, including the time that it waits for other queries. */
  readonly seconds: number;
  /** Maximum number of rows in a query result. */
  readonly rows: number;
  /** Maximum size of an encoded answer, and of the rows that are read for it, in megabytes. */
  readonly megabytes: number;
}

export const defaultLimits: QueryLimits = {
  seconds: 30,
  rows: 200_000,
  megabytes: 128,
  concurrent: 2,
  waiting: 64,
};

export interface QueryEngineOptions extends DatabaseOptions {
  readonly limits?: QueryLimits;
}

/**
 * The query engine of a primary (a server that answers queries). It fills a database from ETL files and answers queries
 * from it. A query reads the same version of the data from start to end, even if newer data is ingested in the
 * meantime.
 */
export class QueryEngine implements Answers {
  /** Description of the data in `database`. Undefined until the description has been read. */
  private catalog: Catalog | undefined;
  private ingest: Ingest | undefined;
  private database: Database | undefined;
  private ingesting: DataState['ingesting'];
  private refused: DataState['refused'];
  private notes: readonly string[] = [];
  private readonly turns: Turns;
  /** The turns that have begun. */
  private readonly begun = new WeakSet<Asker>();

  private constructor(
    private readonly connections: Connections,
    private readonly limits: QueryLimits,
  ) {
    this.turns = new Turns(limits);
  }

  /** Opens the database in a folder, or creates it. Queries can immediately read data that is already in it. */
  static async open({ limits = defaultLimits, ...options }: QueryEngineOptions): Promise<QueryEngine> {
    const engine = new QueryEngine(await Connections.open(options), limits);
    try {
      await engine.inTransaction(async () => undefined);
      return engine;
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  /**
   * Ingests the given files. Queries then read these files instead of the current ones. If a file cannot be ingested,
   * or memory or disk space runs out, throws an error, and queries continue to read the current files.
   */
  async serve(
    wanted: readonly WantedFile[],
    serving: Serving,
    options: IngestOptions = {},
  ): Promise<IngestSummary> {
    const { generation } = serving;
    const report: IngestOptions['progress'] = (done, of, added) => {
      this.ingesting = { done, of, ...(generation !== undefined && { generation }) };
      options.progress?.(done, of, added);
    };
    try {
      report(0, wanted.length, { ingested: 0, rows: 0 });
      await this.connections.requireWritable();
      await this.inTransaction(async () => undefined);
      const summary = await this.connections.withDatabase((database) =>
        this.ingestInto(database, (ingest) =>
          ingest.serve(wanted, serving, { ...options, progress: report }),
        ),
      );
      this.refused = undefined;
      this.notes = serving.notes ?? [];
      await this.inTransaction(async () => undefined);
      return summary;
    } catch (error) {
      if (isFederationError(error)) {
        this.refused = this.refusedBy(error, generation);
      }
      throw error;
    } finally {
      this.ingesting = undefined;
    }
  }

  async allocations(request: AllocationRequest, asker?: Asker): Promise<AllocationAnswer> {
    return this.ask(asker, async (statements, catalog) => {
      const answer = await answerAllocations(statements, catalog, request, this.limits.rows);
      return { ...answer, warnings: [...this.ownWarnings(catalog), ...answer.warnings] };
    });
  }

  async assets(request: AssetRequest, asker?: Asker): Promise<AssetAnswer> {
    return this.ask(asker, async (statements, catalog) => {
      const answer = await answerAssets(statements, catalog, request, this.limits.rows);
      return { ...answer, warnings: [...this.ownWarnings(catalog), ...answer.warnings] };
    });
  }

  async autocomplete(request: AutocompleteRequest, asker?: Asker): Promise<readonly string[]> {
    return this.ask(asker, (statements, catalog) => answerAutocomplete(statements, catalog, request));
  }

  state(): DataState {
    const { refused = this.refusedBy(this.connections.closed) } = this;
    const catalog = this.connections.closed === undefined ? this.catalog : undefined;
    return {
      ...(catalog?.generation !== undefined && { generation: catalog.generation }),
      ...(catalog?.committedAt !== undefined && { committedAt: catalog.committedAt }),
      ...(catalog !== undefined && { ingestedAt: catalog.ingestedAt }),
      empty: catalog === undefined,
      ...(this.ingesting !== undefined && { ingesting: this.ingesting }),
      ...(refused !== undefined && { refused }),
      clusters: catalog === undefined ? [] : coverageOf(catalog),
    };
  }

  /** Calls `work` with a connection that can read the current data. Used for exports. */
  async withConnection<T>(work: (connection: DuckDBConnection, catalog: Catalog) => Promise<T>): Promise<T> {
    return this.inTransaction(async (connection, catalog) => work(connection, catalog ?? noData()));
  }

  /** True if the data can be read but not replaced, because the database's volume is read-only. */
  get isReadOnly(): boolean {
    return this.connections.isReadOnly;
  }

  close(): void {
    this.connections.close();
  }

  private refusedBy(error: FederationError | undefined, generation?: number): DataState['refused'] {
    if (error === undefined) return undefined;
    const { code, message } = error;
    return { ...(generation !== undefined && { generation }), code, message };
  }

  /**
   * Runs an ingest. If the ingest fails, the data cached in the `Ingest` object (such as the ids of texts) may no
   * longer match the database. The object is therefore discarded, and the next ingest reads this data from the database
   * again.
   */
  private async ingestInto<T>(database: Database, work: (ingest: Ingest) => Promise<T>): Promise<T> {
    this.turnTo(database);
    const ingest = (this.ingest ??= await Ingest.open(database));
    try {
      return await work(ingest);
    } catch (error) {
      ingest.close();
      this.ingest = undefined;
      throw error;
    }
  }

  /**
   * Switches to the new `Database` object if the database has been reopened. Discards the data that was cached from the
   * old object.
   */
  private turnTo(database: Database): void {
    if (database === this.database) return;
    this.database = database;
    this.catalog = undefined;
    this.ingest = undefined;
  }

  private ownWarnings({ generation }: Catalog): string[] {
    if (this.refused === undefined) return [...this.notes];
    const { generation: newer, code, message } = this.refused;
    const [what, which] = [
      newer === undefined ? 'What is there now' : `Generation ${newer}`,
      generation ?? 'what was there before',
    ];
    return [
      `${what} could not be ingested (${code}: ${message}); this is ${typeof which === 'number' ? `generation ${which}` : which}.`,
    ];
  }

  /** Returns how many queries are running, and how many are waiting. */
  load(): { readonly running: number; readonly waiting: number } {
    return this.turns.load();
  }

  get megabytes(): number {
    return this.limits.megabytes;
  }

  async inTurn<T>({ client = '', signal }: Asker, work: (turn: Turn) => Promise<T>): Promise<T> {
    const { seconds, megabytes } = this.limits;
    const deadline = AbortSignal.timeout(seconds * 1_000);
    const end = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const turn: Turn = { client, signal: end, megabytes };
    this.begun.add(turn);
    try {
      return await this.turns.take(client, end, () => work(turn));
    } catch (error) {
      if (!deadline.aborted || isFederationError(error)) throw error;
      throw new FederationError('QUERY_TIMEOUT', {
        detail: `The query took longer than ${seconds} s.`,
        cause: error,
      });
    }
  }

  private async ask<T>(
    asker: Asker = {},
    work: (statements: Statements, catalog: Catalog) => Promise<T>,
  ): Promise<T> {
    if (!this.begun.has(asker)) return this.inTurn(asker, (turn) => this.ask(turn, work));
    const { signal } = asker;
    return this.inTransaction(
      (connection, catalog) =>
        work(new QueryStatements(connection, signal, this.limits.megabytes), catalog ?? noData()),
      signal,
    );
  }

  private inTransaction<T>(
    work: (connection: DuckDBConnection, catalog: Catalog | undefined) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.connections.inTransaction(async (connection, database) => {
      this.turnTo(database);
      return work(connection, await this.catalogOf(connection));
    }, signal);
  }

  /**
   * Returns the catalog of the data that the connection's transaction sees. Reads it from the database only if the data
   * has changed since the last call.
   */
  private async catalogOf(connection: DuckDBConnection): Promise<Catalog | undefined> {
    const reader = await connection.runAndReadAll('select ingested_at from generation');
    const [[ingestedAt] = []] = reader.getRowsJS();
    if (ingestedAt === undefined) return undefined;
    if (this.catalog?.ingestedAt !== ingestedAt) this.catalog = await readCatalog(connection);
    return this.catalog;
  }
}

function noData(): never {
  throw new FederationError('QUERY_NO_DATA', {
    detail: 'No federation has been committed and pulled yet.',
    retryAfterMs: 30_000,
  });
}
