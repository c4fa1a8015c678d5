import { assetIdentity } from '../asset-identity';
import { type Contribution, encodeRest, hasUsualMarks } from '../contribution';
import { decodeSet, encodeSet } from '../file';
import { gunzip, isGzipped } from '../gzip';
import { type Merged, type MergeInput, mergeSets } from '../merge';
import type { EtlSet, SetOf } from '../model';
import { corrupt } from '../refusal';
import type { Pipeline } from '../window';
import { entriesWith } from './find-text';
import { giveBack } from '../give-back';
import { Layout, OwnEntries, placeEntries } from './layout';
import {
  type Again,
  type AgainRange,
  factsOf,
  type InputFacts,
  isExpanded,
  specialPlaces,
  type SplicedInput,
  takeAll,
  withEntries,
} from './spliced-input';
import { StringUnion, type TableView } from './string-union';
import { Walk } from './walk';
import {
  decodeEntry,
  FileWalker,
  identityOffset,
  stringCount,
  textOf,
  viewTable,
  type WalkedEntries,
} from './walk-file';

/** A merged file, as `encodeMerged` gives it, but in parts. */
export interface SplicedMerge {
  /**
   * The file, in order. It can be gone through more than once, but not twice at a time; a part is good until the next one
   * is asked for.
   */
  readonly parts: Iterable<Buffer>;
  readonly byteLength: number;
  /** What has to be read again for the parts, in order. */
  readonly again: readonly AgainRange[];
  /** In the order of folding. */
  readonly contributions: readonly Contribution[];
  /** The same. */
  readonly inputs: readonly InputFacts[];
}

export interface SpliceOptions {
  /** How much will be added, about; only speed depends on it. */
  readonly bytes?: number;
  /**
   * How many bytes of what was added are held until the end. What goes beyond is let go of and read again: so memory grows
   * with the strings and not with the records. (Default: all are held)
   */
  readonly mostHeld?: number;
  /** Gives bytes of an input as they were when it was added; they are handed over as well. */
  readonly readAgain?: (again: AgainRange) => Uint8Array;
}

/** What is known of a string of the merged table. */
const seen = 1;
const collided = 2;
const isKey = 4;
const idle = 8;
const external = 16;

const marks: [string, number][] = [
  ['__idle__', idle],
  ['__external__', external],
];

/** A merged file that inputs are taken from: its table, and what of it is known. */
interface Previous {
  readonly table: TableView;
  /** By index: that of the merged table, -1 for strings that were not met yet. */
  readonly indexes: Int32Array;
  /** Its strings that have the mark of idle or external records in them, and which. */
  readonly marked: readonly (readonly [index: number, state: number])[];
}

/** Where the entries of an input stand, and what is known of its set. */
interface TakenFrom<P extends Pipeline> {
  /** The set without its records, by the marked names among its records. */
  readonly facts: (marked: readonly number[]) => SetOf[P];
  readonly hasMap: boolean;
  /** What was handed over, and where in it the first entry starts. */
  readonly whole: Buffer;
  readonly first: number;
  /** Where the entries start in what is read again. */
  readonly offset: number;
  /** The merged table's indexes, by index of the table of the entries. */
  readonly indexes: Int32Array;
  /** How they are known again later; absent for what cannot be read again as it is. */
  readonly again: (() => Pick<Again, 'indexes' | 'by'>) | undefined;
}

/**
 * Merges the files of one window as `encodeMerged(mergeSets(…))` merges their sets, but without decoding what only
 * passes: string tables are united, and in the records only the indexes of strings are overwritten. Decoded and merged by
 * the rules are records that two inputs have, whose window has to be expanded or that are not under their identity;
 * and all of them where aggregationKeys are in play.
 *
 * The file says the same as the decoding merge's, in the same order. It is the same to the byte where every record
 * passes; else only the order of its string table may be another, and strings of records that were added up may be
 * left in it without use.
 */
