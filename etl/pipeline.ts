import type { ByteString } from './byte-string';
import type { Codec } from './codec';
import type { CommonSet, RecordOf, SetOf, TimeWindow } from './model';
import type { Hooks } from './splice/compile-walk';
import type { TableView } from './splice/string-union';
import type { Walk } from './splice/walk';
import type { VersionRange } from './versions';
import type { Pipeline } from './window';

/** The fields that only sets of this pipeline have, records aside. */
export type OwnField<P extends Pipeline> = Exclude<keyof SetOf[P], keyof CommonSet | 'kind' | P>;

/** Its own fields that list names of records. */
export type MarkField<P extends Pipeline> = {
  [F in OwnField<P>]: SetOf[P][F] extends Map<ByteString, boolean> | null ? F : never;
}[OwnField<P>];

/** Its own fields that do not. */
export type FactField<P extends Pipeline> = Exclude<OwnField<P>, MarkField<P>>;

/** Everything that reading, merging and splicing need to know about a pipeline. */
export interface PipelineSpec<P extends Pipeline> {
  /** The name of its set type, for people. */
  readonly setName: string;
  /** The versions of its set type. */
  readonly versions: VersionRange;
  /** The record of an entry; its key is a string. */
  readonly record: Codec<RecordOf[P] | null>;
  /** Its own fields in wire order, before or after the records. The common fields follow, in the same order in every pipeline. */
  readonly own: { readonly [F in OwnField<P>]: OwnCodec<SetOf[P][F]> };
  /** The highest codec version of a record and its parts, windows aside. */
  versionOf(this: void, record: RecordOf[P]): number;
  /** The name of a record's cluster; empty if it has none. */
  clusterOf(this: void, record: RecordOf[P]): ByteString;
  /** The total cost of a record, adjustments included, in the pricing currency of its cluster. */
  costOf(this: void, record: RecordOf[P]): number;
  /**
   * The usual key of a record. Two records with one identity are the same record.
   */
  identity(this: void, record: RecordOf[P]): ByteString;
  /** How to merge sets of one window, given in the order of folding. */
  merging(this: void, sets: readonly SetOf[P][]): Merging<P>;
  /** By field: a record whose identity contains this text (ASCII) is listed there. */
  readonly marks: { readonly [F in MarkField<P>]: string };
  /** Whether this set's records have other identities than the usual ones, so that a splice has to decode all of them. */
  hasOtherIdentities(this: void, set: SetOf[P]): boolean;
  /** How a splice walks over records without decoding them. */
  readonly walk: WalkRules;
}

export interface OwnCodec<T> {
  readonly at: 'before' | 'after';
  readonly codec: Codec<T>;
}

export interface Merging<P extends Pipeline> {
  /** The window of the merged set. */
  readonly window: TimeWindow;
  /** The merged set's own fields, marks aside. */
  readonly facts: { readonly [F in FactField<P>]: SetOf[P][F] };
  /** The key of a record in the merged set. */
  identity(this: void, record: RecordOf[P]): ByteString;
  /** Adds record `b` of set `index` to `a`, the first one met. Changes neither. */
  add(this: void, a: RecordOf[P], b: RecordOf[P], index: number): RecordOf[P];
}

export interface WalkRules {
  /** Steps that replace those of some fields of a record. */
  readonly hooks: Hooks;
  readonly identity: WalkedIdentity;
}

export type WalkedIdentity =
  /** The identity is a string of the record; its index is at this offset from the start of the entry. */
  | { readonly offset: number }
  /**
   * The identity is put together from the record. `isKey` decides whether the key at `start` is the identity; the walk
   * has just passed the record. It may answer no for a key that is: then the record is decoded.
   */
  | { isKey(this: void, walk: Walk, table: TableView, start: number): boolean };
