import { isDeepStrictEqual } from 'node:util';
import { describeError, type FederationError } from '../errors/federation-error';
import { isKeyError, keyError } from '../errors/key-errors';
import type { Log } from './log';
import type { ReadToken } from './read-tokens';
import { loadSettings, type Settings } from './settings';

/**
 * Reads some settings again, because their files may change while a process runs: the operator token in the settings
 * file, the read tokens, the encryption keys, and the certificates, the key and the profile for Temporal. All other
 * settings keep the values that they had at the start. If a file cannot be used, for example because it is
 * half-written, keeps the previous values and warns once.
 *
 * After `keepSecrets`, never takes another secret for the id of an encryption key that it has read before: what is
 * encrypted with the old secret could no longer be decrypted.
 */
export class SettingsRenewal {
  #temporal: Settings['temporal'];
  #token: string | undefined;
  #codecToken: string | undefined;
  #readTokens: readonly ReadToken[];
  #warning: string | undefined;
  /** All encryption keys that were read since `keepSecrets`, by id. Undefined before. */
  #knownKeys: Map<string, Uint8Array> | undefined;

  constructor(
    first: Settings,
    private readonly log: Pick<Log, 'info' | 'warn'>,
    private readonly read: () => Settings = () => loadSettings({ file: first.file }),
  ) {
    this.#temporal = first.temporal;
    this.#token = first.api.token;
    this.#codecToken = first.codec?.token;
    this.#readTokens = first.api.readTokens;
  }

  /** How to connect to Temporal now. */
  get temporal(): Settings['temporal'] {
    return this.#temporal;
  }

  /** The operator token that is valid now. */
  get token(): string | undefined {
    return this.#token;
  }

  /** The token of the codec endpoint that is valid now. */
  get codecToken(): string | undefined {
    return this.#codecToken;
  }

  /** The read tokens that are valid now. */
  get readTokens(): readonly ReadToken[] {
    return this.#readTokens;
  }

  /** Call this when the keys are known to be right. From then on, the secret of an id is not replaced by another one. */
  keepSecrets(): void {
    this.#knownKeys ??= new Map();
    this.checkKeys(this.#temporal);
  }

  /**
   * Looks whether the files have changed. Returns TEMPORAL_KEY_DIFFERS while the file with the encryption keys has
   * another secret for an id than before.
   */
  look(): FederationError | undefined {
    try {
      this.take(this.read());
      return undefined;
    } catch (error) {
      this.warnOnce(
        `The settings have changed and cannot be used. This process keeps what it read before. ${describeError(error)}`,
      );
      return isKeyError(error) ? error : undefined;
    }
  }

  private take({ temporal, api, codec }: Settings): void {
    this.checkKeys(temporal);
    if (!isDeepStrictEqual(placeOf(temporal), placeOf(this.#temporal))) {
      this.warnOnce(
        'The settings now name another Temporal server, namespace or prefix. This process keeps the ones that it has; restart it to use the new ones.',
      );
    } else {
      this.#warning = undefined;
      const keys = !isDeepStrictEqual(temporal.encryptionKeys, this.#temporal.encryptionKeys);
      if (keys || !isDeepStrictEqual(temporal.connection, this.#temporal.connection))
        this.#temporal = temporal;
      if (keys)
        this.log.info(
          { event: 'settings.renewed' },
          'The keys of temporal.encryptionKeys have changed and are used from now on.',
        );
    }
    if (api.token !== this.#token) {
      this.#token = api.token;
      this.log.info({ event: 'settings.renewed' }, 'api.token has changed and is used from now on.');
    }
    if (codec?.token !== this.#codecToken) {
      this.#codecToken = codec?.token;
      this.log.info(
        { event: 'settings.renewed' },
        'temporal.codec.token has changed and is used from now on.',
      );
    }
    if (isDeepStrictEqual(api.readTokens, this.#readTokens)) return;
    this.#readTokens = api.readTokens;
    const names = api.readTokens.map(({ name }) => name).join(', ');
    this.log.info(
      { event: 'settings.renewed' },
      `The read tokens have changed. These are valid from now on: ${names === '' ? 'none' : names}.`,
    );
  }

  /** Throws TEMPORAL_KEY_DIFFERS if a key has another secret than before. Otherwise remembers the keys. */
  private checkKeys({ encryptionKeys }: Settings['temporal']): void {
    const differing = encryptionKeys.find(({ id, key }) => {
      const known = this.#knownKeys?.get(id);
      return known !== undefined && !isDeepStrictEqual(known, key);
    });
    if (differing !== undefined)
      throw keyError(
        'TEMPORAL_KEY_DIFFERS',
        `The secret of the key ${JSON.stringify(differing.id)} has changed.`,
        {
          hint: 'Restore the secret that belongs to this id before this process restarts, and give the new secret a new id.',
        },
      );
    for (const { id, key } of encryptionKeys) this.#knownKeys?.set(id, key);
  }

  private warnOnce(message: string): void {
    if (message !== this.#warning) this.log.warn({ event: 'settings.not-renewed' }, message);
    this.#warning = message;
  }
}

function placeOf({ address, namespace, idPrefix }: Settings['temporal']): readonly string[] {
  return [address, namespace, idPrefix];
}
