import { join } from 'node:path';
import type { Releasers } from '../../workers/releasers';
import { findTemporal } from '../set-up/temporal-cli';
import { startTemporalServer } from '../set-up/temporal-server';

/** The Temporal server of the example. */
export interface DemoTemporal {
  readonly address: string;
  /** URL of the server's UI; undefined if the server is headless or was already running. */
  readonly uiUrl?: string;
  /** State file of the server; undefined if the server was already running. */
  readonly dbFile?: string;
}

/**
 * Finds a running Temporal server, or starts one that keeps its state under `dir`. A server that is started here is
 * stopped by `releasers`.
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
