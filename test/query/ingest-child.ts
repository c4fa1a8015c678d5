import { isFederationError } from '../../errors/federation-error';
import { QueryEngine } from '../../query/engine';
import { wantedFrom } from './engine-over';

/** A process that ingests: reports its start, and is killed by its parent. */
async function main([folder = '', etl]: string[]): Promise<void> {
  try {
    const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
    process.send?.('begins');
    if (etl !== undefined) await engine.serve(await wantedFrom(etl), { generation: 2, ingestedAt: 'a' });
    // Long enough for the parent to receive the message.
    setTimeout(() => process.exit(0), 5_000);
  } catch (error) {
    process.send?.(isFederationError(error) ? error.code : String(error), () => process.exit(0));
  }
}

void main(process.argv.slice(2));
