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
import { Walk } from './walk';
import { FileWalker, stringCount, textOf, viewTable, type WalkedEntries } from './walk-file';

/** A merged file, as `encodeMerged` returns it, but in parts. */
export interface SplicedMerge {
  /**
   * The parts of the file, in order. They can be iterated repeatedly, but not concurrently; a part is valid only until
   * the next one is requested.
   */
  readonly parts: Iterable<Buffer>;
  readonly byteLength: number;
  /** The ranges that `parts` reads again, in order. */
  readonly again: readonly AgainRange[];
  /** In the order of folding. */
  readonly contributions: readonly Contribution[];
  /** In the order of folding. */
  readonly inputs: readonly InputFacts[];
}

export interface SpliceOptions extends HoldOptions {
  /** About how many bytes will be added; affects only speed. */
  readonly bytes?: number;
}

/** The buffer in which the entries of an input are, and what is known of its set. */
interface TakenFrom<P extends Pipeline> {
  /** The set without its records, given the marked names among its records. */
  readonly facts: (marked: readonly number[]) => SetOf[P];
  readonly hasMap: boolean;
  /** The bytes that were handed over, and where in them the first entry starts. */
  readonly whole: Buffer;
  readonly first: number;
  /** Where the entries start in the file that they are read again from. */
  readonly offset: number;
  /** From the table of the entries to the merged one. */
  readonly indexes: Int32Array;
  /** The index mapping for reading the entries again; undefined if they cannot be re-read verbatim. */
  readonly again: (() => Pick<Again, 'indexes' | 'by'>) | undefined;
}

/**
 * Merges the files of one window with the result of `encodeMerged(mergeSets(…))`, but without decoding records that just
 * pass through: string tables are united, and in the records only string indexes are overwritten. Decoded and merged by
 * the rules are records that two inputs share, whose window has to be expanded, or whose key is not their identity; all
 * records are, if sets have identities other than the usual ones (aggregationKeys).
 *
 * The file has the same content as the decoding merge's, in the same order. It is identical to the byte if every record
 * passes through; otherwise only the order of its string table may differ, and strings of records that were added up may
 * remain in it unused.
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
   * Adds the file of the next input. Inputs are added in the order of folding (ids in byte order).
   *
   * @param bytes the splice takes ownership: they are overwritten and become part of the result. After an error they are
   *   unchanged.
   * @throws FederationError as `decodeSet` does; the splice is then as it was before
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
    // Re-reading covers the entries alone, so strings before them (`from` > 0) would be missed.
    let canReadAgain = plain === bytes && walker.from === 0;
    if (file === undefined) {
      // Damaged, or not as our writer would write it. Decoding reports the damage, or makes the file regular.
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
   * Sets the merged file from which `addFrom` takes inputs that have not changed since.
   *
   * @param head its bytes from the start at least to the first entry
   * @throws FederationError ETL_CORRUPT if it has no table
   */
  usePrevious(head: Buffer): void {
    const strings = stringCount(head);
    if (strings === undefined) throw corrupt(0, 'The merged file has no string table.');
    const table = viewTable(head, strings);
    const marked = this.strings.findMarked(table);
    this.previous = { table, indexes: new Int32Array(strings).fill(-1), marked };
  }

  /**
   * Adds the next input from its part of the previous merged file, which has all of its entries unaltered. The result is
   * identical to the byte to adding the input's own file.
   *
   * @param contribution from the provenance of the previous file; its `altered` and `changed` are empty
   * @param bytes that part; ownership as in `add`
   * @throws FederationError ETL_CORRUPT if the three do not belong together; the splice is then unusable
   */
  addFrom({ id, entries: count, rest, marksOmitted, offset }: Contribution, bytes: Buffer): InputFacts {
    const { previous, walker, strings } = this;
    if (previous === undefined) throw new RangeError('There is no previous file.');
    const around = walker.over(Buffer.from(rest, 'base64'));
    if (around === undefined) throw corrupt(offset, 'The set in the provenance is not readable.');
    // Strings of fields before the entries come first in the table, as they would from the input's own file.
    strings.unite();
    strings.forgetIndexes();
    const entries = walker.overEntries(bytes, previous.table, count);
    if (entries === undefined) throw corrupt(offset, `There are not ${count} entries of ${id}.`);
    strings.uniteMore(previous);
    strings.noteMarks(previous.marked, previous.indexes);
    const { indexes } = previous;
    return this.take(id, entries, {
      facts: (marked) => (marksOmitted ? { ...around.facts, ...strings.markedNames(marked) } : around.facts),
      hasMap: around.hasMap,
      whole: bytes,
      first: 0,
      offset,
      indexes,
      again: () => ({ indexes, by: 'index' }),
    });
  }

  /** The merged file. Nothing can be added afterwards. */
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

  /** Releases all memory at once. Neither the splice nor its merged file can be used any more. */
  free(): void {
    this.held.free();
    this.strings.free();
  }

  /** Walks over a set as our writer writes it. */
  private overOwn(set: SetOf[P], around = false) {
    const file = this.walker.over(encodeSet(set), around);
    if (file === undefined) throw new Error('A file of our own cannot be walked over.');
    return file;
  }

  /** Makes the entries that were walked over last the next input. */
  private take(id: string, entries: WalkedEntries, from: TakenFrom<P>): InputFacts {
    const { whole, first, offset, indexes, again, hasMap } = from;
    const { walker, inputs, held } = this;
    const { identities, marked } = this.strings.meet(entries, first, indexes);
    const length = entries.starts.at(-1)!;
    const isHeld = again === undefined || held.hasRoomFor(whole);
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
        : { range: { input: inputs.length, offset, length }, strings: walker.walk.strings, ...again() },
    };
    inputs.push(input);
    if (!isHeld) this.decodeAndFree(input, first, whole);
    return factsOf(input);
  }

  /** Decodes the entries of an input that are already known to be special while its bytes are there, then frees them. */
  private decodeAndFree(input: SplicedInput<P>, first: number, bytes: Buffer): void {
    const { walk, table } = this.walker;
    for (const place of input.special) {
      decodePlace(this.pipeline, input, place, walk, first, (index) => textOf(table, index));
    }
    releaseBuffer(bytes);
  }

  /** Makes every record special that shares its identity with another. */
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

  /** Merges the sets as if they had only their special records. */
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
