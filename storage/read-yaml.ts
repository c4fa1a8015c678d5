import { isMap, isScalar, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { FederationError } from '../errors/federation-error';

const maxBytes = 1024 * 1024;

/** A YAML file of one document, and where in it things stand. */
export interface YamlFile {
  readonly name: string;
  /** Settings that are left empty are left out. */
  readonly value: unknown;
  has(path: readonly PropertyKey[]): boolean;
  /** Of the setting, or of the nearest one above it that is there; the first line is 1. */
  lineOf(path: readonly PropertyKey[]): number;
}

/**
 * Reads a settings file. Throws STORE_CONFIG_INVALID for what is no single YAML document, and for keys that occur twice.
 * Messages name lines, never content: it may hold secrets.
 */
export function readYaml(text: string, name: string): YamlFile {
  const refuse = (what: string, cause?: unknown) =>
    new FederationError('STORE_CONFIG_INVALID', { detail: `${name}${what}`, cause });
  if (Buffer.byteLength(text) > maxBytes) throw refuse(' has more than 1 MiB.');
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents) || documents.length === 0) throw refuse(' is empty.');
  const [document] = documents;
  if (document === undefined || documents.length > 1) throw refuse(' has more than one YAML document.');
  const [error] = document.errors;
  if (error !== undefined) {
    const what =
      error.code === 'DUPLICATE_KEY' ? 'a key occurs twice' : `this is no valid YAML (${error.code})`;
    throw refuse(` line ${lines.linePos(error.pos[0]).line}: ${what}.`);
  }
  const value = valueOf(document, refuse);
  if (value === undefined) throw refuse(' is empty.');
  return {
    name,
    value,
    has: (path) => document.hasIn(path),
    lineOf: (path) => lines.linePos(offsetOf(document, path)).line,
  };
}

function valueOf(document: Document.Parsed, refuse: (what: string) => FederationError): unknown {
  try {
    return withoutNulls(document.toJS({ maxAliasCount: 10 }));
  } catch {
    throw refuse(' uses its anchors too often.');
  }
}

/** What has no value was not set, as in every program that shares the file. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      .map(([key, entry]) => [key, withoutNulls(entry)]),
  );
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let offset = document.contents?.range[0] ?? 0;
  let at: unknown = document.contents;
  for (const name of path) {
    if (!isMap(at)) break;
    const pair = at.items.find((item) => isScalar(item.key) && item.key.value === name);
    if (pair === undefined) break;
    if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
    at = pair.value;
  }
  return offset;
}
