import type { ByteString } from '../byte-string';
import { type Marks, marksOf } from '../marks';
import type { MarkField } from '../pipeline';
import { pipelineSpecs } from '../pipelines';
import type { Pipeline } from '../window';
import { entriesWith } from './find-text';
import { StringUnion, type TableView, textOf } from './string-union';
import { decodeEntry, type FileWalker, type WalkedEntries } from './walk-file';

/*
 * Bit flags for each string in the string table of a merged file.
 * - `seen`: the string is the identity of a record.
 * - `collided`: the string is the identity of several records.
 * - `isKey`: used only inside `repeatsKey`.
 * - `firstMark` and higher bits: one bit for each mark of the pipeline. The bit says that the string contains the mark.
 *   A mark is a text such as `__idle__`.
 */
const seen = 1;
const collided = 2;
const isKey = 4;
const firstMark = 8;

/**
 * Lists the strings in a table that contain a mark (a text such as `__idle__`), each with the bit flag of that mark. A
 * string that contains two marks is listed twice.
 */
export type MarkedStrings = readonly (readonly [index: number, bit: number])[];

/** The previous merged file of the window. Inputs that have not changed since it was written are copied from it. */
export interface Previous {
  readonly table: TableView;
  /**
   * For each string of the previous file, its index in the string table of the new merged file, or -1 if it has not
   * been added yet.
   */
  readonly indexes: Int32Array;
  readonly marked: MarkedStrings;
}

/** Result of `meet`: the identities of an input's records, as string indexes in the merged file's string table. */
export interface MetRecords {
  /** For each entry, the string index of its record's identity, or -1 if the entry has no record. */
  readonly identities: Int32Array;
  /** String indexes of the identities that contain a mark, such as `__idle__`, in the order of the records. */
  readonly marked: number[];
}

/**
 * The growing string table of a merged file. Also knows which strings are identities of records, which identities occur
 * more than once, and which strings contain a mark, such as `__idle__`.
 *
 * For each input, `unite` adds its strings and fills `indexes`, which maps the input's string indexes to those of the
 * merged file. Then `forgetIndexes` resets `indexes` for the next input. It resets only the elements that are in use,
 * because a table may have millions of strings.
 */
export class MergedStrings<P extends Pipeline> {
  /**
   * For each string in the current input's own table, its index in the merged file's table, or -1 if it was not added.
   */
  indexes = new Int32Array(0);
  /** True if several records have the same identity. */
  anyCollided = false;
  private readonly union: StringUnion;
  /** Bit flags of each string, by string index. */
  private states = new Uint8Array(1 << 12);
  private readonly marks: readonly (readonly [field: MarkField<P>, text: string, bit: number])[];
  private readonly markBits: number;

  /**
   * @param walker scans the inputs without decoding them; most methods below use the result of its last scan
   * @param bytes expected size of all inputs together, in bytes; affects only speed
   */
  constructor(
    private readonly pipeline: P,
    private readonly walker: FileWalker<P>,
    bytes: number,
  ) {
    // Strings take up at most a third of a typical file. Spare room costs nothing: unused pages take up no memory.
    this.union = new StringUnion({ bytes: Math.max(1 << 16, Math.floor(bytes / 3)) });
    this.marks = marksOf<P>(pipelineSpecs[pipeline]).map(([field, text], n) => [field, text, firstMark << n]);
    this.markBits = this.marks.reduce((bits, [, , bit]) => bits | bit, 0);
  }

  get size(): number {
    return this.union.size;
  }

  /**
   * Adds the strings of an input to the string table of the merged file. Fills `indexes` with the indexes of these
   * strings in that table. The walker must have scanned the input just before. Does not change the bytes of the input.
   */
  unite(): void {
    const { walk, table, met } = this.walker;
    this.makeIndexes(walk.strings);
    this.union.addAll(table, walk.order, met, this.indexes);
    this.makeRoom();
  }

  /**
   * Adds the strings that the walker has just found in a part of the previous merged file. Skips strings that an
   * earlier call of this method has added.
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

  /** Undoes a call of `unite`. `size` is the number of strings in the merged file's table before that call. */
  undoUnite(size: number): void {
    this.forgetIndexes();
    this.union.forgetFrom(size);
  }

  /** Resets `indexes`: sets all elements that are in use to -1. */
  forgetIndexes(): void {
    const { walk, met } = this.walker;
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = -1;
  }

  /**
   * Returns the indexes that the current input's strings have in the merged file's table, in the order in which the
   * input first uses the strings.
   */
  indexesInOrder(): Int32Array {
    const { walk, met } = this.walker;
    const indexes = new Int32Array(met);
    for (let i = 0; i < met; i++) indexes[i] = this.indexes[walk.order[i]!]!;
    return indexes;
  }

  /** Restores `indexes`. `inOrder` is the list that `indexesInOrder` returned earlier for the same entries. */
  restoreIndexes(inOrder: Int32Array): void {
    const { walk, met } = this.walker;
    this.makeIndexes(walk.strings);
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = inOrder[i]!;
  }

  /**
   * Returns whether the current input contains a key more than once. If so, its entries cannot be copied unchanged,
   * because only the last record with a repeated key counts. The input must then be decoded.
   */
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

  /** Finds the strings in a table that contain a mark, such as `__idle__`. */
  findMarked(table: TableView): MarkedStrings {
    return this.marks.flatMap(([, text, bit]) =>
      Array.from(entriesWith(table, text), (entry) => [entry, bit] as const),
    );
  }

  /**
   * Sets the bit flags of the marks that the strings in `marked` contain. Ignores strings that have not been added to
   * the merged file's table.
   *
   * @param indexes maps the string indexes in `marked` to those of the merged file
   */
  noteMarks(marked: MarkedStrings, indexes: Int32Array): void {
    for (const [entry, bit] of marked) {
      const index = indexes[entry]!;
      if (index >= 0) this.states[index]! |= bit;
    }
  }

  /**
   * Determines the identity of each record in the entries that the walker has just scanned. Flags identities that have
   * occurred before.
   *
   * @param first the byte offset at which the entries begin in the scanned file
   * @param indexes maps the string indexes in the entries to those of the merged file
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

  /** Returns whether several records have this identity. `identity` is a string index. */
  isCollided(identity: number): boolean {
    return (this.states[identity]! & collided) !== 0;
  }

  /**
   * Returns a set's lists of marked records, such as `idleKeys`. `marked` lists the string indexes of all identities
   * with a mark.
   */
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
   * Returns the bytes of the table as they appear at the start of a file, with the magic number and the number of
   * strings. The returned bytes become invalid when a string is added.
   */
  table(): Buffer {
    return this.union.table();
  }

  /** Frees all memory immediately. The object cannot be used afterwards. */
  free(): void {
    this.union.free();
  }

  /**
   * Decodes a record to determine its identity, and returns the identity's string index. This is necessary only if the
   * identity consists of several strings and the record's key may differ from it.
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
