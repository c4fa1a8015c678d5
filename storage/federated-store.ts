import { z } from 'zod';
import { FederationError } from '../errors/federation-error';
import { nearestName } from '../errors/nearest-name';
import { ownValue } from '../etl/own-value';
import { keyFault } from './check-key';
import { type AzureConfig, azureConfig, azureNotes } from './drivers/azure-config';
import { type FilesystemConfig, filesystemConfig } from './drivers/filesystem';
import { type GcsConfig, gcsConfig, gcsNotes } from './drivers/gcs-config';
import { type S3Config, s3Config, s3Notes } from './drivers/s3-config';
import { readYaml, type YamlFile } from './read-yaml';

/** The content of a `federated-store.yaml` file. It is safe to log, because its secrets appear as `***`. */
export type FederatedStore = (
  | { readonly type: 'S3'; readonly config: S3Config }
  | { readonly type: 'GCS'; readonly config: GcsConfig }
  | { readonly type: 'AZURE'; readonly config: AzureConfig }
  | { readonly type: 'FILESYSTEM'; readonly config: FilesystemConfig }
) & {
  /** The folder below which all keys are stored, without slashes at its start and end. Empty if there is none. */
  readonly prefix: string;
  /** Warnings about settings that have no effect or are probably not intended, one sentence each. */
  readonly warnings: readonly string[];
  /** The elements of `warnings` that are about unknown settings. Some callers treat these warnings as errors. */
  readonly unknown: readonly string[];
  /** The file from which the store was read, if any. */
  readonly origin?: StoreOrigin;
};

/** The file that a store was read from. */
export interface StoreOrigin {
  readonly file: string;
  /** Digest of everything that was read: the file, and the certificates and keys that it names. */
  readonly digest: string;
}

/** Schema of `config`, by type of store. */
const schemas = {
  S3: s3Config,
  GCS: gcsConfig,
  AZURE: azureConfig,
  FILESYSTEM: filesystemConfig,
} as const;
const typeNames = Object.keys(schemas).join(', ');

/**
 * Store types that other programs support but this one does not, with advice on what to use instead. Without an entry
 * here, they would be reported as typos.
 */
const foreignTypes: Readonly<Record<string, string>> = {
  SWIFT: '',
  COS: '',
  ALIYUNOSS: '',
  BOS: '',
  OCI: '',
  OBS: '',
  CLUSTER: ' It is OpenCost’s own file service; give the bucket itself.',
};

const topLevel = z.strictObject({
  type: z.string('is needed: the type of the store'),
  config: z.record(z.string(), z.unknown()).default({}),
  prefix: z.string().default(''),
});

/**
 * Parses the content of a `federated-store.yaml` file. Thanos uses the same format: `type`, `config`, `prefix`. If the
 * content is invalid, throws STORE_CONFIG_INVALID. The error names the file, the line and the setting, but never a
 * value, which may be secret. An unknown setting in `config` only causes a warning, because other programs use the same
 * file.
 */
export function parseFederatedStore(yamlText: string, fileName: string): FederatedStore {
  const file = readYaml(yamlText, fileName, unreadable);
  if (file.value === null) throw unreadable(`${fileName} is empty.`);
  const top = parse(file, topLevel, withoutNulls(file.value), []);
  const type = typeOf(file, top.type);
  const unknown: string[] = [];
  const trimmed: string[] = [];
  const config = dropUnknown(file, schemas[type], withoutSpaces(file, type, top.config, trimmed), unknown);
  const { prefix, warnings } = prefixOf(file, top.prefix);
  const { notes, ...store } = readConfig(file, type, config);
  return { ...store, prefix, unknown, warnings: [...unknown, ...trimmed, ...notes, ...warnings] };
}

/** Removes keys without a value. A key without a value means "not set", as in the other programs that use the file. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      .map(([key, entry]) => [key, withoutNulls(entry)]),
  );
}

/**
 * Removes white space around all texts in `config`, and adds a warning for each to `notes`. Often a line break is
 * pasted along with a key, and the store would then refuse the key. Exception: the name of a folder may begin or end
 * with spaces.
 */
function withoutSpaces(
  file: YamlFile,
  type: keyof typeof schemas,
  config: Record<string, unknown>,
  notes: string[],
): Record<string, unknown> {
  const clean = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, entry]) => [key, clean(entry, [...path, key])]),
      );
    }
    if (typeof value !== 'string' || value.trim() === value) return value;
    // White space around the JSON of a key is harmless. It is common, because a YAML block ends with a line break.
    if (path.at(-1) !== 'service_account')
      notes.push(`${place(file, path)} has white space around it, which is ignored.`);
    return value.trim();
  };
  return type === 'FILESYSTEM' ? config : (clean(config, ['config']) as Record<string, unknown>);
}

