import { createHash } from 'node:crypto';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { connectTimeoutMs, httpAgents } from '../http-agents';
import { s3Checksum, type S3Config, s3Credentials, s3Location } from './s3-config';

/** The SDK's client for a store, and a clock that shows the store's time. */
export interface S3Connection {
  readonly client: S3;
  /**
   * Returns the current time of the store's clock, accurate to about a second. It is derived from the `Date` header of
   * the store's last response. Before the first response, it is this machine's time.
   */
  now(): Date;
}

/**
 * Loads the AWS SDK and creates a client. The SDK makes one attempt per request, because `withRetry` does the retries.
 * No request can hang: it fails if connecting takes more than 5 seconds, or if the store sends nothing for
 * `response_header_timeout` before or during a response.
 */
export async function connect(config: S3Config): Promise<S3Connection> {
  const { S3 } = await import('@aws-sdk/client-s3');
  const client = new S3(await clientConfig(config));
  if (s3Checksum(config, s3Location(config).isAws) === 'md5') sendMd5(client);
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

/** Adds the header `Content-MD5` to all requests that send the bytes of an object or of a part. */
function sendMd5(client: S3): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { headers, body } = args.request as { headers: Record<string, string>; body?: unknown };
        // The body is always bytes: the driver never sends a stream.
        const isBody = commandName === 'PutObjectCommand' || commandName === 'UploadPartCommand';
        if (isBody && body instanceof Uint8Array)
          headers['content-md5'] = createHash('md5').update(body).digest('base64');
        return next(args);
      },
    { step: 'build', name: 'contentMd5' },
  );
}

/** Parses the `Date` header of a response into milliseconds. Returns NaN if the header is absent. */
function clockOf(response: unknown): number {
  const { headers } = response as { headers?: Record<string, string> };
  return Date.parse(headers?.['date'] ?? '');
}

async function clientConfig(config: S3Config): Promise<S3ClientConfig> {
  const location = s3Location(config);
  const credentials = s3Credentials(config) ?? (await credentialChain(config.sts_endpoint, location.region));
  const checksum = s3Checksum(config, location.isAws);
  return {
    region: location.region,
    ...(location.url !== undefined && { endpoint: location.url }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: location.pathStyle,
    tls: !config.insecure,
    // A redirect leads to the host of another region. Follow it only if the settings name no host.
    followRegionRedirects: location.url === undefined,
    useDualstackEndpoint: location.toDualstack,
    requestChecksumCalculation: checksum === 'crc32' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    // Many stores other than Amazon's return no checksum, or one that the SDK cannot verify.
    responseChecksumValidation: location.isAws ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: config.http_config.response_header_timeout,
      ...httpAgents(config.http_config),
    },
  };
}

/**
 * Creates the SDK's credential chain, with the given STS endpoint unless it is empty. Unlike the SDK's default chain,
 * it reads the shared AWS files again each time it is created, because their credentials may have been rotated.
 */
async function credentialChain(endpoint: string, region: string): Promise<S3ClientConfig['credentials']> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const clientConfig = { ...(endpoint !== '' && { endpoint }), region };
  return defaultProvider({ clientConfig, ignoreCache: true });
}
