import type { ByteString } from './byte-string';
import type { Codec } from './codec';
import type { CommonSet, RecordOf, SetOf, TimeWindow } from './model';
import type { Hooks } from './splice/compile-walk';
import type { TableView } from './splice/string-union';
import type { Walk } from './splice/walk';
import type { VersionRange } from './versions';
import type { Pipeline } from './window';

/** Names of the fields that only sets of this pipeline have, except its records. */
export type OwnField<P extends Pipeline> = Exclude<keyof SetOf[P], keyof CommonSet | 'kind' | P>;

/** Names of those own fields that list names of records. */
export type MarkField<P extends Pipeline> = {
  [F in OwnField<P>]: SetOf[P][F] extends Map<ByteString, boolean> | null ? F : never;
}[OwnField<P>];

/** Names of all other own fields. */
export type FactField<P extends Pipeline> = Exclude<OwnField<P>, MarkField<P>>;

/** Everything that reading, merging and splicing need to know about a pipeline. */
export interface PipelineSpec<P extends Pipeline> {
  /** Human-readable name of the set type. */
  readonly setName: string;
  /** Supported versions of the set type. */
  readonly versions: VersionRange;
  /** Codec of the record of an entry. The entry's key is a string. */
  readonly record: Codec<RecordOf[P] | null>;
  /**
   * The pipeline's own fields in wire order, each before or after the records. The common fields follow, in the same
   * order in every pipeline.
   */
  readonly own: { readonly [F in OwnField<P>]: OwnCodec<SetOf[P][F]> };
  /** Returns the highest codec version of a record and its parts, except windows. */
  versionOf(this: void, record: RecordOf[P]): number;
  /** Returns the name of a record's cluster; empty if it has none. */
  clusterOf(this: void, record: RecordOf[P]): ByteString;
  /** Returns the total cost of a record, including adjustments, in the pricing currency of its cluster. */
  costOf(this: void, record: RecordOf[P]): number;
  /** Returns the usual key of a record. Two records with the same identity are the same record. */
  identity(this: void, record: RecordOf[P]): ByteString;
  /** Returns the rules for merging sets of one window, which are passed in the order of folding. */
  merging(this: void, sets: readonly SetOf[P][]): Merging<P>;
  /** The text (ASCII) of each mark field. The field lists the records whose identity contains the text. */
  readonly marks: { readonly [F in MarkField<P>]: string };
  /** Whether the identities of the set's records are not the usual ones, so that a splice has to decode all records. */
  hasOtherIdentities(this: void, set: SetOf[P]): boolean;
  /** How a splice walks over records without decoding them. */
  readonly walk: WalkRules;
}

export interface OwnCodec<T> {
  readonly at: 'before' | 'after';
  readonly codec: Codec<T>;
}

export interface Merging<P extends Pipeline> {
  /** Window of the merged set. */
  readonly window: TimeWindow;
  /** The merged set's own fields, except its lists of marked names. */
  readonly facts: { readonly [F in FactField<P>]: SetOf[P][F] };
  /** Returns the key of a record in the merged set. */
  identity(this: void, record: RecordOf[P]): ByteString;
  /** Adds record `b`, which is from set number `index`, to `a`, which was met first. Changes neither. */
  add(this: void, a: RecordOf[P], b: RecordOf[P], index: number): RecordOf[P];
}

export interface WalkRules {
  /** Replacements for the walk's steps over some fields of a record. */
  readonly hooks: Hooks;
  readonly identity: WalkedIdentity;
}

export type WalkedIdentity =
  /** The identity is one string of the record. Its index is at this offset from the start of the entry. */
  | { readonly offset: number }
  /**
   * The identity is put together from parts of the record. When the walk has just passed the record, `isKey` decides
   * whether the key at `start` is the identity. It may answer no although it is: the record is then decoded.
   */
  | { isKey(this: void, walk: Walk, table: TableView, start: number): boolean };
