import { isFederationError } from '../../errors/federation-error';
import { QueryEngine } from '../../query/engine';
import { wantedFrom } from './engine-over';

/** A process that ingests: says that it starts, and is killed by its parent. */
async function main([folder = '', etl]: string[]): Promise<void> {
  try {
    const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
    process.send?.('begins');
    if (etl !== undefined) await engine.serve(await wantedFrom(etl), { generation: 2, ingestedAt: 'a' });
    // The parent has seen everything by then.
    setTimeout(() => process.exit(0), 5_000);
  } catch (error) {
    process.send?.(isFederationError(error) ? error.code : String(error), () => process.exit(0));
  }
}

void main(process.argv.slice(2));
