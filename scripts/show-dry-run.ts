import { atTime } from '../activities/log-plan';
import { describeWindow, parseWindowId } from '../etl/window';
import { count } from '../federation/count';
import { describeHold } from '../federation/hold';
import { describeRemoved } from '../federation/removal';
import type { DryRun } from '../operator/dry-run';
import { formatAge } from '../operator/format';
import { print, printJson, printNote } from './output';

/** The last sentence of a dry run, and of a verb that finds nothing to do. */
export const nothingChanged = 'Nothing was changed.';

/** Prints what a federation run would do, as text or JSON. The JSON also has the fields of `more`. */
export function showPlan(plan: DryRun, { json }: { readonly json?: true }, more: object = {}): void {
  if (json) printJson({ ...plan, ...more });
  else showDryRun(plan);
}

/** Prints what a federation run would do, as determined by a dry run. */
export function showDryRun(plan: DryRun): void {
  const { base, clusters, excluded, removedClusters, windows, carried, removed, listing } = plan;
  for (const line of plan.missing) printNote(line);
  if (plan.heldBy !== undefined) return print(`${describeHold(plan.heldBy)} ${nothingChanged}`);
  for (const line of describeRollback(plan, new Date())) print(line);
  print(`${count(clusters.length, 'cluster')} in: ${clusters.join(', ') || 'none'}`);
  for (const [cluster, { by, reason }] of Object.entries(excluded))
    print(`excluded by ${by}: ${cluster}${reason === '' ? '' : ` (${reason})`}`);
  for (const [cluster, decision] of Object.entries(removedClusters))
    print(`removed: ${cluster} (${describeRemoved(decision)})`);
  for (const { window, clusters: from } of windows)
    print(`would merge ${nameOf(window)} from ${count(from.length, 'cluster')}`);
  const whyDropped =
    plan.rollback === undefined ? 'it is older than the retention' : 'no cluster is left in it';
  for (const window of removed) print(`would drop ${nameOf(window)}, as ${whyDropped}`);
  print(
    listing.kind !== 'recent'
      ? `${listing.kind === 'full' ? 'every window was checked' : 'no window was checked'}: ${listing.why}`
      : `windows that ended before ${atTime(listing.since)} were not looked at: ${listing.why}; --full looks at all`,
  );
  print(
    `${count(windows.length, 'window')} to merge, ${carried} as they are in generation ${base}. ${nothingChanged}`,
  );
}

/** Describes what a rollback would do, one sentence per line. Returns no line for any other plan. */
export function describeRollback(plan: DryRun, now: Date): string[] {
  const { base, windows, carried, removed, clusters, excluded, removedClusters, rollback } = plan;
  if (rollback === undefined) return [];
  const why = (cluster: string) =>
    Object.entries(excluded).find(([id]) => id === cluster)?.[1].reason ??
    Object.entries(removedClusters).find(([id]) => id === cluster)?.[1].reason ??
    '';
  return [
    `Generation ${base}, committed ${formatAge(rollback.committedAt, now)}, has ${count(carried + windows.length, 'window')} of ${count(clusters.length, 'cluster')} to bring back.`,
    ...rollback.out.map((cluster) => `${cluster} stays out: ${why(cluster) || 'no reason was given'}.`),
    ...rollback.lacking.map((cluster) => `${cluster} is not in it, and comes back with the end of the hold.`),
    ...(windows.length + removed.length === 0
      ? []
      : [`${count(windows.length, 'window')} to merge without them, ${removed.length} to drop.`]),
    'Until `federated-etl federate --resume`, nothing else is committed.',
  ];
}

function nameOf(window: string): string {
  const ref = parseWindowId(window);
  return ref === undefined ? window : `${ref.pipeline} ${describeWindow(ref)}`;
}
