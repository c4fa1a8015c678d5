import { join } from 'node:path';
import type { Releasers } from '../../workers/releasers';
import { findTemporal } from '../set-up/temporal-cli';
import { startTemporalServer } from '../set-up/temporal-server';

/** The Temporal server that the example uses. */
export interface DemoTemporal {
  readonly address: string;
  /**
   * URL of the server's web UI. Undefined if the server has no UI, or if it was already running at TEMPORAL_ADDRESS.
   */
  readonly uiUrl?: string;
  /** File with the server's state. Undefined if the server was already running at TEMPORAL_ADDRESS. */
  readonly dbFile?: string;
}

/**
 * Returns a Temporal server for the example. Uses the running server at TEMPORAL_ADDRESS if that variable is set.
 * Otherwise starts a server whose state is under `dir`; `releasers` stops it at the end.
 */
export async function demoTemporal(
  dir: string,
  namespace: string,
  { releasers, say }: { releasers: Releasers; say: (line: string) => void },
): Promise<DemoTemporal> {
  const found = await findTemporal({ say });
  if (found.kind === 'address') return { address: found.address };
  const dbFile = join(dir, 'temporal.db');
  const server = await startTemporalServer({
    binary: found.path,
    dbFile,
    namespace,
    logFile: join(dir, 'logs', 'temporal.log'),
  });
  releasers.defer(() => server.stop());
  return { address: server.address, ...(server.uiUrl !== '' && { uiUrl: server.uiUrl }), dbFile };
}
