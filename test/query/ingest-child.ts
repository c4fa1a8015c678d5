import { isFederationError } from '../../errors/federation-error';
import { QueryEngine } from '../../query/engine';
import { wantedFrom } from './engine-over';

/**
 * Runs in a separate process: opens the database, sends `begins` to the parent, and then ingests the folder `etl`, if
 * given. If this fails, sends the error code. The parent may kill the process at any time.
 */
async function main([folder = '', etl]: string[]): Promise<void> {
  try {
    const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
    process.send?.('begins');
    if (etl !== undefined) await engine.serve(await wantedFrom(etl), { generation: 2, ingestedAt: 'a' });
    // Exit with a delay, so that the parent receives the message first.
    setTimeout(() => process.exit(0), 5_000);
  } catch (error) {
    process.send?.(isFederationError(error) ? error.code : String(error), () => process.exit(0));
  }
}

void main(process.argv.slice(2));
