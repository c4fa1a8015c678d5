import type { ByteString } from './byte-string';
import type { Codec } from './codec';
import type { CommonSet, RecordOf, SetOf, TimeWindow } from './model';
import type { Hooks } from './splice/compile-walk';
import type { TableView } from './splice/string-union';
import type { Walk } from './splice/walk';
import type { VersionRange } from './versions';
import type { Pipeline } from './window';

/** Name of a field that only the sets of this pipeline have. The field with the records is not among them. */
export type OwnField<P extends Pipeline> = Exclude<keyof SetOf[P], keyof CommonSet | 'kind' | P>;

/** Name of a field that only the sets of this pipeline have and that lists names of (idle or external) records. */
export type MarkField<P extends Pipeline> = {
  [F in OwnField<P>]: SetOf[P][F] extends Map<ByteString, boolean> | null ? F : never;
}[OwnField<P>];

/** Name of any other field that only the sets of this pipeline have. */
export type FactField<P extends Pipeline> = Exclude<OwnField<P>, MarkField<P>>;

/** Everything about a pipeline that reading, merging and splicing need to know. */
export interface PipelineSpec<P extends Pipeline> {
  /** Human-readable name of the set type. */
  readonly setName: string;
  /** Supported versions of the set type. */
  readonly versions: VersionRange;
  /** Codec of an entry's record. The key before it is a string. */
  readonly record: Codec<RecordOf[P] | null>;
  /**
   * Codecs of the pipeline's own fields in wire order. Each field is before or after the records. The fields that all
   * pipelines have in common come last, in the same order in every pipeline.
   */
  readonly own: { readonly [F in OwnField<P>]: OwnCodec<SetOf[P][F]> };
  /** Returns the highest codec version of a record and its parts, except windows. */
  versionOf(this: void, record: RecordOf[P]): number;
  /** Returns the name of the record's cluster, or an empty string if the record has none. */
  clusterOf(this: void, record: RecordOf[P]): ByteString;
  /** Returns the total cost of a record, including adjustments, in the pricing currency of its cluster. */
  costOf(this: void, record: RecordOf[P]): number;
  /**
   * Returns the identity of a record, which is usually its key. Records with the same identity are added up in a merge.
   */
  identity(this: void, record: RecordOf[P]): ByteString;
  /** Returns the rules for merging the sets of one window. Receives the sets in the order of folding. */
  merging(this: void, sets: readonly SetOf[P][]): Merging<P>;
  /**
   * The mark of each list of marked names: an ASCII text. The list contains the records whose identity contains the
   * text.
   */
  readonly marks: { readonly [F in MarkField<P>]: string };
  /**
   * Whether records of the set have other identities than `identity` returns. A splice then has to decode all records.
   */
  hasOtherIdentities(this: void, set: SetOf[P]): boolean;
  /** What a splice needs in order to walk over records without decoding them. */
  readonly walk: WalkRules;
}

export interface OwnCodec<T> {
  readonly at: 'before' | 'after';
  readonly codec: Codec<T>;
}

export interface Merging<P extends Pipeline> {
  /** Window of the merged set. */
  readonly window: TimeWindow;
  /** The fields of the merged set itself (not of its records), except the lists of marked names. */
  readonly facts: { readonly [F in FactField<P>]: SetOf[P][F] };
  /** Returns the key that a record has in the merged set. */
  identity(this: void, record: RecordOf[P]): ByteString;
  /**
   * Adds record `b` to `a`, which was met first. `index` is the number of the set that `b` is from. Changes neither
   * record.
   */
  add(this: void, a: RecordOf[P], b: RecordOf[P], index: number): RecordOf[P];
}

export interface WalkRules {
  /** Replacements for the walk's steps over certain fields of a record. */
  readonly hooks: Hooks;
  readonly identity: WalkedIdentity;
}

export type WalkedIdentity =
  /** The identity is a single string of the record. Its string index is `offset` bytes after the start of the entry. */
  | { readonly offset: number }
  /**
   * The identity is put together from parts of the record. `isKey` is called right after the walk has passed a record,
   * and returns whether the key at `start` is the record's identity. It may return false although it is: the record is
   * then decoded.
   */
  | { isKey(this: void, walk: Walk, table: TableView, start: number): boolean };
