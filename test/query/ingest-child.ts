import { isFederationError } from '../../errors/federation-error';
import { QueryEngine } from '../../query/engine';
import { wantedFrom } from './engine-over';

/**
 * Runs in a child process. Opens the database and sends `begins` to the parent. Then ingests the folder `etl` if one is
 * given. If any of this fails, sends the error code. The parent may kill the process at any time.
 */
async function main([folder = '', etl]: string[]): Promise<void> {
  try {
    const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
    process.send?.('begins');
    if (etl !== undefined) await engine.serve(await wantedFrom(etl), { generation: 2, ingestedAt: 'a' });
    // Delay the exit, so that the parent receives `begins` first.
    setTimeout(() => process.exit(0), 5_000);
  } catch (error) {
    process.send?.(isFederationError(error) ? error.code : String(error), () => process.exit(0));
  }
}

void main(process.argv.slice(2));
