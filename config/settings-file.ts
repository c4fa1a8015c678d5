import { readFileSync } from 'node:fs';
import { types } from 'node:util';
import { distance } from 'fastest-levenshtein';
import { isAlias, isMap, isScalar, LineCounter, parseDocument, type Document, type YAMLMap } from 'yaml';
import { FederationError } from '../errors/federation-error';

/** A value, and where it was found, for messages. */
export interface Found {
  readonly value: unknown;
  /** Such as `federated-etl.yaml, line 12` or `CLUSTER_ID`. */
  readonly where: string;
  /** A text from the environment, where everything is one. */
  readonly textual?: boolean;
}

/** What a YAML file holds, sorted into what somebody knows and what nobody does. */
export interface FileContent {
  readonly known: ReadonlyMap<string, Found>;
  readonly unknown: readonly { readonly path: string; readonly where: string }[];
}

/** A YAML file that was read, before it is clear what kind it is. */
export interface SettingsFile {
  readonly name: string;
  /** The keys at the top, and those of `federatedETL`, as they stand. */
  readonly topKeys: readonly string[];
  readonly federatedEtlKeys: readonly string[];
  /** Its values at these paths. A key that is only empty counts as not there. */
  at(paths: ReadonlySet<string>): FileContent;
}

/** Reads a YAML (so also a JSON) file. */
export function readSettingsFile(file: string): SettingsFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: true });
  const [mistake] = document.errors;
  if (mistake !== undefined) throw invalid(file, `It is not valid YAML: ${mistake.message}`, mistake);
  const root = document.contents;
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    throw invalid(file, 'It holds no settings: a list of `key: value` is expected.');
  }
  const top = isMap(root) ? root : undefined;
  const federatedEtl = top?.get('federatedETL');
  return {
    name: file,
    topKeys: keysOf(top),
    federatedEtlKeys: keysOf(isMap(federatedEtl) ? federatedEtl : undefined),
    at: (paths) => sort(document, top, paths, (offset) => `${file}, line ${lines.linePos(offset).line}`),
  };
}

function sort(
  document: Document,
  top: YAMLMap | undefined,
  paths: ReadonlySet<string>,
  locate: (offset: number) => string,
): FileContent {
  const known = new Map<string, Found>();
  const unknown: { path: string; where: string }[] = [];
  const walk = (map: YAMLMap, prefix: string): void => {
    for (const { key, value } of map.items) {
      const path = prefix + (isScalar(key) ? String(key.value) : String(key));
      const where = locate(isScalar(key) ? (key.range?.[0] ?? 0) : 0);
      const node = isAlias(value) ? value.resolve(document) : value;
      const group = [...paths].some((other) => other.startsWith(`${path}.`));
      if (paths.has(path)) {
        const plain: unknown = isScalar(node)
          ? node.value
          : isMap(node) || node != null
            ? toPlain(node, document)
            : null;
        if (plain !== null && plain !== undefined) known.set(path, { value: plain, where });
      } else if (group && isMap(node)) walk(node, `${path}.`);
      else if (!group || !(node === null || (isScalar(node) && node.value === null)))
        unknown.push({ path, where });
    }
  };
  if (top !== undefined) walk(top, '');
  return { known, unknown };
}

function toPlain(node: unknown, document: Document): unknown {
  return (node as { toJS(document: Document): unknown }).toJS(document);
}

function keysOf(map: YAMLMap | undefined): string[] {
  return map === undefined
    ? []
    : map.items.map(({ key }) => (isScalar(key) ? String(key.value) : String(key)));
}

/** The known name that was probably meant, and how many letters it is away. */
export function nearest(name: string, known: readonly string[]): { name: string; far: number } | undefined {
  const byDistance = known.map((other) => ({ name: other, far: distance(name, other) }));
  return byDistance.sort((a, b) => a.far - b.far)[0];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = types.isNativeError(cause) ? cause.message : String(cause);
    throw new FederationError('SETTINGS_INVALID', {
      subject: { key: file },
      detail: `The settings file cannot be read: ${why}.`,
      hint: 'Give the right file with --config or FEDERATED_ETL_CONFIG.',
      cause,
    });
  }
}

function invalid(file: string, detail: string, cause?: unknown): FederationError {
  return new FederationError('SETTINGS_INVALID', { subject: { key: file }, detail, cause });
}
