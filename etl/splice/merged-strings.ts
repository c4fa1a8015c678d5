import type { ByteString } from '../byte-string';
import { type Marks, marksOf } from '../marks';
import type { MarkField } from '../pipeline';
import { pipelineSpecs } from '../pipelines';
import type { Pipeline } from '../window';
import { entriesWith } from './find-text';
import { StringUnion, type TableView } from './string-union';
import { decodeEntry, type FileWalker, textOf, type WalkedEntries } from './walk-file';

/*
 * The state of a string of the merged table, in bits. Marks take the bits from `firstMark` up, in the order in which the
 * pipeline names them.
 */
const seen = 1;
const collided = 2;
const isKey = 4;
const firstMark = 8;

/** Strings of a table that contain a mark, and the mark's bit. A string with two marks is there twice. */
export type MarkedStrings = readonly (readonly [index: number, bit: number])[];

/** A merged file from which unchanged inputs are taken. */
export interface Previous {
  readonly table: TableView;
  /** By index in its table: the index in the merged table, or -1 for strings that have not been met yet. */
  readonly indexes: Int32Array;
  readonly marked: MarkedStrings;
}

/** The records of an input, as indexes of the merged table. */
export interface MetRecords {
  /** By place: the identity of the record; -1 if the entry has no record. */
  readonly identities: Int32Array;
  /** The identities that contain a mark, in the order of the records. */
  readonly marked: number[];
}

/**
 * The string table of a merged file while it grows, and what its strings are in the inputs: which ones are identities,
 * which of these are shared by two records, and which contain a mark.
 *
 * `indexes` maps the table of one input to the merged one. It is filled by `unite` and emptied by `forgetIndexes`, which
 * touches only the strings that were met: tables may have millions.
 */
export class MergedStrings<P extends Pipeline> {
  /** By index in the last file's table: the index in the merged table, or -1 for strings that none of its entries uses. */
  indexes = new Int32Array(0);
  /** Whether two records of the inputs have the same identity. */
  anyCollided = false;
  private readonly union: StringUnion;
  /** By index in the merged table. */
  private states = new Uint8Array(1 << 12);
  private readonly marks: readonly (readonly [field: MarkField<P>, text: string, bit: number])[];
  private readonly markBits: number;

  /**
   * @param walker its last walk is what the methods below work on
   * @param bytes about how many bytes of input to expect; affects only speed
   */
  constructor(
    private readonly pipeline: P,
    private readonly walker: FileWalker<P>,
    bytes: number,
  ) {
    // String tables are a fifth of a file of allocations, a third of one of assets. Unwritten pages cost nothing.
    this.union = new StringUnion({ bytes: Math.max(1 << 16, Math.floor(bytes / 3)) });
    this.marks = marksOf<P>(pipelineSpecs[pipeline]).map(([field, text], n) => [field, text, firstMark << n]);
    this.markBits = this.marks.reduce((bits, [, , bit]) => bits | bit, 0);
  }

  get size(): number {
    return this.union.size;
  }

  /** Adds the strings that the last file uses. The file itself is not changed. */
  unite(): void {
    const { walk, table, met } = this.walker;
    this.makeIndexes(walk.strings);
    this.union.addAll(table, walk.order, met, this.indexes);
    this.makeRoom();
  }

  /** The same for a part of the previous file. Most of its strings may already be in the table. */
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

  /** Undoes `unite`: shrinks the table to its size before. */
  undoUnite(size: number): void {
    this.forgetIndexes();
    this.union.forgetFrom(size);
  }

  /** Makes `indexes` ready for the next file. */
  forgetIndexes(): void {
    const { walk, met } = this.walker;
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = -1;
  }

  /** The merged indexes of the strings that the last file uses, in the order of their first use. */
  indexesInOrder(): Int32Array {
    const { walk, met } = this.walker;
    const indexes = new Int32Array(met);
    for (let i = 0; i < met; i++) indexes[i] = this.indexes[walk.order[i]!]!;
    return indexes;
  }

  /** Fills `indexes` with what `indexesInOrder` returned for the same entries. */
  restoreIndexes(inOrder: Int32Array): void {
    const { walk, met } = this.walker;
    this.makeIndexes(walk.strings);
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = inOrder[i]!;
  }

  /** Whether the last file has a key twice; only decoding handles that correctly. */
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

  /** The strings of a table that contain a mark. */
  findMarked(table: TableView): MarkedStrings {
    return this.marks.flatMap(([, text, bit]) =>
      Array.from(entriesWith(table, text), (entry) => [entry, bit] as const),
    );
  }

  /**
   * Notes the marks of the strings that have been met so far.
   *
   * @param indexes from the table that `marked` was found in to the merged one
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
   * @param indexes from the table of the entries to the merged one
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

  /** A set's lists of marked names, from the `marked` of its records. */
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

  /** The table as it starts the file. Invalid after further additions. */
  table(): Buffer {
    return this.union.table();
  }

  /** Releases all memory at once. No method can be used any more. */
  free(): void {
    this.union.free();
  }

  /** The identity of a record that is put together from several strings and is not the record's key. */
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
