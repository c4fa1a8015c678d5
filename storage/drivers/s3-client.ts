import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { skipsVerification, type HttpConfig } from '../config-fields';
import { s3Credentials, s3Location, type S3Config } from './s3-config';
import { readSetting } from './s3-headers';

const connectTimeoutMs = 5_000;
/** More than anything here does at once: a request that waits for a socket waits without a limit. */
const maxSockets = 256;

/** The SDK's client for a store, and the store's clock. */
export interface S3Connection {
  readonly client: S3;
  /** Now, by the clock of the store's last answer; to about a second. */
  now(): Date;
}

/**
 * The SDK is loaded here, for those who use it. It makes one attempt only: retries are `withRetry`'s. Nothing hangs: a
 * connection has 5 seconds, and a store that stays silent for `response_header_timeout`, before or in the middle of an
 * answer, is given up.
 */
export async function connect(config: S3Config): Promise<S3Connection> {
  const { S3 } = await import('@aws-sdk/client-s3');
  const client = new S3(clientConfig(config));
  let aheadMs = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      aheadMs = clockOf(result.response) - Date.now() || aheadMs;
      return result;
    },
    { step: 'deserialize', name: 'storeClock' },
  );
  return { client, now: () => new Date(Date.now() + aheadMs) };
}

/** The `Date` of an answer, in milliseconds; NaN when it has none. */
function clockOf(response: unknown): number {
  const { headers } = response as { headers?: Record<string, string> };
  return Date.parse(headers?.['date'] ?? '');
}

function clientConfig(config: S3Config): S3ClientConfig {
  const location = s3Location(config);
  const credentials = s3Credentials(config);
  // Stores that are not Amazon's often know nothing of the checksums that are sent behind a body.
  const checksums = location.isAws ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  return {
    region: location.region,
    ...(location.url !== undefined && { endpoint: location.url }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: location.pathStyle,
    tls: !config.insecure,
    followRegionRedirects: location.isAws,
    useDualstackEndpoint: location.isAws && config.disable_dualstack === false,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: config.http_config.response_header_timeout,
      ...agents(config.http_config),
    },
  };
}

function agents(http: HttpConfig): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const pool = { keepAlive: true, maxSockets: http.max_conns_per_host || maxSockets };
  return { httpAgent: new HttpAgent(pool), httpsAgent: new HttpsAgent({ ...pool, ...tlsOptions(http) }) };
}

function tlsOptions(http: HttpConfig): AgentOptions {
  const { ca_file, cert_file, key_file, server_name } = http.tls_config;
  const file = (path: string | undefined, name: string) =>
    path === undefined ? undefined : readSetting(path, `config.http_config.tls_config.${name}`);
  return {
    ca: file(ca_file, 'ca_file'),
    cert: file(cert_file, 'cert_file'),
    key: file(key_file, 'key_file'),
    servername: server_name,
    rejectUnauthorized: !skipsVerification(http),
  };
}
