import { setTimeout as sleep } from 'node:timers/promises';
import * as sdk from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import { FederationError } from '../errors/federation-error';
import { guardedRetries } from './guarded-retries';

/** The SDK's two connections to Temporal: one for clients, one for workers. */
export interface TemporalConnections {
  readonly connection: sdk.Connection;
  readonly native: NativeConnection;
}

const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/**
 * Connects to Temporal. Waits for the server as long as necessary, so that a cluster may start before its Temporal
 * server. Throws TEMPORAL_UNAVAILABLE if `stop` is aborted in the meantime, if the namespace does not exist, or if the
 * server denies this client access to it.
 */
export async function connectPatiently(
  settings: Settings['temporal'],
  log: Log,
  stop: AbortSignal,
): Promise<TemporalConnections> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await connect(settings);
    } catch (error) {
      if (error instanceof FederationError) throw error;
      if (stop.aborted) throw unavailable(settings.address, error);
      log.warn(
        { event: 'temporal.unavailable', address: settings.address },
        `No Temporal server answers at ${settings.address}; next attempt in ${waitMs / 1000} s`,
      );
      await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) throw unavailable(settings.address, error);
    }
  }
}

async function connect(settings: Settings['temporal']): Promise<TemporalConnections> {
  const connection = await sdk.Connection.connect({
    ...settings.connection,
    interceptors: guardedRetries(sdk),
  });
  try {
    await requireNamespace(connection, settings);
    return { connection, native: await NativeConnection.connect(settings.connection) };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

const answerWithinMs = 10_000;
const [notFound, permissionDenied, unauthenticated] = [5, 7, 16];

/**
 * Throws TEMPORAL_UNAVAILABLE if the namespace does not exist or access to it is denied. Without this check, later
 * requests would fail in various ways, most of them hard to understand.
 */
async function requireNamespace(connection: sdk.Connection, settings: Settings['temporal']): Promise<void> {
  const { namespace } = settings;
  try {
    await connection.withDeadline(Date.now() + answerWithinMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    if (code === notFound)
      throw namespaceUnavailable(settings, 'has no namespace', {
        hint: `Create it with \`temporal operator namespace create --namespace ${namespace} --retention 30d\`, or correct temporal.namespace.`,
        cause: error,
      });
    if (code === permissionDenied || code === unauthenticated)
      throw namespaceUnavailable(settings, 'denies this client the namespace', {
        hint: 'Correct the credentials (TEMPORAL_API_KEY, TLS), or temporal.namespace.',
        cause: error,
      });
    throw error;
  }
}

/** Returns the error for a Temporal server that responds, but on which the namespace cannot be used. */
export function namespaceUnavailable(
  { address, namespace }: Pick<Settings['temporal'], 'address' | 'namespace'>,
  why: string,
  options: { readonly hint: string; readonly cause: unknown },
): FederationError {
  return new FederationError('TEMPORAL_UNAVAILABLE', {
    subject: { setting: 'temporal.namespace' },
    detail: `The Temporal server at ${address} ${why} ${namespace}.`,
    ...options,
  });
}

/** Returns the error for a Temporal server that does not respond. */
export function unavailable(address: string, cause: unknown): FederationError {
  return new FederationError('TEMPORAL_UNAVAILABLE', {
    detail: `No Temporal server answers at ${address}.`,
    cause,
  });
}
