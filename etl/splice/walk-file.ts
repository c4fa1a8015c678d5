import type { ByteString } from '../byte-string';
import { str } from '../codec';
import type { SetOf } from '../model';
import { Reader } from '../reader';
import { readEntries, readSetAround, type RecordOf, setLayouts } from '../set-codec';
import { hasTable } from '../string-table';
import { allocationVersions, assetVersions } from '../versions';
import type { Pipeline } from '../window';
import { compileWalk, type Hooks } from './compile-walk';
import type { TableView } from './string-union';
import { hasUsualKey } from './usual-key';
import { Irregular, type Step, Walk } from './walk';

/** Entries (keys and records) that have been walked over. */
export interface WalkedEntries {
  /** Where each starts, counted in bytes from where the first one does; then where the last one ends. */
  readonly starts: Int32Array;
  /** How many of the entries have a record. */
  readonly records: number;
  /** By codec version: how many records have it as the highest, their parts included. */
  readonly versions: Int32Array;
  /**
   * Places, ascending, of entries that have to be looked at: the first record; those without a record, with another
   * window than the first or (perhaps) not under their identity.
   */
  readonly special: number[];
  /** Assets among `special` whose key is not the usual one. */
  readonly misnamed: number[];
}

/** A file that has been walked over. */
export interface WalkedFile<P extends Pipeline = Pipeline> extends WalkedEntries {
  readonly bytes: Buffer;
  /** Where the table ends and the set begins. */
  readonly set: number;
  /** Where the first entry starts. */
  readonly first: number;
  /** The set without its records, and whether it has a map of them. */
  readonly facts: SetOf[P];
  readonly hasMap: boolean;
}

/** One entry, decoded. */
export interface Entry<P extends Pipeline> {
  readonly key: ByteString;
  readonly record: RecordOf[P] | null;
  /** The highest codec version of the record and its parts; 0 without a record. */
  readonly version: number;
}

/** Behind an entry's key (4 bytes), its flag (1), word (4) and version (1) stands an allocation's name. */
const nameOffset = 4 + 1 + 4 + 1;
/** Flag, word and version stand before the fields of properties. */
const propertiesOffset = 1 + 4 + 1;

/** Where the index of an entry's identity stands, from the start of the entry on; of an asset, when its key is the usual one. */
export const identityOffset: Record<Pipeline, number> = { allocations: nameOffset, assets: 0 };

const watchWindow = (step: Step): Step => {
  return (walk, at) => walk.recordWindow(step, at);
};

const noteProperties = (step: Step): Step => {
  return (walk, at) => {
    walk.properties = walk.bytes[at] === 1 ? at + propertiesOffset : -1;
    return step(walk, at);
  };
};

const hooks: Record<Pipeline, Hooks> = {
  allocations: { window: watchWindow },
  assets: { window: watchWindow, properties: noteProperties },
};

const steps = {
  allocations: stepsOf('allocations'),
  assets: stepsOf('assets'),
};

function stepsOf(pipeline: Pipeline) {
  const { before, record, after } = setLayouts[pipeline];
  return {
    before: compileWalk(before),
    entry: compileWalk([str, record], hooks[pipeline]),
    after: compileWalk(after),
    least: str.least + record.least,
    versions: pipeline === 'allocations' ? allocationVersions : assetVersions,
  };
}

/**
 * Walks over files of one pipeline, or over parts of them, one after another. What the walk met of the last one stands in
 * `walk`: the positions of the string indexes of its entries from `from` to `to`, and its used strings in order.
 */
export class FileWalker<P extends Pipeline> {
  readonly walk = new Walk();
  /** That of the last file, or of the file that the last entries are of. */
  table: TableView = { bytes: this.walk.bytes, view: this.walk.view, starts: new Int32Array(1) };
  /** Of the positions of string indexes, those inside of entries. */
  from = 0;
  to = 0;
  /** How many of the strings in `walk.order` its entries (and what stands before them) use. */
  met = 0;
  private startsSpace = new Int32Array(1);

  constructor(private readonly pipeline: P) {}

  /**
   * Walks over a file; nothing in it is changed. Everything that `decodeSet` checks is checked.
   *
   * @param around whether the strings behind the entries count as used, too
   * @returns undefined for a file that is damaged or not as our writer would write it
   */
  over(bytes: Uint8Array, around = false): WalkedFile<P> | undefined {
    // Positions are kept in 32 bits.
    if (!hasTable(bytes) || bytes.length >= 2 ** 31) return undefined;
    return this.unlessIrregular(() => this.walkOver(bytes, around));
  }

