import { drawPlan } from '../activities/draw-plan';
import type { DrawnPlan } from '../activities/drawn-plan';
import type { OperatorSettings } from '../config/settings';
import type { Generation } from '../federation/generation';
import type { RosterRules, Scope } from '../federation/membership';
import type { FederationRequest } from '../federation/run';
import { rulesOf } from '../workflows/messages';
import { findNewest } from './newest-generation';
import type { Operator } from './operator';
import { temporalView } from './temporal-view';

/** Preview of a federation. `federate --dry-run --json` and `rollback --dry-run --json` print exactly this. */
export interface DryRun {
  readonly outcome: DrawnPlan['outcome'];
  /** Number of the generation that the plan starts from; 0 if there is none yet. */
  readonly base: number;
  /** The included clusters. */
  readonly clusters: readonly string[];
  readonly excluded: Generation['membership']['excluded'];
  /** The clusters that would be removed from the federation, or already are. */
  readonly removedClusters: Generation['membership']['removed'];
  /** The windows to merge, each with the clusters that have a source for it. */
  readonly windows: readonly { readonly window: string; readonly clusters: readonly string[] }[];
  /** Number of windows that would stay the same as in the generation `base`. */
  readonly carried: number;
  /**
   * Windows that the federation would remove from the combined set: their retention period has ended, or a rollback
   * would leave no cluster in them.
   */
  readonly removed: DrawnPlan['removed'];
  readonly duplicates: DrawnPlan['duplicates'];
  /** Whether all files or only those of recent windows were listed, and why. */
  readonly listing: DrawnPlan['listing'];
  /** The hold that keeps the federation from committing. */
  readonly heldBy?: DrawnPlan['heldBy'];
  /** If the federation is a rollback: when its target was committed, and which clusters it does not bring back. */
  readonly rollback?: DrawnPlan['rollback'];
  /** Sentences about what was unknown for the plan, and about damaged or missing generations. Usually none. */
  readonly missing: readonly string[];
}

/** The exclusions that people have decided, keyed by cluster id. */
export type Exclusions = RosterRules['exclusions'];

type Planner = Operator & { readonly settings: Pick<OperatorSettings, 'clusterId' | 'federator' | 'roles'> };

/**
 * Plans a federation as if it were requested now, from the current state of the bucket and the roster. Writes nothing
 * and starts no workflow. `excluding` returns the exclusions to assume instead of those in the roster.
 */
export async function dryRun(
  operator: Planner,
  request: FederationRequest,
  excluding = (exclusions: Exclusions) => exclusions,
): Promise<DryRun> {
  const bucket = await operator.bucket();
  const newest = await findNewest(bucket);
  const { rules, missing } = await rosterNow(operator, newest);
  const plan = await drawPlan(bucket, {
    ...rules,
    ...federatorOf(operator.settings, newest.generation),
    exclusions: excluding(rules.exclusions),
    request,
    now: new Date(),
  });
  return {
    outcome: plan.outcome,
    base: plan.base,
    clusters: plan.membership.clusters,
    excluded: plan.membership.excluded,
    removedClusters: plan.membership.removed,
    windows: plan.windows.map(({ window, sources }) => ({
      window,
      clusters: sources.map(({ cluster }) => cluster),
    })),
    carried: plan.carried.length,
    removed: plan.removed,
    duplicates: plan.duplicates,
    listing: plan.listing,
    ...(plan.heldBy && { heldBy: plan.heldBy }),
    ...(plan.rollback && { rollback: plan.rollback }),
    missing,
  };
}

/**
 * Returns the federator that would run the federation, and its scope. If this machine hosts no federator, returns those
 * in the newest generation, because this machine does not have the federator's settings.
 */
function federatorOf(
  { clusterId: own, federator, roles }: Planner['settings'],
  newest: Generation | undefined,
): { federator: string; scope: Scope } {
  return newest === undefined || roles.federator
    ? { federator: own ?? '', scope: federator.scope }
    : { federator: newest.membership.federator, scope: newest.membership.scope };
}

/**
 * Returns the exclusions in the roster. If the roster does not answer or has not loaded them yet, returns the
 * exclusions in the newest generation that can be read, and says so in `missing`.
 */
async function rosterNow(
  operator: Operator,
  { generation, damage }: Awaited<ReturnType<typeof findNewest>>,
): Promise<{ rules: RosterRules } & Pick<DryRun, 'missing'>> {
  const { roster } = await temporalView(operator, {});
  if (roster?.loaded) return { rules: rulesOf(roster), missing: damage };
  const { exclusions = {}, roster: last = '' } = generation?.membership ?? {};
  const known = generation === undefined ? 'none' : `those of generation ${generation.generation}`;
  return {
    rules: { exclusions, roster: last },
    missing: [
      ...damage,
      `The roster does not answer; the exclusions that are known without it are ${known}.`,
    ],
  };
}
