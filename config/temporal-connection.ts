import { type ClientConnectConfig, loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import { keepSecretsIn } from '../errors/secrets';
import { type EncryptionKey, readEncryptionKeys } from './encryption-keys';
import { keepSecretHeaders } from './secret-variables';
import type { Fault } from './values';
import { trimProfile } from './white-space';

/** Settings for connecting to Temporal with `Connection.connect` or `NativeConnection.connect`. */
export interface TemporalConnection {
  readonly address: string;
  readonly namespace: string;
  /** Prefix of all workflow ids and task queue names. Empty unless several federations share a Temporal namespace. */
  readonly idPrefix: string;
  /** The keys that encrypt payloads; empty if payloads are not encrypted. See `PayloadEncryption`. */
  readonly encryptionKeys: readonly EncryptionKey[];
  /**
   * Connection options, including the address. Each access returns a new copy, because the Temporal SDK modifies its
   * options.
   */
  readonly connection: ClientConnectConfig['connectionOptions'];
}

/** Addresses that the SDK accepts: a host, which may be an IPv6 address in brackets, and optionally a port. */
const addressForm = /^(?:\[[0-9a-f.:]+\]|[^\s:/[\]]+)(?::\d{1,5})?$/i;

/**
 * Reads the settings of the connection to Temporal. The environment variables and profiles of the `temporal` command
 * override the settings file. Therefore, the command and Federated ETL use the same server if they run in the same
 * environment.
 */
export function readTemporalConnection(
  env: NodeJS.ProcessEnv,
  file: { address: string; namespace: string; idPrefix: string; encryptionKeys?: string | undefined },
  faults: Fault[],
  notices: string[],
): TemporalConnection {
  const config = load(env, faults, notices);
  const address = config?.connectionOptions.address ?? file.address;
  if (!addressForm.test(address)) {
    faults.push({
      setting: 'temporal.address',
      detail: `${JSON.stringify(address)} is not the address of a Temporal server: it is written as host:port, such as temporal.example.com:7233 (temporal.address or TEMPORAL_ADDRESS).`,
    });
  }
  const { apiKey } = config?.connectionOptions ?? {};
  if (typeof apiKey === 'string' && /[\s\p{Cc}]/u.test(apiKey)) {
    faults.push({
      setting: 'temporal',
      detail:
        'The API key for Temporal (TEMPORAL_API_KEY, or api_key of the profile) has white space or a control character in it, so no request can be made with it.',
    });
  }
  const options = { ...config?.connectionOptions, address };
  return {
    address,
    namespace: config?.namespace ?? file.namespace,
    idPrefix: file.idPrefix,
    encryptionKeys: file.encryptionKeys === undefined ? [] : readEncryptionKeys(file.encryptionKeys, faults),
    get connection() {
      const { metadata, tls } = options;
      return {
        ...options,
        metadata: metadata && { ...metadata },
        tls: typeof tls === 'object' ? { ...tls } : tls,
      };
    },
  };
}

function load(env: NodeJS.ProcessEnv, faults: Fault[], notices: string[]): ClientConnectConfig | undefined {
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  try {
    const profile = loadClientConfigProfile({ overrideEnvVars: Object.fromEntries(set) });
    const config = toClientOptions(trimProfile(profile, notices));
    const { apiKey, metadata, tls } = config.connectionOptions;
    keepSecretHeaders(metadata);
    keepSecretsIn([apiKey, typeof tls === 'object' ? tls?.clientCertPair?.key : undefined]);
    return config;
  } catch (error) {
    // The parser of profiles adds the lines around a fault to its message. They may have an API key in them.
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    const { line } = error as { line?: unknown };
    const where = typeof line === 'number' ? ` (line ${line} of the profile's file)` : '';
    faults.push({
      setting: 'temporal',
      detail: `The TEMPORAL_ variables or the profile they name cannot be used: ${why}${where}.`,
    });
    return undefined;
  }
}
