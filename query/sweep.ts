import { rowsOf } from './database';
import type { IngestConnection } from './ingest-connection';
import { pipelineTables } from './pipeline-tables';

/** Rows of the table `identity` that no file uses are deleted once they are more than one in four of all rows. */
const mostUnused = 4;

/** Tables that contain data from the window files of all pipelines. */
const commonTables = ['contribution', 'not_finite'];

/** Deletes window files that queries no longer read. Queries that began before the deletion still see them. */
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

/**
 * Deletes rows of the table `identity` that no file uses, but only once many have accumulated. Replacing a file leaves
 * only a few rows unused, because the new file uses mostly the same rows.
 */
async function sweepIdentities(into: IngestConnection): Promise<void> {
  const { connection } = into;
  // All files that are not in `served` have been deleted. So identities that are in no served file are unused.
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