  /**
   * Walks over entries alone, as they stand in a file of ours.
   *
   * @param bytes from the start of the first entry to the end of the last one
   * @param table that of the file
   * @returns undefined when they are not so many entries
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

  /** Walks over entries that were walked over before, for what the walk meets alone. Throws when they are others by now. */
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
    if (same !== true) throw new Error('What was read again is not what was read before.');
    this.from = 0;
    this.to = walk.found;
    this.met = walk.met;
  }

  private unlessIrregular<Walked>(over: () => Walked): Walked | undefined {
    try {
      return over();
    } catch (error) {
      this.walk.forget();
      // The view's own: a read beyond the end.
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
    const { entry, versions: known } = steps[this.pipeline];
    const starts = new Int32Array(count + 1);
    const versions = new Int32Array(known.newest + 1);
    const special: number[] = [];
    const misnamed: number[] = [];
    let records = 0;
    let at = first;
    for (let place = 0; place < count; place++) {
      starts[place] = at - first;
      walk.version = 0;
      const start = at;
      at = entry(walk, at);
      const isRecord = walk.bytes[start + 4] === 1;
      if (isRecord) {
        versions[walk.version]!++;
        records++;
      }
      const usual = isRecord && this.isUnderIdentity(start);
      if (!usual || walk.odd || records === 1) special.push(place);
      if (!usual && isRecord) misnamed.push(place);
    }
    starts[count] = at - first;
    this.to = walk.found;
    this.met = walk.met;
    return { starts, records, versions, special, misnamed };
  }

  /** Conservative: an entry that is may be said not to be. */
  private isUnderIdentity(start: number): boolean {
    const { walk, table } = this;
    return this.pipeline === 'allocations'
      ? walk.view.getInt32(start, true) === walk.view.getInt32(start + nameOffset, true)
      : hasUsualKey(walk, table, start);
  }

  /** Finds where the entries of the table start, makes ready for what follows, and gives where the table ends. */
  private walkTable(bytes: Uint8Array): number {
    const strings = stringCount(bytes);
    if (strings === undefined) throw new Irregular();
    if (this.startsSpace.length <= strings) this.startsSpace = new Int32Array(strings + 1);
    this.walk.begin(bytes, strings);
    this.table = viewTable(this.walk.bytes, strings, this.startsSpace);
    return this.table.starts[strings]!;
  }

  /** The set's own fields; their string indexes are those that were found outside of entries. */
  private readAround(set: number, recordsEnd: number): SetOf[P] {
    const { walk, from, to } = this;
    const reader = new Reader(walk.bytes);
    const positions = [...walk.positions.subarray(0, from), ...walk.positions.subarray(to, walk.found)];
    reader.useTable(tableOf(walk, positions, (index) => textOf(this.table, index)));
    reader.position = set;
    return readSetAround(this.pipeline, reader, recordsEnd);
  }
}

/** How many strings the table of a file says it has; undefined for none, when strings stand in place, or a number that cannot be. */
export function stringCount(bytes: Uint8Array): number | undefined {
  const strings = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(4, true);
  return strings <= 0 || strings * 2 > bytes.length ? undefined : strings;
}

/**
 * The table at the start of a file. Throws a RangeError when it is cut off.
 *
 * @param space where to keep the starts: at least one more than there are strings
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

/** A string of a table. */
export function textOf({ bytes, starts }: TableView, index: number): ByteString {
  return bytes.toString('latin1', starts[index]! + 2, starts[index + 1]);
}

/** Decodes the entry that starts at `at` of the file that `walk` is at, by the strings of its table. */
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

/** A table with just the strings whose indexes stand at some positions. */
function tableOf(walk: Walk, positions: Iterable<number>, text: (index: number) => ByteString): ByteString[] {
  const table: ByteString[] = [];
  // So it is as long as it has to be, but sparse: there may be millions of strings, and an entry uses a few.
  table[walk.strings - 1] = text(walk.strings - 1);
  for (const position of positions) {
    const index = walk.view.getInt32(position, true);
    table[index] ??= text(index);
  }
  return table;
}
