import { assetIdentity } from '../asset-identity';
import { type Contribution, encodeRest, hasUsualMarks } from '../contribution';
import { decodeSet, encodeSet } from '../file';
import { gunzip, isGzipped } from '../gzip';
import { type Merged, type MergeInput, mergeSets } from '../merge';
import type { EtlSet, SetOf } from '../model';
import type { Pipeline } from '../window';
import { entriesWith } from './find-text';
import { OwnEntries, PartList, placeEntries } from './splice-parts';
import {
  factsOf,
  type InputFacts,
  isExpanded,
  specialPlaces,
  type SplicedInput,
  takeAll,
  withEntries,
} from './spliced-input';
import { StringUnion } from './string-union';
import { Walk } from './walk';
import { decodeEntry, type Entry, FileWalker, identityOffset, type WalkedFile } from './walk-file';

/** A merged file, as `encodeMerged` gives it, but in parts. */
export interface SplicedMerge {
  /** The file, in order. They are slices of what was added. */
  readonly parts: readonly Buffer[];
  readonly byteLength: number;
  /** In the order of folding. */
  readonly contributions: readonly Contribution[];
  /** The same. */
  readonly inputs: readonly InputFacts[];
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
  /** By index of the merged table. */
  private states = new Uint8Array(1 << 12);
  private anyCollided = false;
  /** By index of an input's table: that of the merged one, -1 for strings that none of its entries uses. */
  private indexes = new Int32Array(0);

