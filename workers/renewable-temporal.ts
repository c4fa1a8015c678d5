import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import { knownError } from '../errors/known-error';
import { connect, type TemporalConnections } from './connect';

/**
 * Connections to Temporal that can be replaced while roles use them. The SDK can neither replace the certificates of a
 * connection nor read their files again, so new certificates or a new key need new connections.
 */
export class RenewableTemporal {
  /** Passes each call to the current connection. */
  readonly connection: Connection;
  #present: TemporalConnections;
  /**
   * The connections that were replaced last. They stay open until the next renewal, because calls may still use them.
   */
  #replaced: TemporalConnections | undefined;
  #renewing: Promise<void> | undefined;
  #warning: string | undefined;

  constructor(
    first: TemporalConnections,
    private readonly log: Log,
  ) {
    this.#present = first;
    this.connection = new Proxy(first.connection, {
      get: (_, name) => Reflect.get(this.#present.connection, name) as unknown,
    });
  }

  /** The present connection of the workers. */
  get native(): NativeConnection {
    return this.#present.native;
  }

  /**
   * If `settings` has a different key or different certificates than the current connections, opens new connections and
   * gives them to the workers. If Temporal does not accept them, keeps the current connections and warns once; call
   * again to retry.
   */
  renew(settings: Settings['temporal'], workers: readonly Worker[]): Promise<void> {
    return (this.#renewing ??= this.replace(settings, workers).finally(() => (this.#renewing = undefined)));
  }

  async close(): Promise<void> {
    await this.#renewing;
    for (const opened of [this.#replaced, this.#present]) if (opened !== undefined) await closeBoth(opened);
  }

  private async replace(settings: Settings['temporal'], workers: readonly Worker[]): Promise<void> {
    if (isDeepStrictEqual(settings.connection, this.#present.settings.connection)) return;
    try {
      const next = await connect(settings, this.log);
      const unused = this.#replaced;
      [this.#replaced, this.#present] = [this.#present, next];
      for (const worker of workers) worker.connection = next.native;
      this.#warning = undefined;
      this.log.info(
        { event: 'temporal.renewed', address: settings.address },
        `the key or the certificates for Temporal at ${settings.address} have changed and are used from now on`,
      );
      if (unused !== undefined) await closeBoth(unused);
    } catch (error) {
      const { code, detail } = knownError(error, settings);
      if (detail !== this.#warning)
        this.log.warn(
          { event: 'temporal.not-renewed', address: settings.address, code },
          `The key or the certificates for Temporal have changed and cannot be used. This process keeps what it read before, and tries again. ${detail}`,
        );
      this.#warning = detail;
    }
  }
}

async function closeBoth({ connection, native }: TemporalConnections): Promise<void> {
  await native.close();
  await connection.close();
}
