import { crc32 } from 'node:zlib';
import type { Contribution } from '../contribution';
import { decodeSet, encodeSet } from '../file';
import { gunzip, isGzipped } from '../gzip';
import { type Merged, type MergeInput, mergeSets } from '../merge';
import type { SetOf } from '../model';
import { pipelineSpecs } from '../pipelines';
import { corrupt } from '../refusal';
import { releaseBuffer } from '../release-buffer';
import type { Pipeline } from '../window';
import { assemble } from './assemble';
import { HeldEntries, type HoldOptions } from './held-entries';
import { MergedStrings, type Previous } from './merged-strings';
import {
  type Again,
  type AgainRange,
  decodePlace,
  factsOf,
  type InputFacts,
  isExpanded,
  specialPlaces,
  type SplicedInput,
  takeAll,
  withEntries,
} from './spliced-input';
import { textOf } from './string-union';
import { Walk } from './walk';
import { FileWalker, stringCount, viewTable, type WalkedEntries } from './walk-file';

/** A merged file in several parts. It has the same content as the file that `encodeMerged` returns. */
export interface SplicedMerge {
  /**
   * Parts of the file, in order. They can be iterated several times, but not concurrently. Each part is valid only
   * until the next one is requested.
   */
  readonly parts: Iterable<Buffer>;
  readonly byteLength: number;
  /** Byte ranges of inputs, in the order in which they are read again while `parts` is iterated. */
  readonly again: readonly AgainRange[];
  /** One contribution per input, in merge order. */
  readonly contributions: readonly Contribution[];
  /** Facts about each input, in merge order. */
  readonly inputs: readonly InputFacts[];
}

export interface SpliceOptions extends HoldOptions {
  /** Expected size of all inputs together, in bytes. Affects only speed. */
  readonly bytes?: number;
}

/** Says where to find the entries of an input, and what is known about its set. */
interface TakenFrom<P extends Pipeline> {
  /**
   * Returns the set without its records. `marked` contains the string indexes of the identities that contain a mark,
   * such as `__idle__`.
   */
  readonly facts: (marked: readonly number[]) => SetOf[P];
  readonly hasMap: boolean;
  /** The bytes that were passed to the splice. The first record in them starts at byte `first`. */
  readonly whole: Buffer;
  readonly first: number;
  /**
   * Start of the entries, as a byte offset in the file that contains them: the input's own file, or the previous merged
   * file.
   */
  readonly offset: number;
  /** Maps the string indexes in the entries to those of the merged file. */
  readonly indexes: Int32Array;
  /**
   * Returns how to renumber the string indexes if the entries are freed and read again. `again` is undefined if the
   * entries cannot be read again and must therefore stay in memory.
   */
  readonly again: (() => Pick<Again, 'indexes' | 'by'>) | undefined;
}

/**
 * Merges the files of one window without decoding most records. Builds a common string table. Copies the bytes of the
 * records and replaces only the string indexes in them. A record is decoded and merged only in these cases:
 *
 * - It is the first record of its file.
 * - Its window differs from that of the first record, or must be expanded.
 * - Another record has the same identity.
 * - Its key is not its identity.
 * - Any set has aggregationKeys. In this case, all records are decoded.
 *
 * The result has the same content as `encodeMerged(mergeSets(…))`, in the same order. If no record had to be changed,
 * the two results are byte-identical. Otherwise, the string table of the splice's result may be in another order, and
 * may contain unused strings of records that were added together.
 */
export class Splice<P extends Pipeline> {
  private readonly walker: FileWalker<P>;
  private readonly strings: MergedStrings<P>;
  private readonly held: HeldEntries<P>;
  private readonly inputs: SplicedInput<P>[] = [];
  private previous: Previous | undefined;

  constructor(
    private readonly pipeline: P,
    { bytes = 0, ...holding }: SpliceOptions = {},
  ) {
    this.walker = new FileWalker(pipeline);
    this.strings = new MergedStrings(pipeline, this.walker, bytes);
    this.held = new HeldEntries(this.walker, this.strings, holding);
  }

