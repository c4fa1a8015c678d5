import type { Connection } from '@temporalio/client';
import type { Settings } from '../config/settings';
import { FederationError } from '../errors/federation-error';
import { knownError } from '../errors/known-error';

/** The part of the SDK that this module uses. The caller passes it, because the SDK is slow to load. */
interface Sdk {
  readonly Connection: Pick<typeof Connection, 'lazy'>;
}

/**
 * Connects to the Temporal server without retries, and asks it for an answer. The SDK's own function for connecting
 * would retry until a timeout, and then throw an error without the reason. The caller must close the connection.
 *
 * @throws TEMPORAL_UNAVAILABLE or TEMPORAL_ACCESS_DENIED, with the reason; SETTINGS_INVALID if the client's certificate
 *   or key cannot be used
 */
export async function probeTemporal(
  sdk: Sdk,
  { address, connection: how }: Pick<Settings['temporal'], 'address' | 'connection'>,
  patienceMs: number,
): Promise<Connection> {
  let connection: Connection | undefined;
  try {
    const opened = sdk.Connection.lazy({ ...how, connectTimeout: patienceMs, interceptors: [] });
    connection = opened;
    await opened.withDeadline(Date.now() + patienceMs, () => opened.workflowService.getSystemInfo({}));
    return opened;
  } catch (error) {
    await connection?.close();
    throw isUnusableKey(error)
      ? new FederationError('SETTINGS_INVALID', {
          subject: { setting: 'temporal' },
          detail: `The certificate or the key for Temporal cannot be used: ${String(error)}.`,
          hint: 'Both must be in PEM format, and the key must belong to the certificate (TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH).',
          cause: error,
        })
      : knownError(error, { address, tls: Boolean(how.tls) });
  }
}

function isUnusableKey(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && code.startsWith('ERR_OSSL_');
}
