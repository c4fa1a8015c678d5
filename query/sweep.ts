import { rowsOf } from './database';
import type { IngestConnection } from './ingest-connection';
import { pipelineTables } from './pipeline-tables';

/** Unused identities are deleted once they are more than a fourth of all. */
const mostUnused = 4;

/** Tables that all pipelines share. Each row belongs to one file. */
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

/** Deletes unused identities once there are many: most identities of a replaced file are in the new one, too. */
async function sweepIdentities(into: IngestConnection): Promise<void> {
  const { connection } = into;
  // Only served files are left, so identities that are not served are unused.
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
