import type { ByteString } from './byte-string';

/** Rules for merging the records of one pipeline. */
export interface FoldRules<R> {
  /**
   * Returns the identity of a record. Records with the same identity are added up. In the result, the identity is the
   * record's key.
   */
  identity(record: R): ByteString;
  /** Adds `b` to `a`, which was met first. `index` is the number of the input that `b` is from. */
  add(a: R, b: R, index: number): R;
  /** Expands the record's window to the window of the result. Returns the same object if nothing changes. */
  expand(record: R): R;
}

/** What became of the entries of one input. */
export interface FoldedInput {
  /** Number of entries of the result whose identity was first met in this input. They are consecutive in the result. */
  entries: number;
  /** Which of the `entries` differ from the input's own: their indexes among them, counted from 0, ascending. */
  altered: number[];
  /** Which entries of the input are not in the result unchanged: their positions in the input, ascending. */
  changed: number[];
  /**
   * The part of `changed` without an entry of its own in the result: entries without a record, and entries whose record
   * was added to an earlier one.
   */
  gone: number[];
}

interface Slot<R> {
  record: R;
  input: number;
  place: number;
  asItCame: boolean;
}

/**
 * Merges the records of many inputs into one map, in the order in which their identities are first met. Skips entries
 * without a record.
 */
export function foldRecords<R>(
  inputs: readonly (ReadonlyMap<ByteString, R | null> | null)[],
  rules: FoldRules<R>,
): { records: Map<ByteString, R>; inputs: FoldedInput[] } {
  const slots = new Map<ByteString, Slot<R>>();
  const folded = inputs.map((): FoldedInput => ({ entries: 0, altered: [], changed: [], gone: [] }));
  inputs.forEach((entries, input) => {
    let place = 0;
    for (const [key, record] of entries ?? []) {
      const slot = record === null ? undefined : meet(slots, rules, { key, record, input, place });
      if (slot === undefined) {
        folded[input]?.changed.push(place);
        folded[input]?.gone.push(place);
      }
      place++;
    }
  });

  const records = new Map<ByteString, R>();
  for (const [identity, slot] of slots) {
    const expanded = rules.expand(slot.record);
    records.set(identity, expanded);
    const owner = folded[slot.input];
    if (owner === undefined) continue;
    if (!slot.asItCame || expanded !== slot.record) {
      owner.altered.push(owner.entries);
      owner.changed.push(slot.place);
    }
    owner.entries++;
  }
  for (const { changed } of folded) changed.sort((a, b) => a - b);
  return { records, inputs: folded };
}

interface Met<R> {
  key: ByteString;
  record: R;
  input: number;
  place: number;
}

/**
 * If the identity of a record already has a slot, adds the record to it and returns undefined. Otherwise creates a slot
 * and returns it.
 */
function meet<R>(slots: Map<ByteString, Slot<R>>, rules: FoldRules<R>, met: Met<R>): Slot<R> | undefined {
  const identity = rules.identity(met.record);
  const slot = slots.get(identity);
  if (slot !== undefined) {
    slot.record = rules.add(slot.record, met.record, met.input);
    slot.asItCame = false;
    return undefined;
  }
  const fresh = { record: met.record, input: met.input, place: met.place, asItCame: met.key === identity };
  slots.set(identity, fresh);
  return fresh;
}
