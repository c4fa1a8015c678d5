import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Log } from '../config/log';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { type WindowId, windowId } from '../etl/window';
import type { Generation } from '../federation/generation';
import { windowEntries } from '../federation/generation-entry';
import { identityOf } from '../federation/identity';
import { sweepLocks, withWindowLock } from '../local-etl/lock';
import { largestOf, type OverwritePlan, Overwriter, type Replacement } from '../local-etl/overwrite';
import { passGuard, primaryState, updatePrimary } from '../local-etl/primary';
import { Pulled } from '../local-etl/pulled';
import { Pusher } from '../local-etl/pusher';
import type { SecureDependencies } from '../local-etl/secure';
import { type LocalEtl, requireLocalEtl, requireNoLink } from '../local-etl/store';
import { transfersAtOnce } from '../local-etl/transfers';
import { sweepTemporary } from '../local-etl/write';
import type { Bucket, BucketReader } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';
import { noteFile, notePassedOver } from './file-notes';
import { logMended } from './log-mended';
import { PrimaryBackup } from './primary-backup';
import { waitForOwnWindows } from './primary-guard';
import {
  emptySummary,
  logPostponed,
  logPulled,
  logSalvaged,
  logWaiting,
  type PullSummary,
} from './pull-summary';
import { readNewestGeneration } from './read-generations';
import { refuseGeneration } from './refuse-generation';

export interface PullDependencies {
  /** Bucket that the combined set is read from. */
  readonly combined: BucketReader;
  /**
   * Bucket with the cluster's backups and, if the cluster is federated, its own folder. Can be undefined if the cluster
   * is not federated and has no local files to back up.
   */
  readonly own?: Bucket;
  readonly cluster: ClusterId;
  /**
   * If true, this cluster also contributes data. Its first pull then waits until that data is combined, and each pull
   * pushes the cluster's own files before overwriting them.
   */
  readonly federated: boolean;
  /** The local ETL that the cluster's own Kubecost or OpenCost writes. */
  readonly store: LocalEtl;
  /** Local ETL that pulls write to. (Default: `store`) */
  readonly pullStore?: LocalEtl;
  /** Folder for the backup of the local ETL, used instead of the bucket. */
  readonly backupPath?: string;
  readonly log: Log;
  /** Version of this program. */
  readonly program: string;
  /**
   * The fraction (0 to 1) of the records, or of any kind of resource hours, that a pushed file may lose without a
   * warning.
   */
  readonly shrinkage: number;
  /** Memory budget that all pushes and pulls of this process share. */
  readonly budget: MemoryBudget;
  readonly now: () => Date;
  readonly heartbeat: (details: unknown) => void;
  readonly signal: () => AbortSignal;
}

/**
 * Creates the activity that updates the local ETL of a primary to the newest generation. Replaces each file atomically,
 * and only if a copy of the old file exists elsewhere. Idempotent: after an interruption, the next run continues.
 *
 * @throws LOCAL_ETL_MISSING if the folder has vanished. An unmounted volume must not be filled as if it were new: what
 *   is known about the primary is on that volume, for example that it has left.
 */
export function createPullCombined(deps: PullDependencies): () => Promise<PullSummary> {
  let postponed = '';
  const { store, pullStore = store } = deps;
  // A separate folder is created by the first pull.
  let isCreated = pullStore === store;
  return async () => {
    const signal = deps.signal();
    await (isCreated ? requireLocalEtl(pullStore) : requireNoLink(pullStore.state));
    const state = await primaryState(pullStore);
    if (state.leftAt !== undefined) return emptySummary('left');
    const generation = await readNewestGeneration(deps.combined, { signal }).catch(keepsWhatItHas);
    const refused = await refuseGeneration(deps, pullStore, generation, signal);
    if (refused !== undefined) {
      return { ...emptySummary('refused'), generation: state.known?.generation, refused };
    }
    if (generation === undefined) return emptySummary('no-generation');
    if (deps.federated && state.guardPassedAt === undefined) {
      const waitingFor = await waitForOwnWindows(deps, generation);
      if (waitingFor !== undefined) {
        const waitingSince = state.waitingSince ?? deps.now().toISOString();
        await updatePrimary(pullStore, { waitingFor: waitingFor.hint, waitingSince });
        logWaiting(deps, waitingFor, waitingSince);
        return { ...emptySummary('waiting'), generation: generation.generation, waitingFor, waitingSince };
      }
      await updatePrimary(pullStore, passGuard(deps.now()));
    }
    const summary = await new Pull(deps, pullStore, generation, signal).run();
    isCreated = true;
    logPulled(deps, summary);
    logMended(deps, pullStore);
    postponed = logPostponed(deps, summary, postponed);
    return summary;
  };
}

/**
 * If the newest generation is damaged, adds to the error that the primary keeps the data that it has. Throws any other
 * error unchanged.
 */
function keepsWhatItHas(error: unknown): never {
  if (!isFederationError(error, 'GENERATION_UNREADABLE')) throw error;
  const { code, subject, hint, detail } = error;
  throw new FederationError(code, {
    subject,
    hint,
    detail: `${detail} This primary keeps and serves what it has pulled.`,
    retryable: false,
    cause: error,
  });
}

