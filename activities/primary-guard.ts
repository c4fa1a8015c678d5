import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import type { WindowId } from '../etl/window';
import { examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { isExpired } from '../federation/expired';
import type { Generation } from '../federation/generation';
import { contributors } from '../federation/provenance';
import { describeRemoved } from '../federation/removal';
import { closedWindows, decodes, filesByWindow } from '../local-etl/own-windows';
import { memoryToRead } from '../local-etl/read';
import type { LocalEtl } from '../local-etl/store';
import type { BucketReader } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';

/** The windows of this cluster whose data is not in the newest generation yet. */
export interface OwnWindows {
  count: number;
  /** Ids of the windows, or of the first ten if there are more. */
  examples: string[];
  /** Tells the operator what the cluster is waiting for, or what to do. */
  hint: string;
}

export interface GuardDependencies {
  readonly combined: BucketReader;
  readonly cluster: ClusterId;
  readonly store: LocalEtl;
  readonly budget: MemoryBudget;
  readonly now: () => Date;
  readonly heartbeat: (details: unknown) => void;
  readonly signal: () => AbortSignal;
}

const lanes = 8;
const shownExamples = 10;

/**
 * Finds the windows that have ended and exist in this cluster's local ETL, but for which the generation contains no
 * data from the cluster. Returns undefined if there are none. A pull must not overwrite such a window, because the
 * cluster's data for this window would be lost. Ignores windows that the federation does not merge: those before the
 * cut-off, those older than the retention, and those whose files cannot be decoded.
 */
export async function waitForOwnWindows(
  deps: GuardDependencies,
  generation: Generation,
): Promise<OwnWindows | undefined> {
  const { store, cluster } = deps;
  const signal = deps.signal();
  const local = await filesByWindow(store, { signal });
  const { scope } = generation.membership;
  const now = deps.now();
  const closed = closedWindows(local.keys(), now, {
    cutoff: scope.cutoff,
    isExpired: (ref) => isExpired(ref, scope, now.getTime() / 1_000),
  });
  const missing: WindowId[] = [];
  await mapConcurrently(closed, lanes, async (id) => {
    deps.heartbeat({ guard: id });
    if (await contributes(deps, generation, id, signal)) return;
    const files = local.get(id) ?? [];
    const { budget } = deps;
    let largest = 0;
    for (const file of files) largest = Math.max(largest, await memoryToRead(store, file, budget, signal));
    if (await budget.within(largest, signal, () => decodes(store, files, budget.mostUnpacked)))
      missing.push(id);
  });
  if (missing.length === 0) return undefined;
  missing.sort();
  return {
    count: missing.length,
    examples: missing.slice(0, shownExamples),
    hint: hintFor(cluster, generation, missing, closed.length),
  };
}

async function contributes(
  { combined, cluster }: GuardDependencies,
  generation: Generation,
  id: WindowId,
  signal: AbortSignal,
): Promise<boolean> {
  const window = ownValue(generation.windows, id);
  if (window === undefined) return false;
  const document = documents.provenance.at(window.fingerprint);
  const { value: provenance, damage } = await examineDocument(combined, document, { signal });
  if (provenance !== undefined) return contributors(provenance).includes(cluster);
  throw new FederationError('GENERATION_UNREADABLE', {
    subject: { key: document.key, window: id },
    detail: `Generation ${generation.generation} refers to an object whose provenance is ${damage === undefined ? 'missing.' : `damaged: ${damage.detail}`}`,
  });
}

function hintFor(
  cluster: ClusterId,
  { membership, quarantined, generation }: Generation,
  missing: readonly WindowId[],
  closed: number,
): string {
  const removed = ownValue(membership.removed, cluster);
  if (removed !== undefined) {
    return `This cluster was ${describeRemoved(removed)}. Run \`federated-etl cluster restore ${cluster}\` to bring it back, or make this cluster a primary that is not federated.`;
  }
  const excluded = ownValue(membership.excluded, cluster);
  if (excluded?.by === 'settings') {
    return `The federator's settings exclude this cluster (${excluded.reason}). Change them to include ${cluster}, or make this cluster a primary that is not federated.`;
  }
  if (excluded !== undefined) {
    return `This cluster is excluded (${excluded.reason || 'without a reason'}). Run \`federated-etl include ${cluster}\`; the next federation then includes it.`;
  }
  const source = quarantined.find((one) => one.cluster === cluster && missing.includes(one.window));
  if (source !== undefined) {
    return `Files of this cluster are quarantined, such as ${source.window} (${source.code}): ${source.detail} Repair these windows here; the next push and federation then include them.`;
  }
  return `Not in generation ${generation} yet: ${missing.length} of ${closed} closed windows. They are pushed automatically, and the next federation includes them; no action is needed.`;
}
