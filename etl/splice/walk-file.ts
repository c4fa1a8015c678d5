import type { ByteString } from '../byte-string';
import { str } from '../codec';
import type { SetOf } from '../model';
import { Reader } from '../reader';
import { readEntries, readSetAround, type RecordOf, setLayouts } from '../set-codec';
import { hasTable } from '../string-table';
import { allocationVersions, assetVersions } from '../versions';
import type { Pipeline } from '../window';
import { compileWalk, type Hooks } from './compile-walk';
import { hasUsualKey } from './usual-key';
import { Irregular, type Step, Walk } from './walk';

/** A file that has been walked over. Positions are bytes of it. */
export interface WalkedFile<P extends Pipeline = Pipeline> {
  readonly bytes: Buffer;
  /** Where the table ends and the set begins. */
  readonly set: number;
  /** Where each entry (key and record) starts; then where the last one ends. */
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
 * Walks over whole files of one pipeline, one after another. What the walk met of the last file stands in `walk`: the
 * positions of the string indexes of its entries from `from` to `to`, and its used strings in order.
 */
export class FileWalker<P extends Pipeline> {
  readonly walk = new Walk();
  /** Where the entries of the last file's table start; then where the last one ends. */
  table = new Int32Array(1);
  /** Of the positions of string indexes, those inside of entries. */
  from = 0;
  to = 0;
  /** How many of the strings in `walk.order` its entries (and what stands before them) use. */
  met = 0;
  private tableSpace = new Int32Array(1);

  constructor(private readonly pipeline: P) {}

  /**
   * Walks over a file; nothing in it is changed. Everything that `decodeSet` checks is checked.
   *
   * @param around whether the strings behind the entries count as used, too
   * @returns undefined for a file that is damaged or not as our writer would write it
   */
  over(bytes: Uint8Array, around = false): WalkedFile<P> | undefined {
    try {
      // Positions are kept in 32 bits.
      return hasTable(bytes) && bytes.length < 2 ** 31 ? this.walkOver(bytes, around) : undefined;
    } catch (error) {
      // The view's own: a read beyond the end.
      if (error instanceof Irregular || error instanceof RangeError) return undefined;
      throw error;
    }
  }

  private walkOver(bytes: Uint8Array, around: boolean): WalkedFile<P> {
    const { walk, pipeline } = this;
    const { before, entry, after, least, versions: known } = steps[pipeline];
    const set = this.walkTable(bytes);
    const version = walk.view.getUint8(set);
    if (version < known.oldest || version > known.newest) throw new Irregular();
    let at = before(walk, set + 1);
    this.from = walk.found;

    const flag = walk.view.getUint8(at++);
    if (flag > 1) throw new Irregular();
    const count = flag === 0 ? 0 : walk.count(at, least);
    if (flag === 1) at += 4;
    const starts = new Int32Array(count + 1);
    const versions = new Int32Array(known.newest + 1);
    const special: number[] = [];
    const misnamed: number[] = [];
    let records = 0;
    for (let place = 0; place < count; place++) {
      starts[place] = at;
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
    starts[count] = at;
    this.to = walk.found;
    this.met = walk.met;

    const end = after(walk, at);
    if (end !== bytes.length) throw new Irregular();
    if (around) this.met = walk.met;
    return {
      bytes: walk.bytes,
      set,
      starts,
      records,
      versions,
      special,
      misnamed,
      facts: this.readAround(set, at),
      hasMap: flag === 1,
    };
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
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const strings = view.getInt32(4, true);
    // With an empty table, strings stand in place.
    if (strings <= 0 || strings * 2 > bytes.length) throw new Irregular();
    if (this.tableSpace.length <= strings) this.tableSpace = new Int32Array(strings + 1);
    const table = this.tableSpace.subarray(0, strings + 1);
    let at = 8;
    for (let i = 0; i < strings; i++) {
      table[i] = at;
      at += 2 + view.getUint16(at, true);
    }
    table[strings] = at;
    this.table = table;
    this.walk.begin(bytes, strings);
    return at;
  }

  /** The set's own fields; their string indexes are those that were found outside of entries. */
  private readAround(set: number, recordsEnd: number): SetOf[P] {
    const { walk, from, to } = this;
    const reader = new Reader(walk.bytes);
    const positions = [...walk.positions.subarray(0, from), ...walk.positions.subarray(to, walk.found)];
    reader.useTable(tableOf(walk, positions, (index) => this.text(index)));
    reader.position = set;
    return readSetAround(this.pipeline, reader, recordsEnd);
  }

  /** A string of the last file. */
  text(index: number): ByteString {
    const { bytes } = this.walk;
    return bytes.toString('latin1', this.table[index]! + 2, this.table[index + 1]);
  }
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
