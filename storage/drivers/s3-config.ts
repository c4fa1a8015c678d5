import { z } from 'zod';
import { httpConfig, httpNotes, isSet, secretField } from '../config-fields';
import { describeHost, isAddress, splitEndpoint } from './s3-endpoint';

const mebibyte = 1024 * 1024;
const defaultPartSize = 8 * mebibyte;

const sseConfig = z
  .strictObject({
    type: z.enum(['', 'SSE-S3', 'SSE-KMS', 'SSE-C']).default(''),
    kms_key_id: z.string().default(''),
    kms_encryption_context: z.record(z.string(), z.string()).default({}),
    encryption_key: z.string().default(''),
  })
  .refine((sse) => sse.type !== 'SSE-KMS' || sse.kms_key_id !== '', {
    path: ['kms_key_id'],
    message: 'is needed with SSE-KMS',
  })
  .refine((sse) => sse.type !== 'SSE-C' || sse.encryption_key !== '', {
    path: ['encryption_key'],
    message: 'is needed with SSE-C: the path of a file with the 32 bytes of the key',
  });

/** Schema of the `config` of an S3 store. Its fields have the same names as in Thanos. */
export const s3Config = z
  .strictObject({
    bucket: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/, 'has to be the name of a bucket'),
    endpoint: z.string().refine((endpoint) => splitEndpoint(endpoint) !== undefined, {
      error:
        'has to be a host, with a port if it is not the usual one, and without a path; an IPv6 address in brackets',
      abort: true,
    }),
    region: z.string().default(''),
    access_key: secretField.optional(),
    secret_key: secretField.optional(),
    session_token: secretField.optional(),
    aws_sdk_auth: z.boolean().default(false),
    insecure: z.boolean().default(false),
    bucket_lookup_type: z.enum(['auto', 'virtual-hosted', 'path']).default('auto'),
    list_objects_version: z.enum(['', 'v1', 'v2']).default(''),
    part_size: z
      .int()
      .min(0)
      .default(0)
      .transform((size) => Math.min(Math.max(size || defaultPartSize, 5 * mebibyte), 5 * 1024 * mebibyte)),
    put_user_metadata: z.record(z.string(), z.string()).default({}),
    sse_config: sseConfig.prefault({}),
    http_config: httpConfig.prefault({}),
    max_retries: z.int().min(0).default(0),
    disable_dualstack: z.boolean().optional(),
    disable_multipart: z.boolean().default(false),
    sts_endpoint: z
      .string()
      .regex(
        /^(https?:\/\/[^\s/@]+\/?)?$/,
        'has to be a URL with its scheme, such as https://sts.example.com',
      )
      .default(''),
    trace: z.strictObject({ enable: z.boolean().default(false) }).prefault({}),
    signature_version2: z.literal(false, 'is not supported: every S3 of today takes version 4').optional(),
    /** Checksum to send with each body. `auto` means `crc32` for Amazon S3 and `none` for other stores. */
    checksum: z.enum(['auto', 'none', 'crc32', 'md5']).default('auto'),
    /** Thanos' name for `checksum: md5`. */
    send_content_md5: z.boolean().optional(),
  })
  .superRefine((config, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    const hasKey = isSet(config.access_key);
    if (hasKey !== isSet(config.secret_key)) refuse('access_key', 'and secret_key belong together');
    if (hasKey && config.aws_sdk_auth) refuse('aws_sdk_auth', 'and access_key exclude each other');
    if (isSet(config.session_token) && !hasKey) refuse('session_token', 'is of no use without access_key');
    if (config.send_content_md5 === true && config.checksum !== 'auto' && config.checksum !== 'md5')
      refuse('checksum', `${config.checksum} contradicts send_content_md5: true`);
    const fault = endpointFault(config);
    if (fault !== undefined) refuse(fault.field, fault.message);
    if (config.sse_config.type === 'SSE-C' && config.insecure) {
      refuse('sse_config', 'SSE-C would send its key in the clear with insecure: true');
    }
  });
export type S3Config = z.output<typeof s3Config>;

/**
 * Returns the access key in the configuration, or undefined if there is none. Without an access key, the AWS SDK
 * searches for credentials itself.
 */
