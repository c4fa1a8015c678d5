import type { ByteString } from '../byte-string';
import { type Marks, marksOf } from '../marks';
import type { MarkField } from '../pipeline';
import { pipelineSpecs } from '../pipelines';
import type { Pipeline } from '../window';
import { entriesWith } from './find-text';
import { StringUnion, type TableView } from './string-union';
import { decodeEntry, type FileWalker, textOf, type WalkedEntries } from './walk-file';

/*
 * Bits of the state that each string of the merged table has. The bits from `firstMark` up are for the marks, in the
 * order in which the pipeline names them.
 */
const seen = 1;
const collided = 2;
const isKey = 4;
const firstMark = 8;

/** Indexes of the strings that contain a mark, each with the mark's bit. A string with two marks is listed twice. */
export type MarkedStrings = readonly (readonly [index: number, bit: number])[];

/** The previous merged file, from which unchanged inputs are taken. */
export interface Previous {
  readonly table: TableView;
  /** For each index in its table, the index in the merged table; -1 for strings that have not been met yet. */
  readonly indexes: Int32Array;
  readonly marked: MarkedStrings;
}

/** The identities of an input's records, as indexes in the merged table. */
export interface MetRecords {
  /** By the entry's place: the identity of its record; -1 if the entry has no record. */
  readonly identities: Int32Array;
  /** Those identities that contain a mark, in the order of the records. */
  readonly marked: number[];
}

/**
 * The string table of a merged file while it grows, and the roles of its strings in the inputs: which ones are
 * identities, which of these are shared by two records, and which contain a mark.
 *
 * `indexes` maps the table of one input to the merged table. `unite` fills it. `forgetIndexes` empties it, and touches
 * only the strings that were met, because a table may have millions.
 */
export class MergedStrings<P extends Pipeline> {
  /**
   * For each index in the last file's table, the index in the merged table; -1 for strings that none of its entries
   * uses.
   */
  indexes = new Int32Array(0);
  /** Whether two records of the inputs have the same identity. */
  anyCollided = false;
  private readonly union: StringUnion;
  /** The state of each string of the merged table, in bits. */
  private states = new Uint8Array(1 << 12);
  private readonly marks: readonly (readonly [field: MarkField<P>, text: string, bit: number])[];
  private readonly markBits: number;

  /**
   * @param walker the methods below work on its last walk
   * @param bytes approximate number of input bytes to expect; affects only speed
   */
  constructor(
    private readonly pipeline: P,
    private readonly walker: FileWalker<P>,
    bytes: number,
  ) {
    // String tables take up a fifth of a file of allocations and a third of a file of assets. Allocating too much costs
    // nothing, because pages that are never written take no memory.
    this.union = new StringUnion({ bytes: Math.max(1 << 16, Math.floor(bytes / 3)) });
    this.marks = marksOf<P>(pipelineSpecs[pipeline]).map(([field, text], n) => [field, text, firstMark << n]);
    this.markBits = this.marks.reduce((bits, [, , bit]) => bits | bit, 0);
  }

  get size(): number {
    return this.union.size;
  }

  /** Adds the strings that the last file uses to the table. The file itself is not changed. */
  unite(): void {
    const { walk, table, met } = this.walker;
    this.makeIndexes(walk.strings);
    this.union.addAll(table, walk.order, met, this.indexes);
    this.makeRoom();
  }

  /** Does the same for a part of the previous file. Most of its strings may already be in the table. */
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

  /** Undoes `unite`: shrinks the table to the size that it had before. */
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
   * Returns the indexes in the merged table of the strings that the last file uses, in the order of their first use.
   */
  indexesInOrder(): Int32Array {
    const { walk, met } = this.walker;
    const indexes = new Int32Array(met);
    for (let i = 0; i < met; i++) indexes[i] = this.indexes[walk.order[i]!]!;
    return indexes;
  }

  /** Fills `indexes` from the list that `indexesInOrder` returned for the same entries. */
  restoreIndexes(inOrder: Int32Array): void {
    const { walk, met } = this.walker;
    this.makeIndexes(walk.strings);
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = inOrder[i]!;
  }

  /** Whether the last file has the same key twice. Only decoding handles that correctly. */
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
   * Notes the marks of those strings that `indexes` maps to the merged table.
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
   * Finds the identities of the entries that were walked over last, and notes which of them were met before.
   *
   * @param first where the first entry starts
   * @param indexes maps the table of the entries to the merged table
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

  /** Whether two records have this identity. */
  isCollided(identity: number): boolean {
    return (this.states[identity]! & collided) !== 0;
  }

  /** Makes a set's lists of marked names from the `marked` of its records. */
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

  /** Returns the table with magic and count, as it is at the start of the file. Further additions invalidate it. */
  table(): Buffer {
    return this.union.table();
  }

  /** Releases all memory at once. No method may be called afterwards. */
  free(): void {
    this.union.free();
  }

  /** Decodes a record to find its identity, which is put together from several strings and is not the record's key. */
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
