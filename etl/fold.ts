import type { ByteString } from './byte-string';

/** How records of one pipeline are merged. */
export interface FoldRules<R> {
  /** What makes two records the same one; also the key in the result. */
  identity(record: R): ByteString;
  /** `b` of input `index` added to `a`, which was met first. */
  add(a: R, b: R, index: number): R;
  /** The record with its window expanded to that of the result; the same object where nothing changes. */
  expand(record: R): R;
}

/** What became of one input. */
export interface FoldedInput {
  /** How many entries of the result were met first in this input. They follow one another in the result. */
  entries: number;
  /** Which of those entries, counted from 0, are not as they came, ascending. */
  altered: number[];
  /** Places among all of the input's entries of those that do not stand in the result as they came, ascending. */
  changed: number[];
  /** Those of `changed` that have no entry of their own in the result: without a record, or added to another. */
  gone: number[];
}

interface Slot<R> {
  record: R;
  input: number;
  place: number;
  asItCame: boolean;
}

/**
 * Folds the records of many inputs into one map, in the order in which identities are met first. Entries without
 * a record are passed over.
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

/** Gives a record a slot of its own, which is returned, or adds it to the one that its identity has. */
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
