import { atTime } from '../activities/log-plan';
import { describeWindow, parseWindowId } from '../etl/window';
import { count } from '../federation/count';
import { describeHold } from '../federation/hold';
import { describeRemoved } from '../federation/removal';
import type { DryRun } from '../operator/dry-run';
import { print } from './output';

/** Prints what a federation run would do, as determined by a dry run. */
export function showDryRun(plan: DryRun): void {
  const { base, clusters, excluded, removedClusters, windows, carried, removed, listing } = plan;
  if (plan.heldBy !== undefined) return print(`${describeHold(plan.heldBy)} Nothing was written.`);
  print(`${count(clusters.length, 'cluster')} in: ${clusters.join(', ') || 'none'}`);
  for (const [cluster, { by, reason }] of Object.entries(excluded))
    print(`excluded by ${by}: ${cluster}${reason === '' ? '' : ` (${reason})`}`);
  for (const [cluster, decision] of Object.entries(removedClusters))
    print(`removed: ${cluster} (${describeRemoved(decision)})`);
  for (const { window, clusters: from } of windows)
    print(`would merge ${nameOf(window)} from ${count(from.length, 'cluster')}`);
  for (const window of removed) print(`would drop ${nameOf(window)}, as it is older than the retention`);
  print(
    listing.kind !== 'recent'
      ? `${listing.kind === 'full' ? 'every window was checked' : 'no window was checked'}: ${listing.why}`
      : `windows that ended before ${atTime(listing.since)} were not looked at: ${listing.why}; --full looks at all`,
  );
  print(
    `${count(windows.length, 'window')} to merge, ${carried} as they are in generation ${base}. Nothing was written.`,
  );
}

function nameOf(window: string): string {
  const ref = parseWindowId(window);
  return ref === undefined ? window : `${ref.pipeline} ${describeWindow(ref)}`;
}
