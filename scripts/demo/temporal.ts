import { join } from 'node:path';
import type { Releasers } from '../../workers/releasers';
import { findTemporal } from '../set-up/temporal-cli';
import { startTemporalServer } from '../set-up/temporal-server';

/** The Temporal server of the example. */
export interface DemoTemporal {
  readonly address: string;
  /** URL of the server's UI; undefined if the server is headless or was already running. */
  readonly uiUrl?: string;
  /** State file of the server; undefined if it was already running. */
  readonly dbFile?: string;
}

/**
 * Finds or starts a Temporal server, which keeps its state under `dir`. The releasers stop a server that was started
 * here.
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
