import type { ByteString } from './byte-string';

/** How records of one pipeline are merged. */
export interface FoldRules<R> {
  /** Identifies a record: two with the same identity are the same record. Also its key in the result. */
  identity(record: R): ByteString;
  /** Adds `b` of input `index` to `a`, the first one met. */
  add(a: R, b: R, index: number): R;
  /** The record with its window expanded to that of the result; the same object if nothing changes. */
  expand(record: R): R;
}

/** What became of one input. */
export interface FoldedInput {
  /** The number of entries of the result that were first met in this input. They are consecutive. */
  entries: number;
  /** Those of these entries, counted from 0, that were changed, ascending. */
  altered: number[];
  /** Positions, among the input's entries, of those that are not in the result unchanged, ascending. */
  changed: number[];
  /** Those of `changed` without their own entry in the result: no record, or added to another one. */
  gone: number[];
}

interface Slot<R> {
  record: R;
  input: number;
  place: number;
  asItCame: boolean;
}

/**
 * Folds the records of many inputs into one map, in the order in which identities are first met. Entries without
 * a record are skipped.
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

/** Puts a record into a new slot, which is returned, or adds it to the slot of its identity. */
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
