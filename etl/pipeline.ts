import type { ByteString } from './byte-string';
import type { Codec } from './codec';
import type { HourSums } from './measure';
import type { CommonSet, RecordOf, SetOf, TimeWindow } from './model';
import type { Hooks } from './splice/compile-walk';
import type { TableView } from './splice/string-union';
import type { Walk } from './splice/walk';
import type { VersionRange } from './versions';
import type { Pipeline } from './window';

/**
 * Name of a pipeline-specific field, which the sets of other pipelines do not have. The field that contains the records
 * does not count.
 */
export type OwnField<P extends Pipeline> = Exclude<keyof SetOf[P], keyof CommonSet | 'kind' | P>;

/**
 * Name of a pipeline-specific field that contains a list of marked records (see `Marks`): `idleKeys` or `externalKeys`.
 */
export type MarkField<P extends Pipeline> = {
  [F in OwnField<P>]: SetOf[P][F] extends Map<ByteString, boolean> | null ? F : never;
}[OwnField<P>];

/**
 * Name of a pipeline-specific field that contains no list of marked records (see `Marks`), such as `aggregationKeys`.
 */
export type FactField<P extends Pipeline> = Exclude<OwnField<P>, MarkField<P>>;

/** Everything that reading, merging and splicing (the fast merge) need to know about a pipeline. */
export interface PipelineSpec<P extends Pipeline> {
  /** Name of the set type, such as `AllocationSet`. */
  readonly setName: string;
  /** Supported codec versions of the set type. */
  readonly versions: VersionRange;
  /** Codec of a record. In a file, the record's key comes before it. Null means that the key has no record. */
  readonly record: Codec<RecordOf[P] | null>;
  /**
   * Codecs of the pipeline-specific fields, in file order. Each of these fields comes before or after the records. The
   * fields that all pipelines have in common follow at the end of the file.
   */
  readonly own: { readonly [F in OwnField<P>]: OwnCodec<SetOf[P][F]> };
  /**
   * Returns the highest codec version among a record and its parts. Ignores time windows, which have a separate codec.
   */
  versionOf(this: void, record: RecordOf[P]): number;
  /** Returns the name of a record's cluster, or an empty string if the record does not name one. */
  clusterOf(this: void, record: RecordOf[P]): ByteString;
  /** Adds the resource hours of a record to `sums`. `hoursIn` generates this from the record's codec. */
  addHours(this: void, record: RecordOf[P], sums: HourSums): void;
  /** Returns the total cost of a record, including adjustments, in the pricing currency of its cluster. */
  costOf(this: void, record: RecordOf[P]): number;
  /**
   * Returns the identity of a record, which is usually also its key. A merge adds together records with the same
   * identity.
   */
  identity(this: void, record: RecordOf[P]): ByteString;
  /** Returns the rules for merging the given sets of one window. The sets must be in merge order. */
  merging(this: void, sets: readonly SetOf[P][]): Merging<P>;
  /**
   * For each list of marked records (see `Marks`), an ASCII string. The list contains all records whose identity
   * includes this string.
   */
  readonly marks: { readonly [F in MarkField<P>]: string };
  /**
   * Returns whether records of this set can have other identities than `identity` returns. That is so if a set of
   * assets has aggregationKeys. A splice must then decode the records of all its inputs.
   */
  hasOtherIdentities(this: void, set: SetOf[P]): boolean;
  /** Tells a splice (the fast merge) how to move past records without decoding them. */
  readonly walk: WalkRules;
}

export interface OwnCodec<T> {
  readonly at: 'before' | 'after';
  readonly codec: Codec<T>;
}

export interface Merging<P extends Pipeline> {
  /** Window of the merged set: it covers the windows of the inputs. */
  readonly window: TimeWindow;
  /** The pipeline-specific fields of the merged set, except `idleKeys` and `externalKeys`. */
  readonly facts: { readonly [F in FactField<P>]: SetOf[P][F] };
  /** Returns the key that a record has in the merged set. */
  identity(this: void, record: RecordOf[P]): ByteString;
  /**
   * Adds record `b` to `a`, which comes earlier in the merge. `index` is the index of the set that contains `b`. Does
   * not change `a` or `b`.
   */
  add(this: void, a: RecordOf[P], b: RecordOf[P], index: number): RecordOf[P];
}

export interface WalkRules {
  /**
   * Wrappers for the functions that move past certain fields of a record. The wrappers collect information about these
   * fields.
   */
  readonly hooks: Hooks;
  readonly identity: WalkedIdentity;
  readonly cluster: WalkedCluster;
}

/** Finds the cluster name in the record that a walk has just passed. `start` is the position of the record's entry. */
export interface WalkedCluster {
  /** Returns the position of the string index of the cluster name, or -1 if the record has none. */
  position(this: void, walk: Walk, start: number): number;
  /**
   * Looks for the cluster name elsewhere in the record. Called only if the string at `position` is missing or empty.
   * Returns an empty string if the record has no cluster name.
   */
  otherwise(this: void, walk: Walk, start: number, text: (index: number) => ByteString): ByteString;
}

export type WalkedIdentity =
  /**
   * The identity is one of the record's strings. The index of this string in the string table is stored `offset` bytes
   * after the start of the record's entry.
   */
  | { readonly offset: number }
  /**
   * The identity consists of several strings of the record. `isKey` is called right after a walk has passed a record.
   * It returns whether the key at position `start` is the record's identity. In uncertain cases, it may return false,
   * so that the record is decoded.
   */
  | { isKey(this: void, walk: Walk, table: TableView, start: number): boolean };
