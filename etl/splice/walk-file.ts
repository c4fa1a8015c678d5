import type { ByteString } from '../byte-string';
import { str } from '../codec';
import type { Measure } from '../measure';
import type { RecordOf, SetOf } from '../model';
import type { WalkedIdentity } from '../pipeline';
import { pipelineSpecs } from '../pipelines';
import { Reader } from '../reader';
import { fieldsAround, readEntries, readSetAround } from '../set-codec';
import { hasTable } from '../string-table';
import { type Pipeline, pipelines } from '../window';
import { compileWalk } from './compile-walk';
import { type TableView, textOf } from './string-union';
import { Irregular, Walk } from './walk';
import { WalkedNames } from './walked-names';

/** Entries (keys and records) that have been checked and located, but not decoded. */
export interface WalkedEntries {
  /** Start of each entry, in bytes from the start of the first entry, followed by the end of the last entry. */
  readonly starts: Int32Array;
  /** Number of entries that have a record, and the sums of these records' resource hours. */
  readonly measure: Measure;
  /** The cluster names in the records, as in `Contribution`. */
  readonly names: readonly string[];
  /**
   * Number of records of each codec version. The version of a record is the highest version in the record and its
   * parts.
   */
  readonly versions: Int32Array;
  /**
   * Indexes of the entries that must be decoded, in ascending order:
   *
   * - the first record
   * - entries without a record
   * - records whose window differs from that of the first record
   * - records whose key may differ from their identity
   */
  readonly special: number[];
  /** Indexes of the entries that are in `special` because their key may differ from their record's identity. */
  readonly misnamed: number[];
}

/** A file whose entries have been checked and located, but not decoded. */
export interface WalkedFile<P extends Pipeline = Pipeline> extends WalkedEntries {
  readonly bytes: Buffer;
  /** Position of the set, which comes directly after the string table. */
  readonly set: number;
  /** Position of the first entry. */
  readonly first: number;
  /** The set without its records. `hasMap` is true if the set has a map of records, even an empty one. */
  readonly facts: SetOf[P];
  readonly hasMap: boolean;
}

/** A decoded entry: a key and its record. */
export interface Entry<P extends Pipeline> {
  readonly key: ByteString;
  readonly record: RecordOf[P] | null;
  /** Highest codec version in the record and its parts. 0 if there is no record. */
  readonly version: number;
}

const steps = Object.fromEntries(pipelines.map((pipeline) => [pipeline, stepsOf(pipeline)])) as Readonly<
  Record<Pipeline, ReturnType<typeof stepsOf>>
>;

function stepsOf(pipeline: Pipeline) {
  const { record, versions, walk } = pipelineSpecs[pipeline];
  const { before, after } = fieldsAround(pipeline);
  return {
    before: compileWalk(before.map(([, codec]) => codec)),
    entry: compileWalk([str, record], walk.hooks),
    after: compileWalk(after.map(([, codec]) => codec)),
    least: str.least + record.least,
    versions,
    isUnderIdentity: identityCheck(walk.identity),
  };
}

type IdentityCheck = (walk: Walk, table: TableView, start: number) => boolean;

/**
 * Returns a function that checks whether an entry's key is the identity of its record. In uncertain cases, the check
 * returns false.
 */
function identityCheck(identity: WalkedIdentity): IdentityCheck {
  if ('isKey' in identity) return identity.isKey;
  const { offset } = identity;
  return ({ view }, _, start) => view.getInt32(start, true) === view.getInt32(start + offset, true);
}

/**
 * Walks over files of one pipeline, or over parts of such files. A walk moves over the bytes without decoding them.
 * After each walk, `walk` contains the positions of all string indexes, and the indexes of the strings in use, in the
 * order of first use.
 */
export class FileWalker<P extends Pipeline> {
  readonly walk = new Walk();
  /**
   * String table of the file that was walked last. After a walk over only a part of a file (`overEntries`), this is the
   * table of the whole file.
   */
  table: TableView = { bytes: this.walk.bytes, view: this.walk.view, starts: new Int32Array(1) };
  /** The positions of string indexes in entries are `walk.positions[from]` to `walk.positions[to - 1]`. */
  from = 0;
  to = 0;
  /**
   * Number of strings in `walk.order` that are used by entries, or by fields of the set that come before the entries.
   */
  met = 0;
  private startsSpace = new Int32Array(1);

