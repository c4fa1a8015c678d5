import { allocationFields } from './allocation-codec';
import { adding } from './field';
import { addGpus } from './gpu-part';
import { earlier, later } from './instant';
import { type Minutes, minutesOf } from './merge-parts';
import type { Allocation } from './model';

const add = adding<Allocation, Minutes, typeof allocationFields>(allocationFields, addGpus);

/**
 * Adds allocation `b` to `a` as OpenCost's Allocation.Add does. `a` is the one that was met first. The rule of each
 * field is in section 3 of the merge rules in docs/design/etl-format.md. Changes neither argument. The result has the
 * higher of the two versions.
 */
export function addAllocations(a: Allocation, b: Allocation): Allocation {
  const both = { start: earlier(a.start, b.start), end: later(a.end, b.end) };
  return add(a, b, minutesOf(a, b, both));
}
