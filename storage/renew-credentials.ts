import { describeError, FederationError, isFederationError } from '../errors/federation-error';
import { closingBody, discard } from './body';
import type { Bucket, ListEntry } from './bucket';
import { isSet } from './config-fields';
import type { FederatedStore } from './federated-store';

export interface RenewalOptions {
  /** Reads the file that describes the store. Throws STORE_CONFIG_INVALID if it is unreadable or invalid. */
  readonly read: () => Promise<FederatedStore>;
  /** Opens a store. Sends no request yet. */
  readonly open: (store: FederatedStore) => Promise<Bucket>;
  /**
   * Called once for each change of the file that cannot be used; the bucket then keeps its credentials. Also called
   * with each warning about the new content that the old content did not cause.
   */
  readonly warn: (message: string) => void;
  /**
   * Called with the reason if the bucket keeps its old content because the file cannot be used, and with undefined once
   * the file and the bucket agree again.
   */
  readonly kept?: (why: string | undefined) => void;
  /** Called when the bucket starts to use the changed file. */
  readonly renewed: (message: string) => void;
  /** Time between two checks of the file, in milliseconds. (Default: 5,000) */
  readonly lookEveryMs?: number;
}

/** An open bucket, and the content of the store's file with which it was opened. */
interface Opened {
  readonly store: FederatedStore;
  readonly bucket: Bucket;
  /** Number of calls to the store that are in progress. */
  uses: number;
}

/**
 * Opens a store whose file may change while the process runs, for example because its credentials are rotated. Reads
 * the file again every few seconds, and whenever the store denies access. If the file still describes the same bucket,
 * later calls use its new content. If a call was denied with the old content, it fails with a retryable error, so that
 * `withRetry` repeats it.
 *
 * Keeps the old content and warns if the file is invalid, for example because it is half-written. Does the same if the
 * file describes another bucket, because a process must not change to another bucket in the middle of its work.
 *
 * If the file contains no credentials, the SDK takes them from elsewhere, for example from another file. In this case,
 * the store is opened again when it denies access, because SDKs read some of these sources only once.
 */
