import { z } from 'zod';
import { httpConfig, httpNotes, isSet, notesWithoutEffect, secretField } from '../config-fields';

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
    endpoint: z
      .string()
      .regex(
        /^(https?:\/\/)?[^/\s@:]+(:\d{1,5})?$/,
        'has to be a host, with a port if it is not the usual one, and without a path',
      ),
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
    // Files written for Thanos may contain this setting. It is accepted but has no effect: the SDK sends its own
    // checksums.
    send_content_md5: z.boolean().optional(),
  })
  .superRefine((config, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    const hasKey = isSet(config.access_key);
    if (hasKey !== isSet(config.secret_key)) refuse('access_key', 'and secret_key belong together');
    if (hasKey && config.aws_sdk_auth) refuse('aws_sdk_auth', 'and access_key exclude each other');
    if (isSet(config.session_token) && !hasKey) refuse('session_token', 'is of no use without access_key');
    const scheme = /^(https?):/.exec(config.endpoint)?.[1];
    if (scheme !== undefined && (scheme === 'http') !== config.insecure) {
      refuse('endpoint', `begins with ${scheme}, which contradicts insecure: ${config.insecure}`);
    }
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
    ...notesWithoutEffect('config', config, ['send_content_md5']),
    ...(config.insecure ? ['config.insecure: everything but the secret key travels in the clear.'] : []),
    ...httpNotes(config.http_config),
  ];
}

/** Location of the store for the SDK. If `url` is undefined, the SDK derives the host from the region. */
export interface S3Location {
  readonly url: string | undefined;
  readonly region: string;
  readonly pathStyle: boolean;
  readonly isAws: boolean;
}

export function s3Location(config: S3Config): S3Location {
  const host = config.endpoint.replace(/^https?:\/\//, '');
  const aws = /^s3(?:[.-](?!accesspoint|control)(?:dualstack\.)?([a-z0-9-]+))?\.amazonaws\.com(\.cn)?$/.exec(
    host,
  );
  return {
    url: aws ? undefined : `${config.insecure ? 'http' : 'https'}://${host}`,
    region: config.region || aws?.[1] || 'us-east-1',
    pathStyle: config.bucket_lookup_type === 'auto' ? aws === null : config.bucket_lookup_type === 'path',
    isAws: aws !== null,
  };
}
