import { dumpSet, type Json } from '../../etl/dump';
import { decodeSet } from '../../etl/file';
import type { SetOf } from '../../etl/model';
import type { Pipeline } from '../../etl/window';

/** Largest difference between two numbers that count as equal, relative to the larger of them. */
const tolerance = 1e-9;
/** Fields that describe how a record was written, not what it means. */
const writing = new Set(['codecVersion', 'typeName']);
/** Fields of a set that OpenCost drops when it merges. */
const dropped = new Set(['fromSource', 'warnings', 'errors']);

export interface Strictness {
  /** Whether fromSource, warnings and errors of the sets are compared, too. */
  strict?: boolean;
}

/**
 * Lists the differences in meaning between two sets or files, one line each. Null equals empty. Times are equal if they
 * are the same instant, floats if they differ by at most a relative 1e-9. Codec versions and the order of maps are
 * ignored. fromSource, warnings and errors are ignored unless `strict` is true. The two GPU averages of version 22
 * equal a gpuAllocation with these averages.
 */
export function sameMeaning<P extends Pipeline>(
  pipeline: P,
  a: SetOf[P] | Uint8Array,
  b: SetOf[P] | Uint8Array,
  options: Strictness = {},
): string[] {
  return sameDumps(meaningOf(pipeline, a), meaningOf(pipeline, b), options);
}

/** Like `sameMeaning`, for two dumps in the format of the fixtures. */
export function sameDumps(a: Json, b: Json, { strict = false }: Strictness = {}): string[] {
  const differences: string[] = [];
  compare(differences, '', byKey(migrated(a)), byKey(migrated(b)), strict);
  return differences;
}

function meaningOf<P extends Pipeline>(pipeline: P, set: SetOf[P] | Uint8Array): Json {
  // The dump needs codec versions to recognize GPU averages of version 22. The comparison itself ignores versions.
  return dumpSet(set instanceof Uint8Array ? decodeSet(pipeline, set) : set, { codecVersions: true });
}

type JsonObject = { [name: string]: Json };

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/**
 * Converts GPU averages in records of version 22. These have two fields for them, where later versions have a
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
 * Converts lists of records and of volumes to objects, so that the path of each difference contains a key instead of an
 * index.
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

/** Returns the members of an object or list, keyed by name or index. Null has no members. A scalar yields undefined. */
function entriesOf(value: Json): Map<string, Json> | undefined {
  if (value === null) return new Map();
  return typeof value === 'object' ? new Map(Object.entries(value)) : undefined;
}

function show(value: Json): string {
  return JSON.stringify(value).slice(0, 200);
}
