import { drawPlan, type DrawnPlan } from '../activities/draw-plan';
import { atTime } from '../activities/log-plan';
import { readNewestGeneration } from '../activities/read-generations';
import { describeWindow, parseWindowId } from '../etl/window';
import type { Exclusion } from '../federation/membership';
import type { FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import type { Context } from './context';
import { count, print, printJson } from './output';
import { temporalView } from '../operator/temporal-view';

/** Plans a federation as it would be planned now, and shows it. Writes nothing, starts nothing. */
export async function dryRun(context: Context, request: FederationRequest, json: boolean): Promise<void> {
  const { settings } = context;
  const bucket = await context.bucket();
  const plan = await drawPlan(bucket, {
    federator: settings.clusterId,
    scope: settings.federator.scope,
    exclusions: await exclusionsNow(context, bucket),
    request,
    now: new Date(),
  });
  if (json) printJson(describe(plan));
  else show(plan);
}

/** By the roster, or by the newest generation while the roster does not answer. */
async function exclusionsNow(
  context: Context,
  bucket: BucketReader,
): Promise<Readonly<Record<string, Exclusion>>> {
  const { roster } = await temporalView(context, []);
  return roster?.exclusions ?? (await readNewestGeneration(bucket))?.membership.exclusions ?? {};
}

function describe(plan: DrawnPlan): object {
  return {
    outcome: plan.outcome,
    base: plan.base,
    clusters: plan.membership.clusters,
    leftOut: plan.membership.leftOut,
    windows: plan.windows.map(({ window, sources }) => ({
      window,
      clusters: sources.map(({ cluster }) => cluster),
    })),
    carried: plan.carried.length,
    removed: plan.removed,
    duplicates: plan.duplicates,
    listing: plan.listing,
  };
}

function show(plan: DrawnPlan): void {
  const { clusters, leftOut } = plan.membership;
  print(`${count(clusters.length, 'cluster')} in: ${clusters.join(', ') || 'none'}`);
  for (const [cluster, { by, reason }] of Object.entries(leftOut))
    print(`left out by ${by}: ${cluster}${reason === '' ? '' : ` (${reason})`}`);
  for (const { window, sources } of plan.windows) {
    const ref = parseWindowId(window);
    print(
      `would merge ${ref === undefined ? window : `${ref.pipeline} ${describeWindow(ref)}`} from ${count(sources.length, 'cluster')}`,
    );
  }
  for (const window of plan.removed) {
    const ref = parseWindowId(window);
    print(
      `would let go ${ref === undefined ? window : `${ref.pipeline} ${describeWindow(ref)}`}, as it is older than the retention`,
    );
  }
  const { listing } = plan;
  print(
    listing.kind === 'full'
      ? `every window was looked at: ${listing.why}`
      : `windows that ended before ${atTime(listing.since)} were not looked at: ${listing.why}; --full looks at all`,
  );
  print(
    `${count(plan.windows.length, 'window')} to merge, ${plan.carried.length} as they are in generation ${plan.base}. Nothing was written.`,
  );
}