export function s3Credentials({ access_key, secret_key, session_token }: S3Config) {
  if (!isSet(access_key) || !isSet(secret_key)) return undefined;
  return {
    accessKeyId: access_key.reveal(),
    secretAccessKey: secret_key.reveal(),
    sessionToken: session_token?.reveal() || undefined,
  };
}

/** Returns warnings about the configuration, one sentence each, for settings that have no effect or are insecure. */
export function s3Notes(config: S3Config): string[] {
  return [
    ...(config.insecure ? ['config.insecure: everything but the secret key travels in the clear.'] : []),
    ...httpNotes(config.http_config),
  ];
}

/** Returns how the endpoint contradicts another setting. Returns undefined if it contradicts none. */
function endpointFault(config: {
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  readonly insecure: boolean;
  readonly bucket_lookup_type: string;
  readonly disable_dualstack?: boolean | undefined;
}): { field: string; message: string } | undefined {
  const written = splitEndpoint(config.endpoint);
  if (written === undefined) return undefined;
  const { scheme, host, port } = written;
  const fault = (field: string, message: string) => ({ field, message });
  if (scheme !== undefined && (scheme.toLowerCase() === 'http') !== config.insecure)
    return fault('endpoint', `begins with ${scheme}, which contradicts insecure: ${config.insecure}`);
  const virtual = config.bucket_lookup_type === 'virtual-hosted';
  if (virtual && isAddress(host))
    return fault('bucket_lookup_type', 'virtual-hosted needs a name as endpoint, not an address');
  if (host.startsWith(`${config.bucket.toLowerCase()}.s3`))
    return fault(
      'endpoint',
      'begins with the name of the bucket: write it without, as the bucket is added to it',
    );
  const known = describeHost(host);
  if (known === undefined)
    return fault('endpoint', 'is a host of Amazon that does not serve buckets; it may be misspelled');
  if (!known.isAws) return undefined;
  if (port !== undefined && port !== (config.insecure ? '80' : '443'))
    return fault('endpoint', 'names a port that Amazon’s hosts do not have');
  if (known.region !== undefined && config.region !== '' && config.region !== known.region)
    return fault('region', `contradicts the endpoint, which is of ${known.region}`);
  if (known.onlyVirtual && config.region === '')
    return fault('region', 'is needed, as the endpoint does not name it: the region of the bucket');
  if (known.onlyVirtual && config.bucket_lookup_type === 'path')
    return fault('bucket_lookup_type', 'path is not possible with this endpoint');
  if (known.dualstack === true && config.disable_dualstack === true)
    return fault('disable_dualstack', 'contradicts the endpoint, which is a dual-stack host');
  return undefined;
}

/** Location of the store for the SDK. */
export interface S3Location {
  /**
   * URL of the endpoint, exactly as in the settings. Undefined for `s3.amazonaws.com`, because the SDK then derives the
   * host from the region.
   */
  readonly url: string | undefined;
  readonly region: string;
  readonly pathStyle: boolean;
  readonly isAws: boolean;
  /** Whether the SDK replaces the endpoint by Amazon's dual-stack host of the region. */
  readonly toDualstack: boolean;
}

export function s3Location(config: S3Config): S3Location {
  const { host = '', port } = splitEndpoint(config.endpoint) ?? {};
  const known = describeHost(host);
  const isAws = known?.isAws === true;
  const toDualstack =
    isAws && config.disable_dualstack === false && known.dualstack === undefined && !known.onlyVirtual;
  const asWritten = `${config.insecure ? 'http' : 'https'}://${host}${port === undefined ? '' : `:${port}`}`;
  return {
    url: known?.isAnyRegion === true || toDualstack ? undefined : asWritten,
    region: config.region || known?.region || 'us-east-1',
    pathStyle: config.bucket_lookup_type === 'auto' ? !isAws : config.bucket_lookup_type === 'path',
    isAws,
    toDualstack,
  };
}

/** Returns the checksum to send with each body that is written. */
export function s3Checksum(
  { checksum, send_content_md5 }: S3Config,
  isAws: boolean,
): 'none' | 'crc32' | 'md5' {
  if (send_content_md5 === true) return 'md5';
  if (checksum !== 'auto') return checksum;
  return isAws ? 'crc32' : 'none';
}
