import type { ByteString } from './byte-string';

/** How the records of one pipeline are merged. */
export interface FoldRules<R> {
  /**
   * Returns the identity of a record: two records with the same identity are the same record. Also its key in the
   * result.
   */
  identity(record: R): ByteString;
  /** Adds `b`, which is from input number `index`, to `a`, which was met first. */
  add(a: R, b: R, index: number): R;
  /** Expands the record's window to that of the result. Returns the same object if nothing changes. */
  expand(record: R): R;
}

/** What became of the entries of one input. */
export interface FoldedInput {
  /** Number of entries of the result that were first met in this input. They are consecutive in the result. */
  entries: number;
  /** Indexes of the changed ones among these entries, counted from 0, ascending. */
  altered: number[];
  /** Positions in the input of the entries that the result does not contain unchanged, ascending. */
  changed: number[];
  /**
   * Those of `changed` that have no entry of their own in the result: either they have no record, or it was added to
   * another record.
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
 * Merges the records of many inputs into one map, in the order in which their identities are first met. Entries without
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

/** Adds a record to the slot of its identity if there is one. Otherwise creates that slot and returns it. */
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
