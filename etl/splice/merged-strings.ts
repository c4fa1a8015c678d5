import type { ByteString } from '../byte-string';
import { type Marks, marksOf } from '../marks';
import type { MarkField } from '../pipeline';
import { pipelineSpecs } from '../pipelines';
import type { Pipeline } from '../window';
import { entriesWith } from './find-text';
import { StringUnion, type TableView } from './string-union';
import { decodeEntry, type FileWalker, textOf, type WalkedEntries } from './walk-file';

/*
 * Bits in the state of a string of the merged table. From `firstMark` on, there is one bit for each mark, in the order
 * in which the pipeline's spec has them.
 */
const seen = 1;
const collided = 2;
const isKey = 4;
const firstMark = 8;

/**
 * Strings of a table that contain a mark: the index of the string, and the bit of the mark. If a string contains two
 * marks, it is listed twice.
 */
export type MarkedStrings = readonly (readonly [index: number, bit: number])[];

/** The previous merged file. Inputs that have not changed since are read from it. */
export interface Previous {
  readonly table: TableView;
  /** Maps indexes in the previous file's table to the merged table; -1 for strings that have not been met yet. */
  readonly indexes: Int32Array;
  readonly marked: MarkedStrings;
}

/** What `meet` found out about the records of an input. Identities are given as indexes in the merged table. */
export interface MetRecords {
  /** The identity of each entry's record, by the entry's place; -1 if the entry has no record. */
  readonly identities: Int32Array;
  /** The identities that contain a mark, in the order of the records. */
  readonly marked: number[];
}

/**
 * The string table of a merged file while it grows. Also knows which of the strings are identities of records, which
 * identities two records share, and which strings contain a mark.
 *
 * `indexes` maps the table of one input to the merged table. `unite` fills it. `forgetIndexes` resets only the elements
 * of the strings that were met, because a table may have millions of strings.
 */
export class MergedStrings<P extends Pipeline> {
  /** Maps indexes in the last file's table to the merged table; -1 for strings that none of its entries uses. */
  indexes = new Int32Array(0);
  /** Whether two records of the inputs have the same identity. */
  anyCollided = false;
  private readonly union: StringUnion;
  /** The state of each string of the merged table, as bits. */
  private states = new Uint8Array(1 << 12);
  private readonly marks: readonly (readonly [field: MarkField<P>, text: string, bit: number])[];
  private readonly markBits: number;

  /**
   * @param walker the methods below use the result of its last walk
   * @param bytes approximate number of input bytes to expect; affects only speed
   */
  constructor(
    private readonly pipeline: P,
    private readonly walker: FileWalker<P>,
    bytes: number,
  ) {
    // The string table makes up a fifth of a file of allocations, and a third of a file of assets. Allocating too much
    // costs nothing, because pages that are never written take no memory.
    this.union = new StringUnion({ bytes: Math.max(1 << 16, Math.floor(bytes / 3)) });
    this.marks = marksOf<P>(pipelineSpecs[pipeline]).map(([field, text], n) => [field, text, firstMark << n]);
    this.markBits = this.marks.reduce((bits, [, , bit]) => bits | bit, 0);
  }

  get size(): number {
    return this.union.size;
  }

  /** Adds to the merged table the strings that the last file uses. The file itself is not changed. */
  unite(): void {
    const { walk, table, met } = this.walker;
    this.makeIndexes(walk.strings);
    this.union.addAll(table, walk.order, met, this.indexes);
    this.makeRoom();
  }

  /**
   * Like `unite`, but for a part of the previous merged file: strings that are already in the merged table are skipped.
   */
  uniteMore({ table, indexes }: Previous): void {
    const { walk, met } = this.walker;
    const missing = new Int32Array(met);
    let count = 0;
    for (let i = 0; i < met; i++) {
      const index = walk.order[i]!;
      if (indexes[index]! < 0) missing[count++] = index;
    }
    this.union.addAll(table, missing, count, indexes);
    this.makeRoom();
  }

  /** Undoes `unite`: removes the strings beyond the size that the table had before. */
  undoUnite(size: number): void {
    this.forgetIndexes();
    this.union.forgetFrom(size);
  }

  /** Resets `indexes` for the next file. */
  forgetIndexes(): void {
    const { walk, met } = this.walker;
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = -1;
  }

  /**
   * Returns, for each string that the last file uses, its index in the merged table. The order is that of first use in
   * the file.
   */
  indexesInOrder(): Int32Array {
    const { walk, met } = this.walker;
    const indexes = new Int32Array(met);
    for (let i = 0; i < met; i++) indexes[i] = this.indexes[walk.order[i]!]!;
    return indexes;
  }

