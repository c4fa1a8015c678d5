import { rowsOf } from './database';
import type { IngestConnection } from './ingest-connection';
import { pipelineTables } from './pipeline-tables';

/** Unused identities are deleted once they are more than a quarter of all identities. */
const mostUnused = 4;

/** Tables with rows from files of all pipelines. */
const commonTables = ['contribution', 'not_finite'];

/** Deletes files that are no longer served. Queries that began before the deletion still see them. */
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
 * Deletes unused identities, but only once there are many: when a file is replaced, most of its identities are in the
 * new file, too.
 */
async function sweepIdentities(into: IngestConnection): Promise<void> {
  const { connection } = into;
  // Only served files are left, so identities that are in no served file are unused.
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
