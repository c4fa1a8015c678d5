import { rowsOf } from './database';
import type { IngestConnection } from './ingest-connection';
import { pipelineTables } from './pipeline-tables';

/** Unused identities are kept while they are fewer than one in this many. */
const mostUnused = 4;

/** The tables with rows of one file each, whatever its pipeline, besides those of the pipelines. */
const commonTables = ['contribution', 'not_finite'];

/** Deletes files that are no longer served. Queries that began before still see them. */
export async function sweep(into: IngestConnection): Promise<void> {
  const { connection } = into;
  const [stale] = await rowsOf(
    connection,
    `select count(*)::integer as files from file where id not in (select file from served)`,
  );
  if (stale?.['files'] === 0) return;
  const tables = Object.values(pipelineTables).flatMap(({ records, others }) => [records, ...others]);
  await into.transaction(async () => {
    for (const table of [...tables, ...commonTables])
      await connection.run(`delete from ${table} where file not in (select file from served)`);
    await connection.run('delete from file where id not in (select file from served)');
  });
  await sweepIdentities(into);
}

/** A new file has most identities of the one that it replaces, so they are only deleted once many are unused. */
async function sweepIdentities(into: IngestConnection): Promise<void> {
  const { connection } = into;
  // All files that are left are served.
  const unused = 'id not in (select id from served_identity)';
  const [row] = await rowsOf(
    connection,
    `select count(*)::integer as identities, count(*) filter (${unused})::integer as unused from identity`,
  );
  if (Number(row?.['unused']) <= Number(row?.['identities']) / mostUnused) return;
  await into.transaction(async () => {
    await connection.run(`delete from identity where ${unused}`);
  });
  await into.readNumbersAgain();
}