export async function withRenewal(store: FederatedStore, options: RenewalOptions): Promise<Bucket> {
  const { lookEveryMs = 5_000 } = options;
  let current: Opened = { store, bucket: await options.open(store), uses: 0 };
  const { type, label } = current.bucket;
  const inUse = new Set([current]);
  let [lookedAt, reopenedAt] = [performance.now(), -Infinity];
  let looking: Promise<void> | undefined;
  let warning: string | undefined;

  function warnOnce(message: string): void {
    if (message === warning) return;
    options.warn(message);
    options.kept?.(message);
    warning = message;
  }

  /** Records that the bucket uses what the file contains. */
  function agrees(): void {
    if (warning !== undefined) options.kept?.(undefined);
    warning = undefined;
  }

  async function endIfUnused(opened: Opened): Promise<void> {
    if (opened === current || opened.uses > 0 || !inUse.delete(opened)) return;
    await opened.bucket.close();
  }

  /** Replaces the opened store. Calls that already use the old one finish with it. */
  async function replace(next: FederatedStore): Promise<boolean> {
    const bucket = await options.open(next);
    if (bucket.label !== label) {
      await bucket.close();
      return false;
    }
    const old = current;
    current = { store: next, bucket, uses: 0 };
    inUse.add(current);
    await endIfUnused(old);
    return true;
  }

  async function lookAtFile(): Promise<void> {
    lookedAt = performance.now();
    const file = store.origin?.file ?? 'The file of the store';
    try {
      const found = await options.read();
      if (found.origin?.digest === current.store.origin?.digest) {
        agrees();
        return;
      }
      const before = current.store.warnings;
      if (placeOf(found) === placeOf(current.store) && (await replace(found))) {
        agrees();
        for (const message of found.warnings) if (!before.includes(message)) options.warn(message);
        options.renewed(`${file} has changed and is used from now on.`);
      } else {
        warnOnce(
          `${file} now describes another bucket, endpoint or prefix. This process keeps the one that it has; ` +
            'restart it to use the new one.',
        );
      }
    } catch (error) {
      warnOnce(
        `${file} has changed and cannot be used. This process keeps what it read before. ${describeError(error)}`,
      );
    }
  }

  function look(): Promise<void> {
    return (looking ??= lookAtFile().finally(() => (looking = undefined)));
  }

  /** Returns true if the credentials have changed, or may have changed, since `used` was opened. */
  async function isRenewed(used: Opened): Promise<boolean> {
    if (current === used) await look();
    if (current !== used) return true;
    if (hasCredentials(used.store) || performance.now() - reopenedAt < lookEveryMs) return false;
    reopenedAt = performance.now();
    return replace(used.store).catch(() => false);
  }

  /** Returns the error to throw when a call to the store `used` has failed with `error`. */
  async function judged(error: unknown, used: Opened): Promise<unknown> {
    if (!isFederationError(error, 'STORAGE_ACCESS_DENIED') || !(await isRenewed(used))) return error;
    const { code, subject, detail, hint, cause } = error;
    return new FederationError(code, { subject, detail, hint, cause, retryable: true });
  }

  async function begin(): Promise<Opened> {
    if (performance.now() - lookedAt >= lookEveryMs) await look();
    current.uses += 1;
    return current;
  }

  async function end(used: Opened): Promise<void> {
    used.uses -= 1;
    await endIfUnused(used);
  }

  async function call<T>(run: (bucket: Bucket) => Promise<T>): Promise<T> {
    const used = await begin();
    try {
      return await run(used.bucket);
    } catch (error) {
      throw await judged(error, used);
    } finally {
      await end(used);
    }
  }

  async function* list(...args: Parameters<Bucket['list']>): AsyncGenerator<ListEntry> {
    const used = await begin();
    try {
      yield* used.bucket.list(...args);
    } catch (error) {
      throw await judged(error, used);
    } finally {
      await end(used);
    }
  }

  const get: Bucket['get'] = async (key, callOptions) => {
    const used = await begin();
    try {
      const { head, body } = await used.bucket.get(key, callOptions);
      const close = () => discard(body).finally(() => end(used));
      return { head, body: closingBody(body[Symbol.asyncIterator](), close) };
    } catch (error) {
      const thrown = await judged(error, used);
      await end(used);
      throw thrown;
    }
  };

  return {
    type,
    label,
    list,
    get,
    head: (key, options) => call((bucket) => bucket.head(key, options)),
    put: (key, body, options) => call((bucket) => bucket.put(key, body, options)),
    create: (key, body, options) => call((bucket) => bucket.create(key, body, options)),
    copy: (from, to, options) => call((bucket) => bucket.copy(from, to, options)),
    delete: (key, options) => call((bucket) => bucket.delete(key, options)),
    async close() {
      await looking;
      await Promise.all([...inUse].map(({ bucket }) => bucket.close()));
    },
  };
}

/** Returns a text that identifies the place that a store describes: type, endpoint, bucket and prefix. */
function placeOf({ type, config, prefix }: FederatedStore): string {
  switch (type) {
    case 'S3':
      return JSON.stringify([type, prefix, config.bucket, config.endpoint, config.region, config.insecure]);
    case 'GCS':
      return JSON.stringify([type, prefix, config.bucket]);
    case 'AZURE':
      return JSON.stringify([type, prefix, config.container, config.endpoint]);
    case 'FILESYSTEM':
      return JSON.stringify([type, prefix, config.directory]);
  }
}

/** Returns whether the file itself contains the credentials. Returns true for a folder, which needs none. */
function hasCredentials({ type, config }: FederatedStore): boolean {
  switch (type) {
    case 'S3':
      return isSet(config.access_key);
    case 'GCS':
      return isSet(config.service_account);
    case 'AZURE':
      return [config.storage_account_key, config.storage_connection_string, config.client_secret].some(isSet);
    case 'FILESYSTEM':
      return true;
  }
}
