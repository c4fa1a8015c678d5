import type { Client, Connection } from '@temporalio/client';
import { createVerbLog, type Log } from '../config/log';
import { openLoggedBucket } from '../config/open-logged-bucket';
import { PayloadEncryption } from '../config/payload-encryption';
import { loadOperatorSettings, type OperatorSettings } from '../config/settings';
import { probeTemporal } from '../operator/probe-temporal';
import { keysRequired } from '../operator/require-keys';
import type { Bucket } from '../storage/bucket';
import { readOnly } from '../storage/read-only';
import { guardedRetries } from '../workers/guarded-retries';
import { Releasers } from '../workers/releasers';
import { type Names, names } from '../workflows/names';

/** Options that every verb has. `command.optsWithGlobals()` returns them. */
export interface CommandOptions {
  readonly config?: string;
  readonly verbose?: boolean;
}

/**
 * Settings and connections of a verb. The connections to the bucket and to Temporal are opened on first use, and
 * closed when the context is disposed.
 */
export interface Context extends AsyncDisposable {
  readonly settings: OperatorSettings;
  /** Writes to standard error, because standard output is only for the result of the verb. */
  readonly log: Log;
  readonly names: Names;
  /** Opens the bucket read-only. To change something, a verb asks a workflow to do it. */
  bucket(): Promise<Bucket>;
  /**
   * Connects to Temporal. Throws TEMPORAL_UNAVAILABLE if no server answers within `timeoutMs`. (Default: 10 seconds)
   */
  temporal(options?: { timeoutMs?: number }): Promise<Temporal>;
}

export interface Temporal {
  readonly client: Client;
  readonly connection: Connection;
}

/**
 * Reads the settings and returns the context of a verb. Declare the context with `await using`, so that it is closed at
 * the end.
 */
export function openContext(options: CommandOptions): Context {
  const settings = loadOperatorSettings({ file: options.config });
  const log = createVerbLog(options.verbose ? 'debug' : 'warn');
  for (const notice of settings.notices) log.warn({ event: 'settings.notice' }, notice);
  const releasers = new Releasers();
  // An error while closing a connection is only logged. If it were thrown, it would hide the result or the error of the
  // verb.
  const closeAtEnd = (close: () => Promise<void>) =>
    releasers.defer(() =>
      close().catch((error: unknown) => log.warn({ event: 'close.failed', reason: error }, 'Closing failed')),
    );
  let bucket: Promise<Bucket> | undefined;
  let temporal: Promise<Temporal> | undefined;

  async function openBucket(): Promise<Bucket> {
    const opened = await openLoggedBucket(settings.storage, log);
    closeAtEnd(() => opened.close());
    return readOnly(opened);
  }

  async function connect(timeoutMs: number): Promise<Temporal> {
    const opened = await connectTemporal(settings, timeoutMs);
    closeAtEnd(() => opened.connection.close());
    return opened;
  }

  return {
    settings,
    log,
    names: names(settings.temporal.idPrefix),
    bucket: () => (bucket ??= openBucket()),
    temporal: ({ timeoutMs = 10_000 } = {}) => (temporal ??= connect(timeoutMs)),
    async [Symbol.asyncDispose]() {
      // Wait for connections that are still being opened, because they have to be closed too.
      await Promise.allSettled([bucket, temporal]);
      await releasers[Symbol.asyncDispose]();
    },
  };
}

/**
 * Number of attempts of a call that Temporal refuses because there are too many requests. It is low, so that a verb
 * reports this refusal within three seconds.
 */
const throttledAttempts = 3;

async function connectTemporal(settings: OperatorSettings, timeoutMs: number): Promise<Temporal> {
  // Import Temporal's client only if a verb uses it. This import alone takes longer than a complete run of a
  // verb that does not need Temporal.
  const sdk = await import('@temporalio/client');
  const { namespace, connection: how, encryptionKeys, idPrefix } = settings.temporal;
  await (await probeTemporal(sdk, settings.temporal, timeoutMs)).close();
  const connection = await sdk.Connection.connect({
    ...how,
    connectTimeout: timeoutMs,
    interceptors: guardedRetries(sdk, throttledAttempts),
  });
  const dataConverter = { payloadCodecs: [new PayloadEncryption(() => encryptionKeys)] };
  const options = { connection, namespace, dataConverter };
  // Without keys nothing is encrypted, and all workflows accept plain payloads.
  const encrypts = encryptionKeys.length > 0;
  const checked = keysRequired(() => client, names(idPrefix).roster);
  const client: Client = new sdk.Client({
    ...options,
    ...(encrypts && { interceptors: { workflow: [checked] } }),
  });
  return { connection, client };
}
