import type { IngestConnection } from './ingest-connection';
import { fillPlacements } from './placement';
import { fillWorkloads, findServedIdentities } from './rollup';
import { findTwins } from './twins';

/** Describes what is served from now on. */
export interface Serving {
  readonly generation?: number;
  readonly committedAt?: string;
  /** Time in RFC 3339. Each ingest has a different one, so it identifies the served data. */
  readonly ingestedAt: string;
  /** Sentences that are part of every answer. */
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
 * Serves the given files instead of the current ones. This happens in one transaction, so each query sees either the
 * old files or the new ones.
 *
 * @param files ids of stored files
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