export class Splice<P extends Pipeline> {
  private readonly union: StringUnion;
  private readonly walker: FileWalker<P>;
  private readonly inputs: SplicedInput<P>[] = [];
  private readonly mostHeld: number;
  private readonly readAgain: SpliceOptions['readAgain'];
  private bytesHeld = 0;
  /** What the held entries are parts of. */
  private readonly wholes: Buffer[] = [];
  private previous: Previous | undefined;
  /** By index of the merged table. */
  private states = new Uint8Array(1 << 12);
  private anyCollided = false;
  /** By index of an input's table: that of the merged one, -1 for strings that none of its entries uses. */
  private indexes = new Int32Array(0);
  /** The input that was read again last: its parts follow one another. */
  private lastRead: { readonly of: SplicedInput<P>; readonly bytes: Buffer } | undefined;

  constructor(
    private readonly pipeline: P,
    { bytes = 0, mostHeld = Infinity, readAgain }: SpliceOptions = {},
  ) {
    this.walker = new FileWalker(pipeline);
    // A string table takes a fifth of a file of allocations, a third of one of assets; what is not written to costs nothing.
    this.union = new StringUnion({ bytes: Math.max(1 << 16, Math.floor(bytes / 3)) });
    this.mostHeld = readAgain === undefined ? Infinity : mostHeld;
    this.readAgain = readAgain;
  }

  /**
   * Adds the file of the next input. Inputs come in the order of folding (ids in byte order).
   *
   * @param bytes are handed over: they are overwritten, and become part of the result. After an error they are as they were.
   * @throws FederationError as `decodeSet` does; the splice is then as if nothing had been added
   */
  add(id: string, bytes: Uint8Array): InputFacts {
    const plain = isGzipped(bytes) ? gunzip(bytes) : bytes;
    let file = this.walker.over(plain);
    if (file !== undefined) {
      const before = this.union.size;
      this.unite();
      if (this.repeatsKey(file)) {
        this.forgetIndexes();
        this.union.forgetFrom(before);
        file = undefined;
      }
    }
    // What stands before the entries would be missed when they are walked over again by themselves.
    let canReadAgain = plain === bytes && this.walker.from === 0;
    if (file === undefined) {
      // Damaged, or written in another way than ours. Decoding says what is wrong, or makes it regular.
      const set = decodeSet(this.pipeline, bytes);
      file = this.walker.over(encodeSet(set));
      if (file === undefined) throw new Error('A file of our own cannot be walked over.');
      this.unite();
      file = { ...file, facts: { ...set, [this.pipeline]: null } };
      canReadAgain = false;
    }
    this.noteMarks(this.marksOf(this.walker.table), this.indexes);
    const { facts, hasMap, first, bytes: whole } = file;
    const again = () => ({ indexes: this.indexesInOrder(), by: 'order' as const });
    const taken = this.take(id, file, {
      ...{ facts: () => facts, hasMap, whole, first, offset: first, indexes: this.indexes },
      again: canReadAgain ? again : undefined,
    });
    this.forgetIndexes();
    return taken;
  }

  /**
   * Sets the merged file that inputs are taken from which have not changed since: `addFrom` adds them.
   *
   * @param head its bytes from the start on, to the first entry at least
   * @throws FederationError ETL_CORRUPT when it has no table
   */
  usePrevious(head: Buffer): void {
    const strings = stringCount(head);
    if (strings === undefined) throw corrupt(0, 'The merged file has no string table.');
    const table = viewTable(head, strings);
    this.previous = { table, indexes: new Int32Array(strings).fill(-1), marked: this.marksOf(table) };
  }

  /**
   * Adds the next input by its part of the previous merged file, in which all of its entries stand as they came: the
   * result is the same to the byte as if its own file were added.
   *
   * @param contribution what that file's provenance says of it; `altered` and `changed` are empty
   * @param bytes that part; as in `add`
   * @throws FederationError ETL_CORRUPT when the three do not belong together; the splice cannot be used any more
   */
  addFrom({ id, entries: count, rest, marksLeftOut, offset }: Contribution, bytes: Buffer): InputFacts {
    const { previous, walker } = this;
    if (previous === undefined) throw new RangeError('There is no previous file.');
    const around = walker.over(Buffer.from(rest, 'base64'));
    if (around === undefined) throw corrupt(offset, 'What a provenance says of a set is no set.');
    // What stands before the entries has its strings before theirs, as in the input's own file.
    this.unite();
    this.forgetIndexes();
    const entries = walker.overEntries(bytes, previous.table, count);
    if (entries === undefined) throw corrupt(offset, `There are not ${count} entries of ${id}.`);
    this.uniteMore(previous);
    this.noteMarks(previous.marked, previous.indexes);
    const { indexes } = previous;
    return this.take(id, entries, {
      facts: (marked) => (marksLeftOut ? { ...around.facts, ...this.markedNames(marked) } : around.facts),
      ...{ hasMap: around.hasMap, whole: bytes, first: 0, offset, indexes },
      again: () => ({ indexes, by: 'index' }),
    });
  }