/** One pull of one generation to the volume. */
class Pull {
  private readonly pulled: Pulled;
  private readonly summary: PullSummary;
  private readonly backup: PrimaryBackup;
  private left = false;

  constructor(
    private readonly deps: PullDependencies,
    private readonly target: LocalEtl,
    private readonly generation: Generation,
    private readonly signal: AbortSignal,
  ) {
    this.pulled = new Pulled(target);
    this.backup = new PrimaryBackup(deps, target, this.pulled, signal);
    this.summary = { ...emptySummary('up-to-date'), generation: generation.generation };
  }

  async run(): Promise<PullSummary> {
    await sweepTemporary(this.target);
    await sweepLocks(this.target);
    const { combined, budget } = this.deps;
    const { target: store, pulled } = this;
    const overwriter = await Overwriter.open({ combined, store, pulled, budget });
    try {
      const plan = await overwriter.plan(this.generation.windows, this.signal, this.deps.heartbeat);
      this.summary.unchanged = plan.unchanged;
      notePassedOver(this.summary, plan.passedOver);
      if (plan.replace.length + plan.remove.length > 0) {
        this.summary.state = 'pulled';
        await this.prepare();
        await this.overwrite(overwriter, plan);
      }
    } finally {
      await overwriter.finish();
    }
    if (this.left) return { ...this.summary, state: 'left' };
    const lastPull = { generation: this.generation.generation, at: this.deps.now().toISOString() };
    if (this.summary.postponed.count === 0) await updatePrimary(this.target, { lastPull });
    // Record the generation here, too: it has not been recorded yet if no file had to be replaced or removed.
    await this.recordGeneration();
    return this.summary;
  }

  /**
   * Makes the backup, and records the generation and the digests of the files to pull. All this must happen before the
   * first file is replaced.
   */
  private async prepare(): Promise<void> {
    const taken = await this.backup.takeOnce();
    if (taken !== undefined) this.summary.backup = taken;
    const digests = windowEntries(this.generation.windows).map(([id, { digest }]) => [id, digest] as const);
    await this.pulled.add(digests);
    await this.recordGeneration();
  }

  /** Records the pulled generation on the volume. From then on, pulls accept only generations that continue it. */
  private async recordGeneration(): Promise<void> {
    const known = identityOf(this.generation);
    const { known: before, accepts } = await primaryState(this.target);
    const isSame =
      before?.federation === known.federation &&
      before.generation === known.generation &&
      before.run === known.run;
    if (!isSame || accepts !== undefined) await updatePrimary(this.target, { known, accepts: undefined });
  }

  private async overwrite(overwriter: Overwriter, plan: OverwritePlan): Promise<void> {
    const { own, federated, store, cluster, log, program, budget, shrinkage, heartbeat } = this.deps;
    const isOwnStore = this.target.root === store.root;
    const pusher =
      federated && isOwnStore && own !== undefined
        ? await Pusher.open({
            bucket: own,
            cluster,
            store,
            log,
            program,
            budget,
            shrinkage,
            signal: this.signal,
          })
        : undefined;
    const secure = {
      store: this.target,
      pulled: this.pulled,
      pusher,
      isBackedUp: (digest: string) => this.backup.has(digest),
    };
    const of = plan.replace.length + plan.remove.length;
    try {
      await mapConcurrently(plan.replace, transfersAtOnce, async (replacement) => {
        const replace = () => this.replace(overwriter, replacement, secure);
        await this.locked(replacement.id, largestOf(replacement), replace);
        await pusher?.cache.saveNowAndThen();
        heartbeat({ replaced: this.summary.replaced, removed: this.summary.removed, of });
      });
      await mapConcurrently(plan.remove, transfersAtOnce, async (file) => {
        await this.locked(windowId(file.ref), file.size, async () => {
          const { removed, postponed } = await overwriter.remove(file);
          if (removed) this.summary.removed++;
          if (postponed !== undefined) noteFile(this.summary.postponed, { path: file.path, why: postponed });
        });
        heartbeat({ replaced: this.summary.replaced, removed: this.summary.removed, of });
      });
    } finally {
      await pusher?.cache.save();
    }
  }

  /**
   * Runs `work` while holding the window's lock and reserving `bytes` of the memory budget. Does nothing if the cluster
   * has stopped being a primary in the meantime.
   */
  private async locked(id: WindowId, bytes: number, work: () => Promise<void>): Promise<void> {
    if (this.left) return;
    const lockedWork = async () => {
      this.left ||= (await primaryState(this.target)).leftAt !== undefined;
      if (!this.left) await work();
    };
    await this.deps.budget.within(bytes, this.signal, () =>
      withWindowLock(this.target, id, lockedWork, this.signal),
    );
  }

  private async replace(
    overwriter: Overwriter,
    replacement: Replacement,
    deps: SecureDependencies,
  ): Promise<void> {
    const { secured, postponed } = await overwriter.replace(replacement, deps, this.signal);
    if (postponed === undefined) this.summary.replaced++;
    else noteFile(this.summary.postponed, { path: replacement.id, why: postponed });
    for (const file of secured) {
      if (file.kind === 'pushed') this.summary.pushedFirst++;
      if (file.kind !== 'salvaged') continue;
      noteFile(this.summary.salvaged, { path: file.path, why: file.why });
      logSalvaged(this.deps, file);
    }
  }
}
