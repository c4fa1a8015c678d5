import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { Bucket } from '../storage/bucket';

/** The store of a process, which may not be usable yet. */
export interface PatientStore {
  /** Returns the bucket. Throws STORE_CONFIG_INVALID while the file that describes it is invalid. */
  bucket(): Promise<Bucket>;
  /** Waits until the bucket is open. If `stop` is aborted in the meantime, throws STORE_CONFIG_INVALID. */
  untilOpen(): Promise<Bucket>;
  close(): Promise<void>;
}

export interface OpenStoreOptions {
  /** Whether to wait for a valid file. If false, an invalid file is an error at once. */
  readonly isPatient: boolean;
  readonly log: Log;
  readonly stop: AbortSignal;
  /** Called after each attempt that has found the file invalid. */
  readonly unusable: (error: FederationError) => void;
}

const lookEveryMs = 5_000;

/**
 * Opens the store. If its file is invalid and `isPatient` is set, `untilOpen` reads the file again every few seconds.
 */
export async function openStore(
  open: () => Promise<Bucket>,
  { isPatient, log, stop, unusable }: OpenStoreOptions,
): Promise<PatientStore> {
  let found: Bucket | FederationError | undefined;

  /** Opens the store. Returns the reason if its file is invalid. */
  async function attempt(): Promise<Bucket | FederationError> {
    const before = found;
    try {
      found = await open();
      if (before !== undefined)
        log.info(
          { event: 'storage.renewed' },
          'The settings of the store are valid now, and used from now on.',
        );
    } catch (error) {
      if (!isPatient || !isFederationError(error, 'STORE_CONFIG_INVALID')) throw error;
      found = error;
      unusable(error);
      const { code, subject, detail, hint } = error;
      if (!(before instanceof FederationError) || before.detail !== detail)
        log.error(
          { event: 'storage.unusable', code, ...subject, hint },
          `The store cannot be opened, so this primary serves what it has, and nothing newer: ${detail}`,
        );
    }
    return found;
  }

  const first = await attempt();
  return {
    async bucket() {
      const now = found ?? first;
      if (now instanceof FederationError) throw now;
      return now;
    },
    async untilOpen() {
      for (let now = first; ; now = await attempt()) {
        if (!(now instanceof FederationError)) return now;
        await sleep(lookEveryMs, undefined, { signal: stop }).catch(() => undefined);
        if (stop.aborted) throw now;
      }
    },
    async close() {
      if (found !== undefined && !(found instanceof FederationError)) await found.close();
    },
  };
}
