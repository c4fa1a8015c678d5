import { readFileSync } from 'node:fs';
import { types } from 'node:util';
import { errorLine } from '../errors/error-line';
import { FederationError } from '../errors/federation-error';
import { readYaml, type YamlFile } from '../storage/read-yaml';

/** A value, and the place where it was found, for error messages. */
export interface Found {
  readonly value: unknown;
  /** Where the value was found, such as `federated-etl.yaml, line 12` or `CLUSTER_ID`. */
  readonly where: string;
  /** True if the value comes from an environment variable and is therefore a string. */
  readonly textual?: boolean;
}

/** The content of a YAML file: the values at known paths, and the paths of all other keys. */
export interface FileContent {
  readonly known: ReadonlyMap<string, Found>;
  readonly unknown: readonly { readonly path: string; readonly where: string }[];
}

/** A YAML file whose kind has not been determined yet: our settings file, Helm values or `federator.json`. */
export interface SettingsFile {
  readonly name: string;
  /** Top-level keys, including keys without a value. `federatedEtlKeys` contains the keys inside `federatedETL`. */
  readonly topKeys: readonly string[];
  readonly federatedEtlKeys: readonly string[];
  /**
   * Returns the values at the given paths, and lists all other keys as unknown. A key without a value counts as absent.
   */
  at(paths: ReadonlySet<string>): FileContent;
}

/** Reads a YAML file. The file may also be JSON, because JSON is valid YAML. */
export function readSettingsFile(file: string): SettingsFile {
  const yaml = readYaml(readText(file), file, (detail) => invalid(file, detail));
  const top = yaml.value ?? {};
  if (!isMapping(top)) throw invalid(file, 'It holds no settings: `key: value` pairs are expected.');
  const { federatedETL } = top;
  return {
    name: file,
    topKeys: Object.keys(top),
    federatedEtlKeys: isMapping(federatedETL) ? Object.keys(federatedETL) : [],
    at: (paths) => sort(yaml, top, paths),
  };
}

function sort(yaml: YamlFile, top: Mapping, paths: ReadonlySet<string>): FileContent {
  const known = new Map<string, Found>();
  const unknown: { path: string; where: string }[] = [];
  const walk = (mapping: Mapping, parents: readonly string[]): void => {
    for (const [key, value] of Object.entries(mapping)) {
      const keys = [...parents, key];
      const path = keys.join('.');
      const where = `${yaml.name}, line ${yaml.lineOf(keys)}`;
      const isGroup = [...paths].some((other) => other.startsWith(`${path}.`));
      if (paths.has(path)) {
        if (value !== null) known.set(path, { value, where });
      } else if (isGroup && isMapping(value)) walk(value, keys);
      else if (!isGroup || value !== null) unknown.push({ path, where });
    }
  };
  walk(top, []);
  return { known, unknown };
}

type Mapping = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const isAbsent = types.isNativeError(cause) && (cause as { code?: unknown }).code === 'ENOENT';
    throw new FederationError('SETTINGS_INVALID', {
      subject: { key: file },
      detail: isAbsent
        ? `There is no settings file ${file}.`
        : `The settings file cannot be read: ${errorLine(cause)}.`,
      hint: 'Pass the right file with --config or FEDERATED_ETL_CONFIG.',
      cause,
    });
  }
}

function invalid(file: string, detail: string): FederationError {
  return new FederationError('SETTINGS_INVALID', { subject: { key: file }, detail });
}
