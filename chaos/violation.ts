/**
 * The properties that chaos must not break:
 *
 * - `generation`: each generation follows the one before, never changes, and has one set of clusters in all windows
 * - `object`: each object that a generation names exists, with its size and digest
 * - `published`: each published file is whole, and is that of a committed generation
 * - `source`: each file of a cluster in the store is whole, and was written by that cluster
 * - `primary`: each file of the primary is whole, and is its own or that of a committed generation
 * - `merge`: in the end, the combined set equals an independent merge of what the clusters wrote last
 * - `pull`: in the end, the primary's files equal the combined set
 * - `api`: in the end, the API's totals equal those of the combined set
 * - `leftover`: in the end, no lock, no open run and no temporary file or object is left
 * - `stuck`: all this comes about within a limited time
 * - `read`: the store can be read while it has no fault
 * - `ended`: no process ends, unless chaos ends it
 */
export type Check =
  | 'generation'
  | 'object'
  | 'published'
  | 'source'
  | 'primary'
  | 'merge'
  | 'pull'
  | 'api'
  | 'leftover'
  | 'stuck'
  | 'read'
  | 'ended';

/** A property that did not hold. */
export interface Violation {
  readonly check: Check;
  /** Says what was found, with the object and the generations. */
  readonly what: string;
}