  constructor(private readonly pipeline: P) {}

  /**
   * Walks over a file without changing it. Checks everything that `decodeSet` checks.
   *
   * @param around if true, the field `met` also counts strings that only the fields after the entries use
   * @returns undefined if the file is damaged, or not in the form that our writer produces
   */
  over(bytes: Uint8Array, around = false): WalkedFile<P> | undefined {
    // Positions are stored in 32 bits, so a walk is not possible over larger files.
    if (!hasTable(bytes) || bytes.length >= 2 ** 31) return undefined;
    return this.unlessIrregular(() => this.walkOver(bytes, around));
  }

  /**
   * Walks over entries that are only a part of a file. The file must be one that our writer has written.
   *
   * @param bytes the entries, from the start of the first one to the end of the last one
   * @param table the string table of the file
   * @returns undefined if `bytes` does not consist of exactly `count` entries
   */
  overEntries(bytes: Uint8Array, table: TableView, count: number): WalkedEntries | undefined {
    return this.unlessIrregular(() => {
      this.walk.begin(bytes, table.starts.length - 1);
      this.table = table;
      this.from = 0;
      const entries = this.walkEntries(0, count);
      if (entries.starts[count] !== bytes.length) throw new Irregular();
      return entries;
    });
  }

  /**
   * Repeats an earlier walk over entries, so that `walk` contains the results of that walk again. The last argument is
   * what the earlier walk returned. `strings` is the number of strings in the string table that the entries refer to.
   * Throws an error if the length of an entry has changed.
   */
  overAgain(bytes: Uint8Array, strings: number, { starts }: WalkedEntries): void {
    const { entry } = steps[this.pipeline];
    const { walk } = this;
    const same = this.unlessIrregular(() => {
      walk.begin(bytes, strings);
      for (let place = 0; place < starts.length - 1; place++) {
        if (entry(walk, starts[place]!) !== starts[place + 1]) throw new Irregular();
      }
      return true;
    });
    if (same !== true) throw new Error('The entries that were read again have changed.');
    this.from = 0;
    this.to = walk.found;
    this.met = walk.met;
  }

  private unlessIrregular<Walked>(over: () => Walked): Walked | undefined {
    try {
      return over();
    } catch (error) {
      this.walk.forget();
      // A RangeError means that DataView would have read beyond the end of the bytes.
      if (error instanceof Irregular || error instanceof RangeError) return undefined;
      throw error;
    }
  }

  private walkOver(bytes: Uint8Array, around: boolean): WalkedFile<P> {
    const { walk, pipeline } = this;
    const { before, after, least, versions: known } = steps[pipeline];
    const set = this.walkTable(bytes);
    const version = walk.view.getUint8(set);
    if (version < known.oldest || version > known.newest) throw new Irregular();
    let at = before(walk, set + 1);
    this.from = walk.found;

    const flag = walk.view.getUint8(at++);
    if (flag > 1) throw new Irregular();
    const count = flag === 0 ? 0 : walk.count(at, least);
    const first = flag === 1 ? at + 4 : at;
    const entries = this.walkEntries(first, count);

    const recordsEnd = first + entries.starts[count]!;
    const end = after(walk, recordsEnd);
    if (end !== bytes.length) throw new Irregular();
    if (around) this.met = walk.met;
    const facts = this.readAround(set, recordsEnd);
    return { ...entries, bytes: walk.bytes, set, first, facts, hasMap: flag === 1 };
  }

