import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { FederationError } from '../errors/federation-error';
import { keyFault } from './check-key';
import { filesystemConfig, type FilesystemConfig } from './drivers/filesystem';
import { s3Config, s3Notes, type S3Config } from './drivers/s3-config';
import { federatedPrefix } from './layout';
import { readYaml, type YamlFile } from './read-yaml';

/** What a `federated-store.yaml` says. Safe to log: the secrets in it show as `***`. */
export type FederatedStore = (
  | { readonly type: 'S3'; readonly config: S3Config }
  | { readonly type: 'FILESYSTEM'; readonly config: FilesystemConfig }
) & {
  /** Under which every key lies, without slashes around it; empty for none. */
  readonly prefix: string;
  /** What the file asks for that does not happen, or was perhaps not meant; one sentence each. */
  readonly warnings: readonly string[];
};

/** The types that this build can open, and what reads their `config`. */
const types = {
  S3: { schema: s3Config, notes: s3Notes },
  FILESYSTEM: { schema: filesystemConfig, notes: () => [] },
} as const;
const typeNames = Object.keys(types).join(', ');

/** Types that others can open, so that they are not called a slip of the pen. */
const foreignTypes = ['GCS', 'AZURE', 'SWIFT', 'COS', 'ALIYUNOSS', 'BOS', 'OCI', 'OBS', 'CLUSTER'];

const topLevel = z.strictObject({
  type: z.string('is needed: the type of the store'),
  config: z.record(z.string(), z.unknown()).default({}),
  prefix: z.string().default(''),
});

/**
 * Reads a `federated-store.yaml` in the format of Thanos: `type`, `config`, `prefix`. Throws STORE_CONFIG_INVALID, which
 * names the file, the line and the setting, and never a value. A key of `config` that nobody knows is a warning only:
 * the file is shared with other programs.
 */
export function parseFederatedStore(yamlText: string, fileName: string): FederatedStore {
  const file = readYaml(yamlText, fileName);
  const top = parse(file, topLevel, file.value, []);
  const type = typeOf(file, top.type);
  const unknown: string[] = [];
  const config = dropUnknown(file, types[type].schema, top.config, unknown);
  const { prefix, warnings } = prefixOf(file, top.prefix);
  const store =
    type === 'S3'
      ? { type, config: parse(file, s3Config, config, ['config']) }
      : { type, config: parse(file, filesystemConfig, config, ['config']) };
  const notes = store.type === 'S3' ? types.S3.notes(store.config) : [];
  return { ...store, prefix, warnings: [...unknown, ...notes, ...warnings] };
}

/** What to show of a store: every setting, secrets as `***`. */
export function describeFederatedStore(store: FederatedStore): Record<string, unknown> {
  const { type, config, prefix } = store;
  return JSON.parse(JSON.stringify({ type, config, prefix })) as Record<string, unknown>;
}

function typeOf(file: YamlFile, text: string): keyof typeof types {
  const type = text.toUpperCase();
  if (type in types) return type as keyof typeof types;
  const known = foreignTypes.includes(type);
  const what = known ? `${type} is not supported by this build` : 'nobody knows it';
  throw invalid(file, ['type'], `is wrong: ${what}. There are ${typeNames}.`);
}

function prefixOf(file: YamlFile, text: string): { prefix: string; warnings: string[] } {
  const prefix = text.replace(/^\/+|\/+$/g, '');
  const fault = prefix === '' ? undefined : keyFault(prefix);
  if (fault !== undefined) throw invalid(file, ['prefix'], fault.replace('The key', 'it'));
  if (`${prefix}/` === federatedPrefix) {
    // OpenCost puts no prefix before a key that begins with it already. With this one all of a federation's do, but for
    // backups, and those must not look like a cluster: so it is as if there were none.
    const warning =
      'prefix: federated adds nothing, as every key begins with `federated/` already: the clusters are looked for in ' +
      '`federated/<cluster id>/`, where OpenCost puts them, not in `federated/federated/`, and backups lie in ' +
      '`federated-etl/`. Leave the prefix out.';
    return { prefix: '', warnings: [warning] };
  }
  const warning = `prefix: the clusters are looked for in \`${prefix}/federated/<cluster id>/\`.`;
  return { prefix, warnings: prefix.startsWith(federatedPrefix) ? [warning] : [] };
}

/** The value without the keys that the schema does not know; a sentence about each goes to `notes`. */
function dropUnknown(file: YamlFile, schema: z.ZodType, value: Record<string, unknown>, notes: string[]) {
  const clean = structuredClone(value);
  for (const issue of schema.safeParse(value).error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue;
    const holder = issue.path.reduce<unknown>(
      (at, name) => (at as Record<PropertyKey, unknown>)[name],
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
    at = (at.shape as Record<PropertyKey, unknown>)[name];
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function nearest(key: string, known: string[]): string {
  const [best] = known
    .map((name) => ({ name, far: distance(key.toLowerCase(), name) }))
    .sort((a, b) => a.far - b.far);
  return best !== undefined && best.far <= 1 + key.length / 3 ? ` Did you mean ${best.name}?` : '';
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