  /** The merged file. Nothing can be added any more. */
  finish(): SplicedMerge {
    if (this.inputs.length === 0) throw new RangeError('Nothing to merge.');
    this.previous = undefined;
    this.findCollided();
    if (this.inputs.some(({ facts }) => hasAggregationKeys(facts))) this.inputs.forEach(takeAll);
    let merged = this.mergeSpecial();
    const expanded = this.inputs.filter((input) => isExpanded(input, merged.set));
    if (expanded.length > 0) {
      expanded.forEach(takeAll);
      merged = this.mergeSpecial();
    }
    const passedVersion = Math.max(
      ...this.inputs.map(({ entries }) => entries.versions.findLastIndex((n) => n > 0)),
    );
    const set: SetOf[P] = { ...merged.set, version: Math.max(merged.set.version, passedVersion) };
    if (set.kind === 'allocations') {
      Object.assign(set, this.markedNames(this.inputs.flatMap(({ marked }) => marked)));
    }
    return this.assemble({ ...merged, set });
  }

  /** Gives all memory back at once. Neither the splice nor its merged file can be used any more. */
  free(): void {
    for (const bytes of this.wholes) giveBack(bytes);
    if (this.lastRead !== undefined) giveBack(this.lastRead.bytes);
    this.union.free();
  }

  /** Takes the entries that were walked over last for those of the next input. */
  private take(id: string, entries: WalkedEntries, from: TakenFrom<P>): InputFacts {
    const { whole, first, offset, indexes, again, hasMap } = from;
    const { walker, inputs } = this;
    const { identities, marked } = this.meet(entries, first, indexes);
    const length = entries.starts.at(-1)!;
    const held =
      again === undefined || this.bytesHeld + whole.length <= this.mostHeld
        ? this.hold(whole, first, length, indexes)
        : { range: { input: inputs.length, offset, length }, strings: walker.walk.strings, ...again() };
    const input: SplicedInput<P> = {
      ...{ id, entries, facts: from.facts(marked), hasMap, identities, marked, held },
      ...{ special: new Set(entries.special), decoded: new Map() },
    };
    inputs.push(input);
    if (!(held instanceof Uint8Array)) this.decodeAndFree(input, first, whole);
    return factsOf(input);
  }

  /** Adds the used strings of the last file to the merged table. The file itself is not changed. */
  private unite(): void {
    const { walk, table, met } = this.walker;
    if (this.indexes.length < walk.strings) this.indexes = new Int32Array(walk.strings).fill(-1);
    this.union.addAll(table, walk.order, met, this.indexes);
    this.makeRoom();
  }

