import type { ByteString } from './byte-string';
import { type Codec, list, map, str } from './codec';
import { type CommonSet, type EtlSet, type RecordMap, type RecordOf, recordsOf, type SetOf } from './model';
import type { OwnCodec } from './pipeline';
import { pipelineSpecs, specOf } from './pipelines';
import type { Reader } from './reader';
import { window } from './time-codec';
import type { Pipeline } from './window';
import type { Writer } from './writer';

/** Codecs of the fields that come last in every set, in file order. */
const commonFields: { readonly [F in Exclude<keyof CommonSet, 'version'>]: Codec<CommonSet[F]> } = {
  fromSource: str,
  window,
  warnings: list(str),
  errors: list(str),
};

type NamedCodec = readonly [field: string, codec: Codec<unknown>];

/**
 * Returns two lists of a set's fields, each in file order. `before` contains the fields before the records, except the
 * version. `after` contains the fields after the records.
 */
export function fieldsAround(pipeline: Pipeline): {
  readonly before: readonly NamedCodec[];
  readonly after: readonly NamedCodec[];
} {
  const own = Object.entries<OwnCodec<unknown>>(pipelineSpecs[pipeline].own);
  const at = (side: 'before' | 'after'): NamedCodec[] =>
    own.filter(([, field]) => field.at === side).map(([name, { codec }]) => [name, codec]);
  return { before: at('before'), after: [...at('after'), ...Object.entries<Codec<unknown>>(commonFields)] };
}

/**
 * Reads a set, starting with its version byte. Callers must read the string table first, and must check afterwards that
 * no bytes follow the set.
 */
export function readSet<P extends Pipeline>(pipeline: P, reader: Reader): SetOf[P] {
  const records = map(pipelineSpecs[pipeline].record);
  return readSetWith(pipeline, reader, (from) => records.read(from));
}

/**
 * Reads a set without keeping its records. Passes each record to `visit`, in file order. `visit` also receives the
 * number of entries.
 */
export function scanSet<P extends Pipeline>(
  pipeline: P,
  reader: Reader,
  visit: (key: ByteString, record: RecordOf[P] | null, count: number) => void,
): SetOf[P] {
  const codec = pipelineSpecs[pipeline].record;
  return readSetWith(pipeline, reader, (from) => {
    if (!from.bool()) return null;
    const count = from.count(str.least + codec.least);
    for (let i = 0; i < count; i++) visit(from.str(), codec.read(from), count);
    return new Map();
  });
}

/**
 * Reads the fields of a set, but skips its records. The records end at position `recordsEnd`. In the returned set, the
 * map of records is null.
 */
export function readSetAround<P extends Pipeline>(pipeline: P, reader: Reader, recordsEnd: number): SetOf[P] {
  return readSetWith(pipeline, reader, (from) => {
    from.position = recordsEnd;
    return null;
  });
}

function readSetWith<P extends Pipeline>(
  pipeline: P,
  reader: Reader,
  readRecords: (reader: Reader) => RecordMap<RecordOf[P]> | null,
): SetOf[P] {
  const { before, after } = fieldsAround(pipeline);
  const set: Record<string, unknown> = {
    kind: pipeline,
    version: reader.version(pipelineSpecs[pipeline].versions),
  };
  for (const [field, codec] of before) set[field] = codec.read(reader);
  set[pipeline] = readRecords(reader);
  for (const [field, codec] of after) set[field] = codec.read(reader);
  return set as unknown as SetOf[P];
}

/**
 * Reads `count` consecutive entries, starting at the reader's current position.
 *
 * @returns each entry as a pair of key and record, in file order
 */
export function readEntries<P extends Pipeline>(
  pipeline: P,
  reader: Reader,
  count: number,
): [ByteString, RecordOf[P] | null][] {
  const codec = pipelineSpecs[pipeline].record;
  const entries: [ByteString, RecordOf[P] | null][] = [];
  for (let i = 0; i < count; i++) entries.push([reader.str(), codec.read(reader)]);
  return entries;
}

/**
 * Writes a set, starting with its version byte. If a record has a higher version than the set, the set gets that
 * version, so that a program that does not support the version fails before it reads any record. Each record is written
 * in its own version.
 *
 * @returns the position of each entry in the writer's body, followed by the position where the last entry ends
 */
export function writeSet(writer: Writer, set: EtlSet): number[] {
  const { before, after } = fieldsAround(set.kind);
  const values = set as unknown as Readonly<Record<string, unknown>>;
  writer.u8(Math.max(set.version, highestVersion(set)));
  for (const [field, codec] of before) codec.write(writer, values[field]);
  const offsets = writeRecords(writer, specOf(set).record, recordsOf(set));
  for (const [field, codec] of after) codec.write(writer, values[field]);
  return offsets;
}

function writeRecords<R>(writer: Writer, codec: Codec<R | null>, records: RecordMap<R> | null): number[] {
  writer.bool(records !== null);
  if (records !== null) writer.i32(records.size);
  const offsets: number[] = [];
  for (const [key, record] of records ?? []) {
    offsets.push(writer.position);
    writer.str(key);
    codec.write(writer, record);
  }
  offsets.push(writer.position);
  return offsets;
}

/**
 * Returns the highest codec version of a set's records and their parts. Ignores the version of the window that a record
 * contains. Returns 0 if there are no records.
 */
export function highestVersion<P extends Pipeline>(set: SetOf[P]): number {
  const spec = specOf<P>(set);
  let highest = 0;
  for (const record of recordsOf<P>(set)?.values() ?? []) {
    if (record !== null) highest = Math.max(highest, spec.versionOf(record));
  }
  return highest;
}
