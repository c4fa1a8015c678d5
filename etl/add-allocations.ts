import { allocationFields } from './allocation-codec';
import { adding } from './field';
import { addGpus } from './gpu-part';
import { earlier, later } from './instant';
import { type Minutes, minutesOf } from './merge-parts';
import type { Allocation } from './model';

const add = adding<Allocation, Minutes, typeof allocationFields>(allocationFields, addGpus);

/**
 * Adds allocation `b` to `a` by the rules of OpenCost's `Allocation.Add`, and returns the sum. In a merge, `a` must be
 * from an earlier input than `b`. The sum has the higher of the two codec versions. Does not change `a` or `b`.
 * Section 3 of docs/design/etl-format.md lists the rule for each field.
 */
export function addAllocations(a: Allocation, b: Allocation): Allocation {
  const both = { start: earlier(a.start, b.start), end: later(a.end, b.end) };
  return add(a, b, minutesOf(a, b, both));
}
