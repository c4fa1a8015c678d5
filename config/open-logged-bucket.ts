import type { Bucket } from '../storage/bucket';
import { openBucket, type OpenBucketOptions, readFederatedStore } from '../storage/open-bucket';
import type { StorageCall } from '../storage/with-metrics';
import type { Log } from './log';
import type { Settings } from './settings';

/**
 * Opens the bucket that a `federated-store.yaml` file describes. Logs the bucket's warnings, changes of the file, and
 * each call to the bucket. Calls are logged at level info if the file sets `trace.enable`, otherwise at level debug.
 * The caller must close the bucket.
 */
export async function openLoggedBucket(
  { file, gcsEmulator }: Pick<Settings['storage'], 'file' | 'gcsEmulator'>,
  log: Log,
  { observe, kept }: Pick<OpenBucketOptions, 'observe' | 'kept'> = {},
): Promise<Bucket> {
  const store = await readFederatedStore(file);
  const traced = store.type === 'S3' && store.config.trace.enable;
  return openBucket(store, {
    gcsEmulator,
    warn: (warning) => log.warn({ event: 'storage.warning' }, warning),
    renewed: (message) => log.info({ event: 'storage.renewed' }, message),
    ...(kept && { kept }),
    observe: (call) => {
      observe?.(call);
      logCall(log, traced ? 'info' : 'debug', call);
    },
  });
}

function logCall(log: Log, level: 'debug' | 'info', call: StorageCall): void {
  const { verb, key, outcome, bytes, entries } = call;
  const ms = Math.round(call.ms);
  const moved = [
    bytes === undefined ? [] : `${bytes} bytes`,
    entries === undefined ? [] : `${entries} entries`,
  ];
  log[level](
    { event: 'storage.call', verb, key, outcome, ms, bytes, entries },
    `Storage ${verb} ${key || '/'}: ${[outcome, ...moved.flat(), `${ms} ms`].join(', ')}`,
  );
}
