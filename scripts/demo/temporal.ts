import { join } from 'node:path';
import type { Releasers } from '../../workers/releasers';
import { findTemporal } from '../set-up/temporal-cli';
import { startTemporalServer } from '../set-up/temporal-server';

/** The Temporal server of the example. */
export interface DemoTemporal {
  readonly address: string;
  /** Undefined if the server is headless or was already running. */
  readonly uiUrl?: string;
  /** The state file of a server that was started here. */
  readonly dbFile?: string;
}

/** Finds or starts a Temporal server with its state under `dir`; the releasers stop it. */
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
