import { type Document, isAlias, isMap, isScalar, LineCounter, parseDocument } from 'yaml';

const maxBytes = 1024 * 1024;

/** A parsed YAML (or JSON) document that has not been checked against a schema yet. */
export interface YamlFile {
  readonly name: string;
  /** The document as a plain value; null if the file is empty. */
  readonly value: unknown;
  has(path: readonly PropertyKey[]): boolean;
  /**
   * Returns the line number of a key, counted from 1. If the key does not exist, returns the line number of its nearest
   * existing parent.
   */
  lineOf(path: readonly PropertyKey[]): number;
}

/**
 * Parses a text that contains one YAML document. If the text has a fault, passes a description of the fault to
 * `invalid` and throws the error that `invalid` returns. Faults are: more than 1 MiB, broken YAML, duplicate keys,
 * several documents, and aliases that are unresolved or expand beyond the YAML library's limit. The description never
 * quotes the text, which may contain secrets. For a syntax error, the description contains the line number.
 */
export function readYaml(text: string, name: string, invalid: (detail: string) => Error): YamlFile {
  if (Buffer.byteLength(text) > maxBytes) throw invalid(`${name} is larger than 1 MiB.`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    throw invalid(`${name} line ${line}: not valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')}).`);
  }
  return {
    name,
    value: valueOf(document, name, invalid),
    has: (path) => document.hasIn(path),
    lineOf: (path) => lines.linePos(offsetOf(document, path)).line,
  };
}

function valueOf(document: Document.Parsed, name: string, invalid: (detail: string) => Error): unknown {
  try {
    return document.toJS();
  } catch {
    throw invalid(`${name} has an alias without an anchor, or too many aliases.`);
  }
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let offset = document.contents?.range[0] ?? 0;
  let at: unknown = document.contents;
  for (const name of path) {
    if (!isMap(at)) break;
    const pair = at.items.find(({ key }) => isScalar(key) && String(key.value) === name);
    if (pair === undefined) break;
    if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
    at = isAlias(pair.value) ? pair.value.resolve(document) : pair.value;
  }
  return offset;
}
