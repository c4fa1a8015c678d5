import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Settings } from '../config/settings';
import type { Log } from '../config/log';
import { FederationError } from '../errors/federation-error';

/** Both kinds of connection that the SDK knows: one for what asks, one for what serves. */
export interface TemporalConnections {
  readonly connection: Connection;
  readonly native: NativeConnection;
}

const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/**
 * Connects to Temporal, waiting for it as long as it takes: a cluster that starts before its Temporal server only starts
 * later. Throws TEMPORAL_UNAVAILABLE when it is told to stop first.
 */
export async function connectPatiently(
  settings: Settings['temporal'],
  log: Log,
  stop: AbortSignal,
): Promise<TemporalConnections> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      const connection = await Connection.connect(settings.connection);
      const native = await NativeConnection.connect(settings.connection).catch(async (error: unknown) => {
        await connection.close();
        throw error;
      });
      return { connection, native };
    } catch (error) {
      if (stop.aborted) throw unavailable(settings.address, error);
      log.warn(
        { event: 'temporal.unavailable', address: settings.address },
        `No Temporal server answers at ${settings.address}; the next attempt is in ${waitMs / 1000} s`,
      );
      await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) throw unavailable(settings.address, error);
    }
  }
}

/** The error for a Temporal server that does not answer. */
export function unavailable(address: string, cause: unknown): FederationError {
  return new FederationError('TEMPORAL_UNAVAILABLE', {
    detail: `No Temporal server answers at ${address}.`,
    cause,
  });
}
