import { isFederationError } from '../../errors/federation-error';
import { QueryEngine } from '../../query/engine';
import { wantedFrom } from './engine-over';

/**
 * Opens the database in a separate process, reports success or an error code to the parent, then ingests `etl` if
 * given. The parent may kill the process at any time.
 */
async function main([folder = '', etl]: string[]): Promise<void> {
  try {
    const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
    process.send?.('begins');
    if (etl !== undefined) await engine.serve(await wantedFrom(etl), { generation: 2, ingestedAt: 'a' });
    // Exits late enough for the parent to have received the message.
    setTimeout(() => process.exit(0), 5_000);
  } catch (error) {
    process.send?.(isFederationError(error) ? error.code : String(error), () => process.exit(0));
  }
}

void main(process.argv.slice(2));
