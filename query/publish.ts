import type { IngestConnection } from './ingest-connection';
import { fillPlacements } from './placement';
import { fillWorkloads, findServedIdentities } from './rollup';
import { findTwins } from './twins';

/** Describes the data that queries read after an ingest. */
export interface Serving {
  readonly generation?: number;
  readonly committedAt?: string;
  /**
   * Time of the ingest in RFC 3339 format. It is different for every ingest, so it identifies the data that queries
   * read.
   */
  readonly ingestedAt: string;
  /** Sentences that are added to the warnings of every query result. */
  readonly notes?: readonly string[];
  /** Clusters that are excluded from the generation, and why. */
  readonly excluded?: readonly ExcludedCluster[];
}

/** A cluster that is excluded from the federation. */
export interface ExcludedCluster {
  readonly cluster: string;
  readonly reason?: string;
}

/**
 * Lets queries read the given files instead of the current ones. This happens in a single transaction, so a query sees
 * either the old files or the new ones, never a mixture.
 *
 * @param files ids of files that are already stored
 */
export async function publish(
  into: IngestConnection,
  files: readonly number[],
  { generation, committedAt, ingestedAt, excluded = [] }: Serving,
): Promise<void> {
  const { connection, tables } = into;
  await into.transaction(async () => {
    for (const table of ['served', 'generation', 'excluded', 'twin', 'workload', 'placement'])
      await connection.run(`delete from ${table}`);
    await tables.append('served', files.length, { file: (row) => files[row] ?? 0 });
    await connection.run('insert into generation values ($1, $2, $3)', [
      generation ?? null,
      committedAt ?? null,
      ingestedAt,
    ]);
    for (const { cluster, reason = '' } of excluded)
      await connection.run('insert into excluded values ($1, $2)', [cluster, reason]);
    tables.finish();
    await connection.run(findServedIdentities);
    await connection.run(findTwins);
    await connection.run(fillWorkloads);
    await connection.run(fillPlacements);
  });
}
