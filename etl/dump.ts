import { byteOrder, type ByteString, displayText } from './byte-string';
import { type Instant, instantText } from './instant';
import { type Allocation, type EtlRecord, type EtlSet, recordsOf } from './model';
import { specOf } from './pipelines';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface DumpOptions {
  /** If true, the JSON includes the codec version of each record and the Go type name of each asset. */
  codecVersions: boolean;
}

/**
 * Converts a set to JSON. The fields of the set come first, then the records, sorted by key. All fields have their
 * names from the ETL format. Times become strings in UTC. NaN and infinities become strings, and negative zero becomes
 * 0. Missing maps, lists and objects become null. Invalid UTF-8 becomes U+FFFD. Fields of older codec versions are kept
 * as they are.
 */
export function dumpSet(set: EtlSet, options: DumpOptions): Json {
  const records = recordsOf(set);
  const dumped =
    records === null
      ? null
      : [...records]
          .sort(([a], [b]) => byteOrder(a, b))
          .map(([key, record]) => ({ key: displayText(key), ...dumpRecord(record, options) }));
  const { setName, own } = specOf(set);
  const values: object = set;
  return {
    kind: setName,
    codecVersion: set.version,
    window: dump(set.window),
    fromSource: dump(set.fromSource),
    warnings: dump(set.warnings),
    errors: dump(set.errors),
    ...Object.fromEntries(Object.keys(own).map((field) => [field, dump(Reflect.get(values, field))])),
    [set.kind]: dumped,
  };
}

function dumpRecord(record: EtlRecord | null, { codecVersions }: DumpOptions): { [name: string]: Json } {
  if (record === null) return { record: null };
  const { version, ...fields } = record;
  const shown: { [name: string]: Json } = codecVersions ? { codecVersion: version } : {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'pvs' && 'pvs' in record) shown.pvs = dumpVolumes(record);
    else if (name !== 'typeName' || codecVersions) shown[name] = dump(value);
  }
  return shown;
}

/**
 * Converts volumes to a list. They cannot become one JSON object, because the key of a volume is a pair of cluster and
 * name.
 */
function dumpVolumes({ pvs }: Allocation): Json {
  if (pvs === null) return null;
  return [...pvs]
    .sort((a, b) => byteOrder(a.key.cluster, b.key.cluster) || byteOrder(a.key.name, b.key.name))
    .map(({ key, value }) => ({ cluster: dump(key.cluster), name: dump(key.name), value: dump(value) }));
}

/** Converts any value to JSON. Needs no schema, because the value's JavaScript type shows how to convert it. */
function dump(value: unknown): Json {
  if (value === null) return null;
  if (typeof value === 'string') return displayText(value);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : String(value);
  if (Array.isArray(value)) return value.map(dump);
  if (value instanceof Map) return dumpMap(value as Map<ByteString, unknown>);
  if (isInstant(value)) return instantText(value);
  return Object.fromEntries(
    Object.entries(value as object)
      .filter(([name]) => name !== 'version')
      .map(([name, part]) => [name, dump(part)]),
  );
}

/**
 * Converts a map to an object. Unlike an assignment, `Object.fromEntries` creates a property even for the key
 * `__proto__`.
 */
function dumpMap(value: Map<ByteString, unknown>): Json {
  return Object.fromEntries(
    [...value].sort(([a], [b]) => byteOrder(a, b)).map(([key, part]) => [displayText(key), dump(part)]),
  );
}

function isInstant(value: unknown): value is Instant {
  return typeof value === 'object' && value !== null && 'nanos' in value;
}