  /** The same for a part of the previous file, most of whose strings may be there already. */
  private uniteMore({ table, indexes }: Previous): void {
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

  /** Makes `indexes` ready for the next file. */
  private forgetIndexes(): void {
    const { walk, met } = this.walker;
    for (let i = 0; i < met; i++) this.indexes[walk.order[i]!] = -1;
  }

  /** The merged table's indexes of the last file's strings, in the order of their first use. */
  private indexesInOrder(): Int32Array {
    const { walk, met } = this.walker;
    const indexes = new Int32Array(met);
    for (let i = 0; i < met; i++) indexes[i] = this.indexes[walk.order[i]!]!;
    return indexes;
  }

  /** Whether the last file has one key twice, which only decoding does right. */
  private repeatsKey({ starts, first }: { starts: Int32Array; first: number }): boolean {
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

  private makeRoom(): void {
    if (this.states.length >= this.union.size) return;
    const states = new Uint8Array(2 * this.union.size);
    states.set(this.states);
    this.states = states;
  }

  /** Which strings of a table have the mark of idle or external records in them, and which. */
  private marksOf(table: TableView): Previous['marked'] {
    if (this.pipeline !== 'allocations') return [];
    return marks.flatMap(([text, state]) =>
      Array.from(entriesWith(table, text), (entry) => [entry, state] as const),
    );
  }

  /** Notes which of a table's strings that were met have the mark of idle or external records in them. */
  private noteMarks(marked: Previous['marked'], indexes: Int32Array): void {
    for (const [entry, state] of marked) {
      const index = indexes[entry]!;
      if (index >= 0) this.states[index]! |= state;
    }
  }

  /** Finds which identities the entries have, and which of them are marked; notes those that were met before. */
  private meet(
    { starts, misnamed }: WalkedEntries,
    first: number,
    indexes: Int32Array,
  ): Pick<SplicedInput<P>, 'identities' | 'marked'> {
    const { bytes, view } = this.walker.walk;
    const otherKeys = new Set(this.pipeline === 'assets' ? misnamed : []);
    const offset = first + identityOffset[this.pipeline];
    const identities = new Int32Array(starts.length - 1).fill(-1);
    const marked: number[] = [];
    for (let place = 0; place < identities.length; place++) {
      const start = starts[place]!;
      if (bytes[first + start + 4] === 0) continue;
      const index = otherKeys.has(place)
        ? this.identityOf(first + start)
        : indexes[view.getInt32(offset + start, true)]!;
      identities[place] = index;
      const state = this.states[index]!;
      const again = (state & seen) !== 0;
      this.states[index] = state | (again ? collided : seen);
      if (again) this.anyCollided = true;
      if ((state & (idle | external)) !== 0) marked.push(index);
    }
    return { identities, marked };
  }

  /** The identity of an asset whose key is another one, as an index of the merged table. */
  private identityOf(start: number): number {
    const { walk, table } = this.walker;
    const { record } = decodeEntry('assets', walk, start, (index) => textOf(table, index));
    if (record === null) throw new RangeError('There is no record.');
    const index = this.union.add(assetIdentity(record, null));
    this.makeRoom();
    return index;
  }

  /** Holds entries that were walked over last, with indexes of the merged table. */
  private hold(whole: Buffer, first: number, length: number, indexes: Int32Array): Buffer {
    this.bytesHeld += whole.length;
    this.wholes.push(whole);
    this.rewrite(this.walker.from, this.walker.to, indexes);
    return whole.subarray(first, first + length);
  }

  /** Overwrites the string indexes of the last file from one of the walk's positions to another. */
  private rewrite(from: number, to: number, indexes: Int32Array): void {
    const { view, positions } = this.walker.walk;
    for (let i = from; i < to; i++) {
      const at = positions[i]!;
      view.setInt32(at, indexes[view.getInt32(at, true)]!, true);
    }
  }

  /** Decodes what of an input is special already, as long as it is there, and gives its memory back. */
  private decodeAndFree(input: SplicedInput<P>, first: number, bytes: Buffer): void {
    const { walk, table } = this.walker;
    for (const place of input.special) {
      this.noteDecoded(input, place, walk, first, (index) => textOf(table, index));
    }
    giveBack(bytes);
  }

  /** An input's entries, with indexes of the merged table. */
  private bytesOf(input: SplicedInput<P>): Buffer {
    const { held, entries } = input;
    if (held instanceof Uint8Array) return held;
    if (this.lastRead?.of === input) return this.lastRead.bytes;
    if (this.readAgain === undefined) throw new Error('There is nothing to read it again with.');
    if (this.lastRead !== undefined) giveBack(this.lastRead.bytes);
    this.lastRead = undefined;
    const given = this.readAgain(held.range);
    const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    const { walker } = this;
    walker.overAgain(bytes, held.strings, entries);
    if (held.by === 'index') {
      this.rewrite(walker.from, walker.to, held.indexes);
    } else {
      const { order } = walker.walk;
      if (this.indexes.length < held.strings) this.indexes = new Int32Array(held.strings).fill(-1);
      for (let i = 0; i < walker.met; i++) this.indexes[order[i]!] = held.indexes[i]!;
      this.rewrite(walker.from, walker.to, this.indexes);
      this.forgetIndexes();
    }
    this.lastRead = { of: input, bytes };
    return bytes;
  }

  /** Takes every record whose identity was met more than once out of those that pass. */
  private findCollided(): void {
    if (!this.anyCollided) return;
    const { states } = this;
    for (const { identities, special } of this.inputs) {
      for (let place = 0; place < identities.length; place++) {
        const index = identities[place]!;
        if (index >= 0 && (states[index]! & collided) !== 0) special.add(place);
      }
    }
  }

  /** Merges the sets as if they had no records but the special ones. */
  private mergeSpecial(): Merged<SetOf[P]> {
    const walk = new Walk();
    walk.begin(Buffer.alloc(0), this.union.size);
    const inputs = this.inputs.map((input): MergeInput<SetOf[P]> => {
      const places = specialPlaces(input);
      const missing = places.filter((place) => !input.decoded.has(place));
      if (missing.length > 0) walk.goOn(this.bytesOf(input));
      for (const place of missing) {
        this.noteDecoded(input, place, walk, 0, (index) => this.union.text(index));
      }
      return {
        id: input.id,
        set: withEntries(
          input,
          places.map((place) => input.decoded.get(place)!),
        ),
      };
    });
    return mergeSets(this.pipeline, inputs);
  }

  private noteDecoded(
    { entries, decoded }: SplicedInput<P>,
    place: number,
    walk: Walk,
    first: number,
    text: (index: number) => string,
  ): void {
    const entry = decodeEntry(this.pipeline, walk, first + entries.starts[place]!, text);
    decoded.set(place, entry);
    if (entry.record !== null) entries.versions[entry.version]!--;
  }

  private markedNames(marked: readonly number[]) {
    const named = (mark: number) =>
      new Map(
        marked
          .filter((index) => (this.states[index]! & mark) !== 0)
          .map((index) => [this.union.text(index), true] as const),
      );
    return { externalKeys: named(external), idleKeys: named(idle) };
  }

  /** Puts the merged file together, of the set of merged special records and of what passes. */
  private assemble(merged: Merged<SetOf[P]>): SplicedMerge {
    const own = this.walker.over(encodeSet(merged.set), true);
    if (own === undefined) throw new Error('A file of our own cannot be walked over.');
    this.unite();
    this.rewrite(0, this.walker.walk.found, this.indexes);
    const table = this.union.table();
    const layout = new Layout<P>();
    layout.add(table, 0, table.length);
    layout.add(own.bytes, own.set, own.first);
    const ownEntries = new OwnEntries(own);
    let total = 0;
    const contributions = this.inputs.map((input, index): Contribution => {
      const { id, entries, facts, decoded } = input;
      const offset = layout.length;
      const placed = placeEntries(layout, input, merged.inputs[index]!, ownEntries);
      total += placed.entries;
      const rest = withEntries(
        input,
        placed.changed.map((place) => decoded.get(place)!),
      );
      const marksLeftOut = hasUsualMarks(facts, this.markedNames(input.marked));
      return {
        id,
        records: entries.records,
        ...placed,
        offset,
        length: layout.length - offset,
        rest: encodeRest(rest, marksLeftOut),
        marksLeftOut,
      };
    });
    layout.add(own.bytes, own.first + own.starts.at(-1)!, own.bytes.length);
    // The count stands just before the first entry.
    own.bytes.writeInt32LE(total, own.first - 4);
    return {
      parts: { [Symbol.iterator]: () => layout.bytes((input) => this.bytesOf(input)) },
      byteLength: layout.length,
      again: layout.inputs().flatMap(({ held }) => (held instanceof Uint8Array ? [] : [held.range])),
      contributions,
      inputs: this.inputs.map(factsOf),
    };
  }
}

function hasAggregationKeys(set: EtlSet): boolean {
  return set.kind === 'assets' && (set.aggregationKeys?.length ?? 0) > 0;
}