function readConfig(file: YamlFile, type: keyof typeof schemas, value: unknown) {
  const read = <Schema extends z.ZodType>(schema: Schema) => parse(file, schema, value, ['config']);
  switch (type) {
    case 'S3': {
      const config = read(s3Config);
      return { type, config, notes: s3Notes(config) };
    }
    case 'GCS': {
      const config = read(gcsConfig);
      return { type, config, notes: gcsNotes(config) };
    }
    case 'AZURE': {
      const config = read(azureConfig);
      return { type, config, notes: azureNotes(config) };
    }
    case 'FILESYSTEM':
      return { type, config: read(filesystemConfig), notes: [] };
  }
}

/** Returns all settings of a store for display. Secrets appear as `***`. */
export function describeFederatedStore(store: FederatedStore): Record<string, unknown> {
  const { type, config, prefix } = store;
  return JSON.parse(JSON.stringify({ type, config, prefix })) as Record<string, unknown>;
}

function typeOf(file: YamlFile, text: string): keyof typeof schemas {
  const type = text.toUpperCase();
  if (Object.hasOwn(schemas, type)) return type as keyof typeof schemas;
  const instead = ownValue(foreignTypes, type);
  const what = instead === undefined ? 'nobody knows it.' : `${type} is not supported.${instead}`;
  throw invalid(file, ['type'], `is wrong: ${what} There are ${typeNames}.`);
}

function prefixOf(file: YamlFile, text: string): { prefix: string; warnings: string[] } {
  const prefix = text.replace(/^\/+|\/+$/g, '');
  const fault = prefix === '' ? undefined : keyFault(prefix);
  if (fault !== undefined) {
    const why = fault.replace('The key', 'it').replace('A part of the key', 'a part of it');
    throw invalid(file, ['prefix'], `is wrong: ${why}`);
  }
  if (prefix === 'federated') {
    // Ignore the prefix `federated`. OpenCost does not add a prefix to a key that already begins with it, so the
    // clusters' files are in `federated/` and not in `federated/federated/`. If this program added the prefix, it would
    // not find those files. It would also write backups to `federated/federated-etl/`, where they would look like the
    // files of a cluster.
    const warning =
      'prefix: federated adds nothing, as every key begins with `federated/` already: the clusters are looked for in ' +
      '`federated/<cluster id>/`, where OpenCost puts them, not in `federated/federated/`, and backups lie in ' +
      '`federated-etl/`. Leave the prefix out.';
    return { prefix: '', warnings: [warning] };
  }
  const warning = `prefix: the clusters are looked for in \`${prefix}/federated/<cluster id>/\`.`;
  return { prefix, warnings: prefix.split('/')[0] === 'federated' ? [warning] : [] };
}

/**
 * Returns a copy of the value without the keys that the schema does not know. Adds a warning about each removed key to
 * `notes`.
 */
function dropUnknown(file: YamlFile, schema: z.ZodType, value: Record<string, unknown>, notes: string[]) {
  const clean = structuredClone(value);
  for (const issue of schema.safeParse(value).error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue;
    const holder = issue.path.reduce<unknown>(
      (at, name) => ownValue(at as Record<string, unknown>, String(name)),
      clean,
    );
    for (const key of issue.keys) {
      delete (holder as Record<string, unknown>)[key];
      const path = ['config', ...issue.path, key];
      notes.push(
        `${place(file, path)} is not known and has no effect.${nearest(key, knownKeys(schema, issue.path))}`,
      );
    }
  }
  return clean;
}

function parse<Schema extends z.ZodType>(
  file: YamlFile,
  schema: Schema,
  value: unknown,
  path: readonly PropertyKey[],
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw invalid(file, path, 'cannot be used.');
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    throw invalid(file, [...path, key], `is not known.${nearest(key, knownKeys(schema, issue.path))}`);
  }
  throw invalid(file, [...path, ...issue.path], `${sentence(issue, file, [...path, ...issue.path])}.`);
}

function sentence(issue: z.core.$ZodIssue, file: YamlFile, path: readonly PropertyKey[]): string {
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) return issue.message;
  if (!file.has(path)) return 'is needed';
  return `has to be a ${issue.expected}${issue.expected === 'string' ? '; put it in quotes' : ''}`;
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const name of [...path, undefined]) {
    while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
      at = at.unwrap();
    if (!(at instanceof z.ZodObject)) return [];
    if (name === undefined) break;
    at = ownValue(at.shape as Record<string, unknown>, String(name));
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function nearest(key: string, known: string[]): string {
  const best = nearestName(key.toLowerCase(), known);
  return best !== undefined && best.far <= 1 + key.length / 3 ? ` Did you mean ${best.name}?` : '';
}

function unreadable(detail: string): FederationError {
  return new FederationError('STORE_CONFIG_INVALID', { detail });
}

function place(file: YamlFile, path: readonly PropertyKey[]): string {
  return `${file.name} line ${file.lineOf(path)}: ${path.join('.') || 'the file'}`;
}

function invalid(file: YamlFile, path: readonly PropertyKey[], what: string): FederationError {
  return new FederationError('STORE_CONFIG_INVALID', {
    subject: { setting: path.join('.') || undefined },
    detail: `${place(file, path)} ${what}`,
    hint: 'Correct the file; docs/reference/federated-store.md lists what each type takes.',
  });
}