  /** @param bytes how much will be added, about; only speed depends on it */
  constructor(
    private readonly pipeline: P,
    bytes = 0,
  ) {
    this.walker = new FileWalker(pipeline);
    // A string table takes about a fifth of a file.
    this.union = new StringUnion({ bytes: Math.max(1 << 16, Math.floor(bytes / 4)) });
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
      this.unite(file);
      if (this.repeatsKey(file)) {
        this.union.forgetFrom(before);
        file = undefined;
      }
    }
    if (file === undefined) {
      // Damaged, or written in another way than ours. Decoding says what is wrong, or makes it regular.
      const set = decodeSet(this.pipeline, bytes);
      file = this.walker.over(encodeSet(set));
      if (file === undefined) throw new Error('A file of our own cannot be walked over.');
      this.unite(file);
      file = { ...file, facts: { ...set, [this.pipeline]: null } };
    }
    const input: SplicedInput<P> = {
      id,
      file,
      special: new Set(file.special),
      decoded: new Map(),
      marked: [],
    };
    this.meet(input);
    this.rewrite(this.walker.from, this.walker.to);
    this.inputs.push(input);
    return factsOf(input);
  }

  /** The merged file. The splice cannot be used any more. */
  finish(): SplicedMerge {
    if (this.inputs.length === 0) throw new RangeError('Nothing to merge.');
    this.findCollided();
    if (this.inputs.some(({ file }) => hasAggregationKeys(file.facts))) this.inputs.forEach(takeAll);
    let merged = this.mergeSpecial();
    const expanded = this.inputs.filter((input) => isExpanded(input, merged.set));
    if (expanded.length > 0) {
      expanded.forEach(takeAll);
      merged = this.mergeSpecial();
    }
    const passedVersion = Math.max(
      ...this.inputs.map(({ file }) => file.versions.findLastIndex((n) => n > 0)),
    );
    const set: SetOf[P] = { ...merged.set, version: Math.max(merged.set.version, passedVersion) };
    if (set.kind === 'allocations') {
      Object.assign(set, this.markedNames(this.inputs.flatMap(({ marked }) => marked)));
    }
    return this.assemble({ ...merged, set });
  }

  /** Adds the used strings of the last file to the merged table. The file itself is not changed. */
  private unite({ bytes }: WalkedFile): void {
    const { walker, union } = this;
    const { walk, table, met } = walker;
    if (this.indexes.length < walk.strings) this.indexes = new Int32Array(walk.strings);
    this.indexes.fill(-1, 0, walk.strings);
    union.addAll({ bytes, view: walk.view, starts: table }, walk.order, met, this.indexes);
    this.makeRoom();
  }

  /** Whether the last file has one key twice, which only decoding does right. */
  private repeatsKey({ starts }: WalkedFile): boolean {
    const { states, indexes } = this;
    const { walk } = this.walker;
    let place = 0;
    for (; place < starts.length - 1; place++) {
      const key = indexes[walk.view.getInt32(starts[place]!, true)]!;
      if ((states[key]! & isKey) !== 0) break;
      states[key]! |= isKey;
    }
    for (let i = 0; i < place; i++) {
      states[indexes[walk.view.getInt32(starts[i]!, true)]!]! &= ~isKey;
    }
    return place < starts.length - 1;
  }

  private makeRoom(): void {
    if (this.states.length >= this.union.size) return;
    const states = new Uint8Array(2 * this.union.size);
    states.set(this.states);
    this.states = states;
  }

  /** Notes which identities the input has, those that were met before, and those that are marked. */
  private meet({ file, marked }: SplicedInput<P>): void {
    const { indexes, walker } = this;
    const { view } = walker.walk;
    const { starts, bytes } = file;
    if (this.pipeline === 'allocations') this.findMarks();
    const misnamed = new Set(this.pipeline === 'assets' ? file.misnamed : []);
    const offset = identityOffset[this.pipeline];
    const note = (index: number) => {
      const state = this.states[index]!;
      const again = (state & seen) !== 0;
      this.states[index] = state | (again ? collided : seen);
      if (again) this.anyCollided = true;
      if ((state & (idle | external)) !== 0) marked.push(index);
    };
    for (let place = 0; place < starts.length - 1; place++) {
      const start = starts[place]!;
      if (bytes[start + 4] === 0) continue;
      note(misnamed.has(place) ? this.identityOf(start) : indexes[view.getInt32(start + offset, true)]!);
    }
  }

  /** The identity of an asset whose key is another one, as an index of the merged table. */
  private identityOf(start: number): number {
    const { walker, union } = this;
    const { record } = decodeEntry('assets', walker.walk, start, (index) => walker.text(index));
    if (record === null) throw new RangeError('There is no record.');
    const index = union.add(assetIdentity(record, null));
    this.makeRoom();
    return index;
  }

  /** Notes which strings of the last file have the mark of idle or external records in them. */
  private findMarks(): void {
    const { table, walk } = this.walker;
    for (const [mark, state] of marks) {
      for (const entry of entriesWith(walk.bytes, table, mark)) {
        const index = this.indexes[entry]!;
        if (index >= 0) this.states[index]! |= state;
      }
    }
  }

  /** Overwrites the string indexes of the last file from one of the walk's positions to another. */
  private rewrite(from: number, to: number): void {
    const { indexes } = this;
    const { view, positions } = this.walker.walk;
    for (let i = from; i < to; i++) {
      const at = positions[i]!;
      view.setInt32(at, indexes[view.getInt32(at, true)]!, true);
    }
  }

  /** Takes every record whose identity was met more than once out of those that pass. */
  private findCollided(): void {
    if (!this.anyCollided) return;
    const { states } = this;
    const offset = identityOffset[this.pipeline];
    for (const { file, special } of this.inputs) {
      const { bytes, starts } = file;
      for (let place = 0; place < starts.length - 1; place++) {
        const start = starts[place]!;
        if (bytes[start + 4] === 0) continue;
        if ((states[bytes.readInt32LE(start + offset)]! & collided) !== 0) special.add(place);
      }
    }
  }

  /** Merges the sets as if they had no records but the special ones. */
  private mergeSpecial(): Merged<SetOf[P]> {
    const walk = new Walk();
    walk.begin(Buffer.alloc(0), this.union.size);
    const inputs = this.inputs.map((input): MergeInput<SetOf[P]> => {
      walk.goOn(input.file.bytes);
      const entries = specialPlaces(input).map((place) => this.entryOf(input, place, walk));
      return { id: input.id, set: withEntries(input, entries) };
    });
    return mergeSets(this.pipeline, inputs);
  }

  private entryOf({ file, decoded }: SplicedInput<P>, place: number, walk: Walk): Entry<P> {
    let entry = decoded.get(place);
    if (entry === undefined) {
      entry = decodeEntry(this.pipeline, walk, file.starts[place]!, (index) => this.union.text(index));
      decoded.set(place, entry);
      if (entry.record !== null) file.versions[entry.version]!--;
    }
    return entry;
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
    this.unite(own);
    this.rewrite(0, this.walker.walk.found);
    const table = this.union.table();
    const list = new PartList();
    list.add(table, 0, table.length);
    list.add(own.bytes, own.set, own.starts[0]!);
    const ownEntries = new OwnEntries(own);
    let total = 0;
    const contributions = this.inputs.map((input, index): Contribution => {
      const { file, decoded } = input;
      const offset = list.length;
      const placed = placeEntries(list, input, merged.inputs[index]!, ownEntries);
      total += placed.entries;
      const rest = withEntries(
        input,
        placed.changed.map((place) => decoded.get(place)!),
      );
      const marksLeftOut = hasUsualMarks(file.facts, this.markedNames(input.marked));
      return {
        id: input.id,
        records: file.records,
        ...placed,
        offset,
        length: list.length - offset,
        rest: encodeRest(rest, marksLeftOut),
        marksLeftOut,
      };
    });
    list.add(own.bytes, own.starts[own.starts.length - 1]!, own.bytes.length);
    // The count stands just before the first entry.
    own.bytes.writeInt32LE(total, own.starts[0]! - 4);
    return { parts: list.parts, byteLength: list.length, contributions, inputs: this.inputs.map(factsOf) };
  }
}

/**
 * Merges the files of one window, as `Splice` does.
 *
 * @param inputs at least one, in the order of folding; their bytes are handed over
 * @throws FederationError as `decodeSet` does, of the first file that cannot be taken
 */
export function spliceSets(
  pipeline: Pipeline,
  inputs: readonly { readonly id: string; readonly bytes: Uint8Array }[],
): SplicedMerge {
  const splice = new Splice(
    pipeline,
    inputs.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  for (const { id, bytes } of inputs) splice.add(id, bytes);
  return splice.finish();
}

function hasAggregationKeys(set: EtlSet): boolean {
  return set.kind === 'assets' && (set.aggregationKeys?.length ?? 0) > 0;
}
