import type { Found } from '../federation/found';
import type { Generation, Hold } from '../federation/generation';
import type { FullListing, Listing } from '../federation/listing';
import type { Membership } from '../federation/membership';
import type { Plan } from '../federation/plan';
import type { PlanHead } from '../federation/plan-document';
import type { PlannedNames } from '../federation/plan-names';
import type { RollbackMembers } from '../federation/rollback';
import type { DecidedSources } from '../federation/source-decisions';
import type { Identified } from './identify-federation';
import type { IgnoredCluster } from './ignored-clusters';

/**
 * The outcome of planning:
 * - `work`: there are windows to merge, or another change to commit.
 * - `nothing-changed`: there is a plan, but it contains no change.
 * - `no-input`: no cluster has a file to federate. There is no plan and no commit.
 * - `all-excluded`: every cluster is excluded or removed. There is no plan and no commit.
 * - `on-hold`: a rollback keeps this run from committing. There is no plan and no commit.
 */
export type PlanOutcome = 'work' | 'nothing-changed' | 'no-input' | 'all-excluded' | 'on-hold';

/** A plan, its outcome, and the data on which the plan is based. */
export interface DrawnPlan
  extends Plan, Identified, Pick<PlanHead, 'newest' | 'replaces' | 'hold' | 'notices' | 'writers'> {
  readonly outcome: PlanOutcome;
  readonly membership: Membership;
  readonly names: PlannedNames;
  readonly baseGeneration?: Generation;
  /** If the run commits a person's decision about quarantined sources: the decision. */
  readonly decision?: DecidedSources;
  readonly found: readonly Found[];
  /** Which files were listed. `none` if the outcome is `on-hold` or the plan is a rollback. */
  readonly listing: Listing | { readonly kind: 'none'; readonly why: string };
  /**
   * Record of a full listing of the bucket. The commit saves the record for later runs. Undefined if only recent
   * windows were listed.
   */
  readonly fullListing?: FullListing;
  /**
   * Clusters that have a folder but no window file, and that contributed to no earlier generation. They are not counted
   * as members of the federation.
   */
  readonly withoutWindows: readonly string[];
  /** The removed clusters that still have a folder. The plan ignores their files. */
  readonly ignored: readonly IgnoredCluster[];
  /** If the outcome is `on-hold`: the hold. */
  readonly heldBy?: Hold;
  /**
   * Set if the plan is a rollback: when the target generation was committed, and which clusters the rollback does not
   * bring back.
   */
  readonly rollback?: Pick<RollbackMembers, 'out' | 'lacking'> & { readonly committedAt: string };
}