  /**
   * Adds the file of the next input. Inputs must be added in merge order (sorted by id, in byte order).
   *
   * @param bytes the file; the splice takes ownership of this array and overwrites it, unless `add` throws
   * @throws FederationError as `decodeSet` does; the splice is then in the same state as before the call
   */
  add(id: string, bytes: Uint8Array): InputFacts {
    const { walker, strings } = this;
    const plain = isGzipped(bytes) ? gunzip(bytes) : bytes;
    let file = walker.over(plain);
    if (file !== undefined) {
      const before = strings.size;
      strings.unite();
      if (strings.repeatsKey(file)) {
        strings.undoUnite(before);
        file = undefined;
      }
    }
    // Entries cannot be read again if the file is gzipped, or if fields before the entries use strings (`from` > 0).
    // These fields would not be read again, so the strings would be in a different order the second time.
    let canReadAgain = plain === bytes && walker.from === 0;
    if (file === undefined) {
      // The file is damaged, or our writer would write it differently. If it is damaged, `decodeSet` throws an error.
      // Otherwise, encode its set with our writer.
      const set = decodeSet(this.pipeline, bytes);
      file = this.overOwn(set);
      strings.unite();
      file = { ...file, facts: { ...set, [this.pipeline]: null } };
      canReadAgain = false;
    }
    strings.noteMarks(strings.findMarked(walker.table), strings.indexes);
    const { facts, hasMap, first, bytes: whole } = file;
    const again = () => ({ indexes: strings.indexesInOrder(), by: 'order' as const });
    const taken = this.take(id, file, {
      facts: () => facts,
      hasMap,
      whole,
      first,
      offset: first,
      indexes: strings.indexes,
      again: canReadAgain ? again : undefined,
    });
    strings.forgetIndexes();
    return taken;
  }

  /**
   * Sets the previous merged file, from which `addFrom` copies unchanged inputs.
   *
   * @param head the start of the previous file, at least up to its first entry
   * @throws FederationError ETL_CORRUPT if the previous file has no string table
   */
  usePrevious(head: Buffer): void {
    const strings = stringCount(head);
    if (strings === undefined) throw corrupt(0, 'The merged file has no string table.');
    const table = viewTable(head, strings);
    const marked = this.strings.findMarked(table);
    this.previous = { table, indexes: new Int32Array(strings).fill(-1), marked };
  }

  /**
   * Adds the next input without its file: takes its entries from the previous merged file, which must contain all of
   * them unchanged. The result is byte-identical to calling `add` with the input's file.
   *
   * @param contribution the input's contribution to the previous file; `altered` and `changed` must be empty
   * @param bytes the input's part of the previous file; the splice takes ownership of this array and overwrites it
   * @throws FederationError ETL_CORRUPT if the arguments do not match the previous file; the splice is then unusable
   */
  addFrom(contribution: Contribution, bytes: Buffer): InputFacts {
    const { id, entries: count, rest, marksOmitted, offset, measure, names } = contribution;
    const { previous, walker, strings } = this;
    if (previous === undefined) throw new RangeError('There is no previous file.');
    const around = walker.over(Buffer.from(rest, 'base64'));
    if (around === undefined) throw corrupt(offset, 'The set in the provenance is not readable.');
    // First add the strings that are used before the entries, because `add` also adds them first. So the merged string
    // table has the same order as if `add` had been called.
    strings.unite();
    strings.forgetIndexes();
    const walked = walker.overEntries(bytes, previous.table, count);
    if (walked === undefined) throw corrupt(offset, `There are not ${count} entries of ${id}.`);
    strings.uniteMore(previous);
    strings.noteMarks(previous.marked, previous.indexes);
    const { indexes } = previous;
    return this.take(
      id,
      { ...walked, measure, names },
      {
        facts: (marked) =>
          marksOmitted ? { ...around.facts, ...strings.markedNames(marked) } : around.facts,
        hasMap: around.hasMap,
        whole: bytes,
        first: 0,
        offset,
        indexes,
        again: () => ({ indexes, by: 'index' }),
      },
    );
  }