  /** Fills `indexes` again, from the list that `indexesInOrder` returned for the same entries. */
  restoreIndexes(inOrder: Int32Array): void {
    const { walk, met } = this.walker;
    this.makeIndexes(walk.strings);
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = inOrder[i]!;
  }

  /** Whether a key occurs twice in the last file. Only decoding handles such a file correctly. */
  repeatsKey({ starts, first }: { starts: Int32Array; first: number }): boolean {
    const { states, indexes } = this;
    const { walk } = this.walker;
    const keyAt = (place: number) => indexes[walk.view.getInt32(first + starts[place]!, true)]!;
    let place = 0;
    for (; place < starts.length - 1; place++) {
      const key = keyAt(place);
      if ((states[key]! & isKey) !== 0) break;
      states[key]! |= isKey;
    }
    for (let i = 0; i < place; i++) states[keyAt(i)]! &= ~isKey;
    return place < starts.length - 1;
  }

  /** Finds the strings of a table that contain a mark. */
  findMarked(table: TableView): MarkedStrings {
    return this.marks.flatMap(([, text, bit]) =>
      Array.from(entriesWith(table, text), (entry) => [entry, bit] as const),
    );
  }

  /**
   * Notes the marks of those marked strings that are in the merged table.
   *
   * @param indexes maps the table in which `marked` was found to the merged table
   */
  noteMarks(marked: MarkedStrings, indexes: Int32Array): void {
    for (const [entry, bit] of marked) {
      const index = indexes[entry]!;
      if (index >= 0) this.states[index]! |= bit;
    }
  }

  /**
   * Finds the identities of the records that were walked over last, and notes which of them were also met before.
   *
   * @param first position where the first entry starts
   * @param indexes maps the string table of the entries to the merged table
   */
  meet({ starts, misnamed }: WalkedEntries, first: number, indexes: Int32Array): MetRecords {
    const { bytes, view } = this.walker.walk;
    const { identity } = pipelineSpecs[this.pipeline].walk;
    const [offset, otherKeys] =
      'offset' in identity ? [identity.offset, new Set<number>()] : [0, new Set(misnamed)];
    const identities = new Int32Array(starts.length - 1).fill(-1);
    const marked: number[] = [];
    const { markBits } = this;
    for (let place = 0; place < identities.length; place++) {
      const start = first + starts[place]!;
      if (bytes[start + 4] === 0) continue;
      const index = otherKeys.has(place)
        ? this.decodedIdentity(start)
        : indexes[view.getInt32(start + offset, true)]!;
      identities[place] = index;
      const state = this.states[index]!;
      const again = (state & seen) !== 0;
      this.states[index] = state | (again ? collided : seen);
      if (again) this.anyCollided = true;
      if ((state & markBits) !== 0) marked.push(index);
    }
    return { identities, marked };
  }

  /** Whether two records share this identity. */
  isCollided(identity: number): boolean {
    return (this.states[identity]! & collided) !== 0;
  }

  /** Makes the lists of marked names of a set from the marked identities of its records. */
  markedNames(marked: readonly number[]): Marks<P> {
    const lists = this.marks.map(([field, , bit]) => {
      const ofMark = marked.filter((index) => (this.states[index]! & bit) !== 0);
      return [field, new Map(ofMark.map((index) => [this.text(index), true]))] as const;
    });
    return Object.fromEntries(lists) as unknown as Marks<P>;
  }

  text(index: number): ByteString {
    return this.union.text(index);
  }

  /**
   * Returns the table with its magic and count, as it is at the start of a file. The returned bytes become invalid when
   * a string is added.
   */
  table(): Buffer {
    return this.union.table();
  }

  /** Releases all memory at once. Call no method afterwards. */
  free(): void {
    this.union.free();
  }

  /**
   * Decodes a record to find its identity. Only for a record whose identity is put together from several strings and is
   * not (or may not be) its key.
   */
  private decodedIdentity(start: number): number {
    const { walk, table } = this.walker;
    const { record } = decodeEntry(this.pipeline, walk, start, (index) => textOf(table, index));
    if (record === null) throw new RangeError('There is no record.');
    const index = this.union.add(pipelineSpecs[this.pipeline].identity(record));
    this.makeRoom();
    return index;
  }

  private makeIndexes(strings: number): void {
    if (this.indexes.length < strings) this.indexes = new Int32Array(strings).fill(-1);
  }

  private makeRoom(): void {
    if (this.states.length >= this.union.size) return;
    const states = new Uint8Array(2 * this.union.size);
    states.set(this.states);
    this.states = states;
  }
}
