import type { ByteString } from './byte-string';

/** Rules for merging the records of one pipeline. */
export interface FoldRules<R> {
  /**
   * Returns the identity of a record. Records with the same identity are added together. In the result, each record's
   * key is its identity.
   */
  identity(record: R): ByteString;
  /** Adds `b` to `a`, which comes earlier in the merge. `index` is the index of the input that contains `b`. */
  add(a: R, b: R, index: number): R;
  /** Expands the record's window to the window of the merged set. Returns the same object if nothing changes. */
  expand(record: R): R;
}

/** How a merge treated the entries of one input. An entry is a key and its record. */
export interface FoldedInput {
  /**
   * Number of entries in the result whose identity first occurred in this input. They are consecutive in the result.
   */
  entries: number;
  /**
   * Which of these entries the merge changed: their indexes in ascending order. Index 0 is the first entry in the
   * result whose identity first occurred in this input.
   */
  altered: number[];
  /** Indexes of the input's entries that the merge changed or dropped, in ascending order. */
  changed: number[];
  /**
   * The part of `changed` that has no counterpart in the result: entries without a record, and entries whose record was
   * added to an earlier record.
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
 * Merges the records of many inputs into one map, in the order in which their identities first occur. Skips entries
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
 * Adds a record to the earlier record with the same identity, and returns undefined. If there is no earlier record,
 * stores the record in a new slot, and returns the slot.
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
