import { z } from 'zod';
import {
  durationField,
  httpConfig,
  httpNotes,
  isSet,
  notesWithoutEffect,
  secretField,
  secretText,
} from '../config-fields';

const count = z.int().min(0).default(0);
const duration = durationField.prefault('0');

/**
 * Matches the name of a storage account.
 * (https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules)
 */
export const accountName = /^[a-z0-9]{3,24}$/;

/** Schema of the `config` of an AZURE store. Its fields have the same names as in Thanos. */
export const azureConfig = z
  .strictObject({
    storage_account: z
      .string()
      .regex(accountName, 'has to be the name of a storage account')
      .or(z.literal(''))
      .default(''),
    storage_account_key: secretField.optional(),
    storage_connection_string: secretText
      .refine((secret) => !/\p{Cc}/u.test(secret.reveal()), 'has a line break in it: write it on one line')
      .optional(),
    container: z
      .string()
      .regex(/^(?:\$root|[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62})$/, 'has to be the name of a container'),
    endpoint: z
      .string()
      .regex(/^(?:[^/\s@:?#]+(?::\d{1,5})?)?$/, 'has to be a host, without scheme and path')
      .default(''),
    az_tenant_id: z.string().default(''),
    client_id: z.string().default(''),
    client_secret: secretField.optional(),
    user_assigned_id: z.string().default(''),
    storage_create_container: z.boolean().default(false),
    max_retries: count,
    pipeline_config: z
      .strictObject({
        max_tries: count,
        try_timeout: duration,
        retry_delay: duration,
        max_retry_delay: duration,
      })
      .prefault({}),
    reader_config: z.strictObject({ max_retry_requests: count }).prefault({}),
    http_config: httpConfig.prefault({}),
    // Files written for Thanos may contain this setting. It is accepted but has no effect.
    msi_resource: z.string().optional(),
  })
  .superRefine((config, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (/^(?:\d+\.){3}\d+(?::|$)/.test(config.endpoint))
      refuse(
        'endpoint',
        'cannot be an address, as the account is put before it; use a connection string with BlobEndpoint',
      );
    if (config.endpoint.startsWith(`${config.storage_account || '/'}.`))
      refuse('endpoint', 'begins with the account: write it without, as the account is put before it');
    const connection = isSet(config.storage_connection_string);
    const key = isSet(config.storage_account_key);
    const triple = [config.az_tenant_id !== '', config.client_id !== '', isSet(config.client_secret)];
    if (!connection && config.storage_account === '')
      refuse('storage_account', 'is needed, unless there is a storage_connection_string');
    if (connection && key) refuse('storage_account_key', 'and storage_connection_string exclude each other');
    if (connection && config.user_assigned_id !== '')
      refuse('user_assigned_id', 'and storage_connection_string exclude each other');
    if (triple.some(Boolean) && !triple.every(Boolean))
      refuse('client_id', 'belongs together with az_tenant_id and client_secret');
    if (triple.every(Boolean) && config.user_assigned_id !== '')
      refuse('user_assigned_id', 'and client_id exclude each other');
  });
export type AzureConfig = z.output<typeof azureConfig>;

/**
 * Returns the number of attempts and the pauses between them, as set in the configuration. If `max_tries` is 0, uses
 * `max_retries` as the number of attempts, as Thanos does. Omits settings that are 0, so that the defaults apply.
 */
export function azurePatience({ max_retries, pipeline_config: pipeline }: AzureConfig): {
  tries?: number;
  firstPauseMs?: number;
  longestPauseMs?: number;
} {
  const tries = pipeline.max_tries || max_retries;
  const { retry_delay: firstPauseMs, max_retry_delay: longestPauseMs } = pipeline;
  return {
    ...(tries > 0 && { tries }),
    ...(firstPauseMs > 0 && { firstPauseMs }),
    ...(longestPauseMs > 0 && { longestPauseMs }),
  };
}

/** Returns warnings about the configuration, one sentence each, for settings that have no effect or are insecure. */
export function azureNotes(config: AzureConfig): string[] {
  return [...notesWithoutEffect('config', config, ['msi_resource']), ...httpNotes(config.http_config)];
}
