import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import type { Fault } from './values';

/** How to connect to Temporal, with `Connection.connect` and `NativeConnection.connect`. */
export interface TemporalConnection {
  readonly address: string;
  readonly namespace: string;
  /** Prefix of every workflow id and task queue; empty unless several federations share a namespace. */
  readonly idPrefix: string;
  /**
   * Connection options, which always include the address. Each access returns a new copy, since the SDK modifies its
   * options.
   */
  readonly connection: ClientConnectConfig['connectionOptions'];
}

/**
 * Reads the settings of the connection to Temporal. The variables and profiles of the `temporal` CLI override the
 * settings file, so that an operator's shell and Federated ETL never talk to different servers.
 */
export function readTemporalConnection(
  env: NodeJS.ProcessEnv,
  file: { address: string; namespace: string; idPrefix: string },
  faults: Fault[],
): TemporalConnection {
  const config = load(env, faults);
  const address = config?.connectionOptions.address ?? file.address;
  const options = { ...config?.connectionOptions, address };
  return {
    address,
    namespace: config?.namespace ?? file.namespace,
    idPrefix: file.idPrefix,
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

function load(env: NodeJS.ProcessEnv, faults: Fault[]): ClientConnectConfig | undefined {
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    faults.push({
      setting: 'temporal',
      detail: `The TEMPORAL_ variables or the profile they name cannot be used: ${why}.`,
    });
    return undefined;
  }
}