  private walkEntries(first: number, count: number): WalkedEntries {
    const { walk } = this;
    const { entry, versions: known, isUnderIdentity } = steps[this.pipeline];
    const starts = new Int32Array(count + 1);
    const versions = new Int32Array(known.newest + 1);
    const special: number[] = [];
    const misnamed: number[] = [];
    const names = new WalkedNames(this.pipeline, walk, this.table);
    let records = 0;
    let at = first;
    walk.hours.reset();
    for (let place = 0; place < count; place++) {
      starts[place] = at - first;
      walk.version = 0;
      const start = at;
      at = entry(walk, at);
      const isRecord = walk.bytes[start + 4] === 1;
      if (isRecord) {
        versions[walk.version]!++;
        records++;
        names.pass(start);
      }
      const usual = isRecord && isUnderIdentity(walk, this.table, start);
      if (!usual || walk.odd || records === 1) special.push(place);
      if (!usual && isRecord) misnamed.push(place);
    }
    starts[count] = at - first;
    this.to = walk.found;
    this.met = walk.met;
    const measure = { records, hours: walk.hours.hours };
    return { starts, measure, names: names.found, versions, special, misnamed };
  }

  /**
   * Starts the walk over a file, and determines the positions of the strings in its table. Returns the position of the
   * table's end.
   */
  private walkTable(bytes: Uint8Array): number {
    const strings = stringCount(bytes);
    if (strings === undefined) throw new Irregular();
    if (this.startsSpace.length <= strings) this.startsSpace = new Int32Array(strings + 1);
    this.walk.begin(bytes, strings);
    this.table = viewTable(this.walk.bytes, strings, this.startsSpace);
    return this.table.starts[strings]!;
  }

  /** Reads the fields of the set, except its records. Decodes only the strings that these fields use. */
  private readAround(set: number, recordsEnd: number): SetOf[P] {
    const { walk, from, to } = this;
    const reader = new Reader(walk.bytes);
    const positions = [...walk.positions.subarray(0, from), ...walk.positions.subarray(to, walk.found)];
    reader.useTable(tableOf(walk, positions, (index) => textOf(this.table, index)));
    reader.position = set;
    return readSetAround(this.pipeline, reader, recordsEnd);
  }
}

/**
 * Returns the number of strings in a file's string table. If the number is 0, returns undefined, because the strings
 * are then inline. Also returns undefined if the number is too large for the size of the file.
 */
export function stringCount(bytes: Uint8Array): number | undefined {
  const strings = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(4, true);
  return strings <= 0 || strings * 2 > bytes.length ? undefined : strings;
}

/**
 * Returns a view of the string table at the start of a file. Throws a RangeError if the table is truncated.
 *
 * @param space filled with the positions of the strings; must have room for `strings` + 1 numbers
 */
export function viewTable(bytes: Buffer, strings: number, space = new Int32Array(strings + 1)): TableView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = space.subarray(0, strings + 1);
  let at = 8;
  for (let i = 0; i < strings; i++) {
    starts[i] = at;
    at += 2 + view.getUint16(at, true);
  }
  starts[strings] = at;
  return { bytes, view, starts };
}

/** Decodes the entry at position `at` in the bytes of `walk`. `text` returns the string for a string index. */
export function decodeEntry<P extends Pipeline>(
  pipeline: P,
  walk: Walk,
  at: number,
  text: (index: number) => ByteString,
): Entry<P> {
  const { found } = walk;
  walk.version = 0;
  steps[pipeline].entry(walk, at);
  const reader = new Reader(walk.bytes);
  reader.useTable(tableOf(walk, walk.positions.subarray(found, walk.found), text));
  reader.position = at;
  const [read] = readEntries(pipeline, reader, 1);
  walk.found = found;
  if (read === undefined) throw new RangeError(`No entry at byte ${at}.`);
  return { key: read[0], record: read[1], version: walk.version };
}

/** Returns a string table that contains only the strings whose indexes are stored at the given positions. */
function tableOf(walk: Walk, positions: Iterable<number>, text: (index: number) => ByteString): ByteString[] {
  const table: ByteString[] = [];
  // Set the last string, to give the sparse array its full length. Only the few strings in use are filled in.
  table[walk.strings - 1] = text(walk.strings - 1);
  for (const position of positions) {
    const index = walk.view.getInt32(position, true);
    table[index] ??= text(index);
  }
  return table;
}
