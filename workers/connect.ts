import { setTimeout as sleep } from 'node:timers/promises';
import * as sdk from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import { sentence } from '../errors/hints';
import { knownError } from '../errors/known-error';
import { probeTemporal } from '../operator/probe-temporal';
import { guardedRetries } from './guarded-retries';
import { ensureRuntime } from './runtime';

/** The SDK's two connections to Temporal: one for clients, one for workers. */
export interface TemporalConnections {
  readonly connection: sdk.Connection;
  readonly native: NativeConnection;
  /** The settings with which they were opened. */
  readonly settings: Settings['temporal'];
}

const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/**
 * Connects to Temporal. Waits for the server as long as necessary, so that a cluster may start before its Temporal
 * server. Throws TEMPORAL_UNAVAILABLE if `stop` is aborted in the meantime or if the namespace does not exist, and
 * TEMPORAL_ACCESS_DENIED if the server denies this client access to it. If `insists` returns true, keeps trying even if
 * the namespace does not exist or access is denied. Calls `current` before each attempt, because the settings may have
 * been corrected.
 */
export async function connectPatiently(
  current: () => Settings['temporal'],
  log: Log,
  stop: AbortSignal,
  insists: () => boolean = () => false,
): Promise<TemporalConnections> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const settings = current();
    try {
      return await connect(settings, log);
    } catch (error) {
      const known = knownError(error, settings);
      if (stop.aborted || !(known.retryable || insists())) throw known;
      log.warn(
        { event: 'temporal.unavailable', address: settings.address, code: known.code },
        `${sentence(known.detail)} ${known.hint} Next attempt in ${waitMs / 1000} s`,
      );
      await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) throw known;
    }
  }
}

const answerWithinMs = 10_000;

/** Connects to Temporal, and checks that the namespace can be used. */
export async function connect(settings: Settings['temporal'], log: Log): Promise<TemporalConnections> {
  await (await probeTemporal(sdk, settings, answerWithinMs)).close();
  const connection = await sdk.Connection.connect({
    ...settings.connection,
    interceptors: guardedRetries(sdk),
  });
  try {
    // Without this check, later requests would fail in various ways, most of them hard to understand.
    const { namespace } = settings;
    await connection.withDeadline(Date.now() + answerWithinMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    await ensureRuntime(log);
    return { connection, native: await NativeConnection.connect(settings.connection), settings };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
