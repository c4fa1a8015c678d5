import { z } from 'zod';
import { ownValue } from '../../etl/own-value';
import { httpConfig, httpNotes, notesWithoutEffect } from '../config-fields';
import { Secret } from '../secret';

const kibibyte = 1024;
const chunkUnit = 256 * kibibyte;
const defaultChunkSize = 8 * 1024 * kibibyte;

/** The types of credentials that the setting `service_account` may contain. */
const credentialTypes = ['service_account', 'external_account', 'authorized_user'];

/** Schema of the `config` of a GCS store. Its fields have the same names as in Thanos. */
export const gcsConfig = z.strictObject({
  bucket: z.string().regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'has to be the name of a bucket'),
  service_account: z
    .string()
    .transform((text) => new Secret(text, secretsOf(text)))
    .refine((secret) => secret.reveal() === '' || typeOf(secret.reveal()) !== undefined, {
      message: `has to be the JSON of a key, as text; its type one of ${credentialTypes.join(', ')}`,
    })
    .optional(),
  chunk_size_bytes: z
    .int()
    .min(0)
    .default(0)
    .transform((size) => Math.ceil((size || defaultChunkSize) / chunkUnit) * chunkUnit),
  max_retries: z.int().min(0).default(0),
  http_config: httpConfig.prefault({}),
  // Files written for Thanos may contain these two settings. They are accepted but have no effect: the driver uses only
  // the JSON API.
  use_grpc: z.boolean().optional(),
  grpc_conn_pool_size: z.int().min(0).optional(),
});
export type GcsConfig = z.output<typeof gcsConfig>;

/**
 * Returns the credentials in the setting `service_account`. Returns undefined if the setting is empty: Google's library
 * then searches for credentials itself.
 */
export function gcsCredentials(config: GcsConfig): Record<string, unknown> | undefined {
  const text = config.service_account?.reveal() ?? '';
  return text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
}

/** Returns warnings about settings that have no effect or are insecure, one sentence each. */
export function gcsNotes(config: GcsConfig): string[] {
  return [
    ...notesWithoutEffect('config', config, ['use_grpc', 'grpc_conn_pool_size']),
    ...httpNotes(config.http_config),
  ];
}

function typeOf(text: string): string | undefined {
  const type = ownValue(parsed(text), 'type');
  return credentialTypes.find((known) => known === type);
}

/** Returns the secrets in the JSON of a key: its other fields say who it is for, and may be shown. */
function secretsOf(text: string): string[] {
  const fields = parsed(text);
  return ['private_key', 'private_key_id', 'client_secret', 'refresh_token'].flatMap((name) => {
    const value = ownValue(fields, name);
    return typeof value === 'string' ? [value] : [];
  });
}

function parsed(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