  /** Completes the merge and returns the merged file. No input can be added afterwards. */
  finish(): SplicedMerge {
    const { inputs, strings, held } = this;
    if (inputs.length === 0) throw new RangeError('Nothing to merge.');
    this.previous = undefined;
    this.takeCollided();
    const { hasOtherIdentities } = pipelineSpecs[this.pipeline];
    if (inputs.some(({ facts }) => hasOtherIdentities(facts))) inputs.forEach(takeAll);
    let merged = this.mergeSpecial();
    const expanded = inputs.filter((input) => isExpanded<P>(input, merged.set));
    if (expanded.length > 0) {
      expanded.forEach(takeAll);
      merged = this.mergeSpecial();
    }
    const passedVersion = Math.max(
      ...inputs.map(({ entries }) => entries.versions.findLastIndex((n) => n > 0)),
    );
    const set: SetOf[P] = {
      ...merged.set,
      version: Math.max(merged.set.version, passedVersion),
      ...strings.markedNames(inputs.flatMap(({ marked }) => marked)),
    };
    const own = this.overOwn(set, true);
    strings.unite();
    this.walker.walk.renumber(0, this.walker.walk.found, strings.indexes);
    const { layout, contributions } = assemble(inputs, merged, own, strings);
    return {
      parts: { [Symbol.iterator]: () => layout.bytes((input) => held.bytesOf(input)) },
      byteLength: layout.length,
      again: layout.inputs().flatMap((input) => (input.held instanceof Uint8Array ? [] : [input.held.range])),
      contributions,
      inputs: inputs.map(factsOf),
    };
  }

  /** Frees all memory of the splice immediately. Neither the splice nor its merged file can be used afterwards. */
  free(): void {
    this.held.free();
    this.strings.free();
  }

  /** Encodes a set as a file, and scans this file with the walker. */
  private overOwn(set: SetOf[P], around = false) {
    const file = this.walker.over(encodeSet(set), around);
    if (file === undefined) throw new Error('A file of our own cannot be walked over.');
    return file;
  }

  /** Adds the next input, whose entries the walker has just scanned. */
  private take(id: string, entries: WalkedEntries, from: TakenFrom<P>): InputFacts {
    const { whole, first, offset, indexes, again, hasMap } = from;
    const { walker, inputs, held } = this;
    const { identities, marked } = this.strings.meet(entries, first, indexes);
    const length = entries.starts.at(-1)!;
    const isHeld = again === undefined || held.hasRoomFor(whole);
    const range = () => ({
      input: inputs.length,
      offset,
      length,
      crc: crc32(whole.subarray(first, first + length)),
    });
    const input: SplicedInput<P> = {
      id,
      entries,
      facts: from.facts(marked),
      hasMap,
      identities,
      marked,
      special: new Set(entries.special),
      decoded: new Map(),
      held: isHeld
        ? held.hold(whole, first, length, indexes)
        : { range: range(), strings: walker.walk.strings, ...again() },
    };
    inputs.push(input);
    if (!isHeld) this.decodeAndFree(input, first, whole);
    return factsOf(input);
  }

  /**
   * Decodes the entries of an input that are already known to be special (to be decoded and merged), and then frees the
   * input's bytes. Decoding these entries later would require reading the bytes again.
   */
  private decodeAndFree(input: SplicedInput<P>, first: number, bytes: Buffer): void {
    const { walk, table } = this.walker;
    for (const place of input.special) {
      decodePlace(this.pipeline, input, place, walk, first, (index) => textOf(table, index));
    }
    releaseBuffer(bytes);
  }

  /** Adds every record that shares its identity with another record to the `special` entries, which will be merged. */
  private takeCollided(): void {
    const { strings } = this;
    if (!strings.anyCollided) return;
    for (const { identities, special } of this.inputs) {
      for (let place = 0; place < identities.length; place++) {
        const index = identities[place]!;
        if (index >= 0 && strings.isCollided(index)) special.add(place);
      }
    }
  }

  /** Merges the sets of all inputs, reduced to the special records (those that must be decoded). */
  private mergeSpecial(): Merged<SetOf[P]> {
    const { strings } = this;
    const walk = new Walk();
    walk.begin(Buffer.alloc(0), strings.size);
    const inputs = this.inputs.map((input): MergeInput<SetOf[P]> => {
      const places = specialPlaces(input);
      const missing = places.filter((place) => !input.decoded.has(place));
      if (missing.length > 0) walk.goOn(this.held.bytesOf(input));
      for (const place of missing) {
        decodePlace(this.pipeline, input, place, walk, 0, (index) => strings.text(index));
      }
      const entries = places.map((place) => input.decoded.get(place)!);
      return { id: input.id, set: withEntries(input, entries) };
    });
    return mergeSets(this.pipeline, inputs);
  }
}
