import { dumpSet, type Json } from '../../etl/dump';
import { decodeSet } from '../../etl/file';
import type { SetOf } from '../../etl/model';
import type { Pipeline } from '../../etl/window';

/** Maximum relative difference between two numbers that count as equal. */
const tolerance = 1e-9;
/** Fields that only describe how a record was encoded. The comparison ignores them. */
const writing = new Set(['codecVersion', 'typeName']);
/** Fields of a set that OpenCost drops when it merges. The comparison ignores them unless it is strict. */
const dropped = new Set(['fromSource', 'warnings', 'errors']);

export interface Strictness {
  /** Whether to compare the fields fromSource, warnings and errors of the sets, too. (Default: false) */
  strict?: boolean;
}

/**
 * Lists the differences in meaning between two sets or files, one line per difference, by these rules:
 * - Null equals an empty list, map or object.
 * - Times are equal if they are the same instant.
 * - Floating-point numbers are equal if their relative difference is at most 1e-9.
 * - Codec versions and the order of maps are ignored.
 * - The fields fromSource, warnings and errors are ignored unless `strict` is true.
 * - The two GPU averages of codec version 22 equal a gpuAllocation that contains the same averages.
 */
export function sameMeaning<P extends Pipeline>(
  pipeline: P,
  a: SetOf[P] | Uint8Array,
  b: SetOf[P] | Uint8Array,
  options: Strictness = {},
): string[] {
  return sameDumps(meaningOf(pipeline, a), meaningOf(pipeline, b), options);
}

/** Same as `sameMeaning`, but compares two JSON dumps in the format of the golden dumps. */
export function sameDumps(a: Json, b: Json, { strict = false }: Strictness = {}): string[] {
  const differences: string[] = [];
  compare(differences, '', byKey(migrated(a)), byKey(migrated(b)), strict);
  return differences;
}

function meaningOf<P extends Pipeline>(pipeline: P, set: SetOf[P] | Uint8Array): Json {
  // Include codec versions, which `migrated` needs to recognize version 22. The comparison itself ignores them.
  return dumpSet(set instanceof Uint8Array ? decodeSet(pipeline, set) : set, { codecVersions: true });
}

type JsonObject = { [name: string]: Json };

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/**
 * Converts records of codec version 22 to the form of later versions: moves their two GPU averages into a
 * gpuAllocation.
 */
function migrated(dump: Json): Json {
  if (!isObject(dump) || !Array.isArray(dump.allocations)) return dump;
  return { ...dump, allocations: dump.allocations.map(migratedRecord) };
}

function migratedRecord(record: Json): Json {
  if (!isObject(record) || record.record === null) return record;
  const { deprecatedGpuRequestAverage: request, deprecatedGpuUsageAverage: usage, ...rest } = record;
  if (rest.gpuAllocation !== null || (request === 0 && usage === 0)) return rest;
  if (rest.codecVersion !== undefined && rest.codecVersion !== 22) return rest;
  const strings = { gpuDevice: '', gpuModel: '', gpuUUID: '' };
  const averages = { gpuUsageAverage: usage ?? null, gpuRequestAverage: request ?? null };
  return { ...rest, gpuAllocation: { ...strings, isGpuShared: null, ...averages } };
}

/**
 * Converts lists of records and lists of volumes to objects. The path of a difference then contains a readable key
 * instead of an index.
 */
function byKey(dump: Json): Json {
  if (Array.isArray(dump)) {
    const keyed = dump.length > 0 && dump.every((entry) => isObject(entry) && keyOf(entry) !== undefined);
    if (!keyed) return dump.map(byKey);
    return Object.fromEntries(dump.map((entry) => [keyOf(entry as JsonObject) ?? '', byKey(entry)]));
  }
  if (!isObject(dump)) return dump;
  return Object.fromEntries(Object.entries(dump).map(([name, value]) => [name, byKey(value)]));
}

function keyOf(entry: JsonObject): string | undefined {
  if (typeof entry.key === 'string') return entry.key;
  if ('value' in entry && 'cluster' in entry) return `${text(entry.cluster)} / ${text(entry.name)}`;
  return undefined;
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function compare(differences: string[], path: string, a: Json, b: Json, strict: boolean): void {
  if (isEmpty(a) && isEmpty(b)) return;
  if (typeof a === 'number' && typeof b === 'number') {
    if (Math.abs(a - b) > tolerance * Math.max(Math.abs(a), Math.abs(b)))
      differences.push(`${path}: ${a} / ${b}`);
    return;
  }
  const [left, right] = [entriesOf(a), entriesOf(b)];
  if (left === undefined || right === undefined) {
    if (a !== b) differences.push(`${path}: ${show(a)} / ${show(b)}`);
    return;
  }
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    if (writing.has(name) || (path === '' && !strict && dropped.has(name))) continue;
    compare(differences, `${path}/${name}`, left.get(name) ?? null, right.get(name) ?? null, strict);
  }
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/**
 * Returns the members of an object or list, keyed by name or index. Returns an empty map for null, and undefined for a
 * scalar.
 */
function entriesOf(value: Json): Map<string, Json> | undefined {
  if (value === null) return new Map();
  return typeof value === 'object' ? new Map(Object.entries(value)) : undefined;
}

function show(value: Json): string {
  return JSON.stringify(value).slice(0, 200);
}
