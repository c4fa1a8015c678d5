import { randomUUID } from 'node:crypto';
import { discoverClusters } from '../../activities/survey-clusters';
import type { Settings } from '../../config/settings';
import { catalog } from '../../errors/catalog';
import { type FederationError, isFederationError } from '../../errors/federation-error';
import {
  backupsPrefix,
  clusterEtlPrefix,
  clusterPrefix,
  combinedPrefix,
  exportPrefix,
  federatedPrefix,
  probeKey,
} from '../../federation/layout';
import type { Bucket, CallOptions } from '../../storage/bucket';
import type { FederatedStore } from '../../storage/federated-store';
import {
  isStranger,
  probeBucket,
  type ProbeOperation,
  probeOperations,
  type ProbeResult,
} from '../../storage/probe-bucket';
import { type Check, failed } from './check';
import type { BackupNeed } from './local-etl';
import { permissionFor } from './permissions';

/** The operations that a role needs below one prefix of the bucket. */
interface Plan {
  readonly prefix: string;
  readonly operations: readonly ProbeOperation[];
  /**
   * Why the role does not need the other operations below this prefix. If undefined, the output does not mention these
   * operations.
   */
  readonly restIsNotNeeded?: string;
}

/**
 * Tests the bucket operations that this cluster's roles need. Each operation is tested only below the prefixes where a
 * role needs it. Deletes the objects that the tests wrote.
 */
export async function checkBucket(
  bucket: Bucket,
  store: FederatedStore,
  settings: Settings,
  { backup, signal }: { backup: BackupNeed; signal: AbortSignal },
): Promise<{ checks: Check[]; usable: boolean }> {
  const checks: Check[] = [];
  let hopeless = false;
  for await (const plan of plansOf(bucket, settings, backup, { signal, worthAsking: () => !hopeless })) {
    if (hopeless) {
      checks.push(...skipped(plan));
      continue;
    }
    const key = probeKey(plan.prefix, randomUUID());
    const results = await probeBucket(bucket, { ...plan, key, now: () => new Date(), signal });
    hopeless = results.some((result) => result.hopeless);
    for (const result of results) {
      const clockIsKnown = checks.some(({ subject }) => subject === 'clock');
      if (result.operation !== 'clock' || !clockIsKnown) checks.push(await toCheck(store, plan, result));
    }
    checks.push(...notNeeded(plan));
  }
  if (settings.roles.primaryCluster && backup.operations.length === 0) {
    const place = backupsPrefix(settings.clusterId);
    checks.push({ check: 'bucket', subject: 'backup', place, outcome: 'not needed', detail: backup.why });
  }
  return { checks, usable: !hopeless };
}

/** Yields the plans one by one, because a plan can depend on the results of the previous one. */
async function* plansOf(
  bucket: Bucket,
  { clusterId, roles, localEtl, export: { enabled: exports } }: Settings,
  backup: BackupNeed,
  { worthAsking, ...options }: CallOptions & { worthAsking: () => boolean },
): AsyncGenerator<Plan> {
  // A primary that pulls into its own local ETL reads its own files back from the bucket when it stops pulling.
  const readsBack = roles.primaryCluster && localEtl.pullPath === localEtl.path;
  if (roles.federatedCluster) {
    yield {
      prefix: clusterPrefix(clusterId),
      operations: ['list', 'write', 'replace', 'head', ...(readsBack ? (['read'] as const) : [])],
      restIsNotNeeded: 'A push never does this.',
    };
  }
  if (roles.federator) {
    yield { prefix: federatedPrefix, operations: ['list'] };
    // Ignore errors: an earlier check has already reported that the bucket cannot be listed.
    const [first] = worthAsking() ? await discoverClusters(bucket, options).catch(() => []) : [];
    if (first !== undefined) yield { prefix: clusterPrefix(first), operations: ['read'] };
    yield { prefix: combinedPrefix, operations: probeOperations };
  }
  if (roles.primaryCluster && !roles.federator) {
    yield {
      prefix: combinedPrefix,
      operations: ['list', 'read'],
      restIsNotNeeded: exports
        ? 'A primary only reads Combined Storage, except for its export.'
        : 'A primary only reads Combined Storage.',
    };
    if (exports) yield { prefix: exportPrefix, operations: ['write', 'replace', 'delete'] };
  }
  if (readsBack && !roles.federatedCluster) {
    yield {
      prefix: clusterEtlPrefix(clusterId),
      operations: ['list', 'read'],
      restIsNotNeeded: 'A primary that is not federated only reads here, when it leaves.',
    };
  }
  if (roles.primaryCluster && backup.operations.length > 0)
    yield { prefix: backupsPrefix(clusterId), operations: backup.operations, restIsNotNeeded: backup.why };
  if (!Object.values(roles).some(Boolean)) yield { prefix: federatedPrefix, operations: ['list', 'read'] };
}

async function toCheck(store: FederatedStore, { prefix }: Plan, result: ProbeResult): Promise<Check> {
  const { operation, detail, outcome, error } = result;
  const about = { check: 'bucket', subject: operation, place: prefix } as const;
  if (operation === 'clock')
    return { ...about, outcome, detail, ...(outcome !== 'ok' && { todo: setClock }) };
  // Conditional create is tested below the combined prefix and below the prefix of this cluster's backups. For the
  // backups, a store without it is safe, because only this cluster writes them.
  if (operation === 'conditional create' && outcome === 'warning' && prefix !== combinedPrefix) {
    const found =
      'The store does not support it. This cluster checks first instead, as no other writes here.';
    return { ...about, outcome: 'ok', detail: found };
  }
  if (outcome === 'warning') return { ...about, outcome, detail, todo: warnings[operation] };
  if (outcome !== 'failed') return { ...about, outcome, detail };
  if (!isFederationError(error)) return { ...about, outcome, detail, todo: checkTheWay };
  const todo = await whatToDo(store, operation, prefix, error);
  return { ...failed('bucket', operation, error), ...about, todo };
}

async function whatToDo(
  store: FederatedStore,
  operation: ProbeOperation,
  prefix: string,
  error: FederationError,
): Promise<string> {
  const { code, detail, hint } = error;
  if (/RequestTimeTooSkewed/.test(detail)) return setClock;
  if (/\(EROFS\)/.test(detail)) return hint;
  if (code === 'STORAGE_ACCESS_DENIED' && !isStranger(error)) return permissionFor(store, operation, prefix);
  // The error catalogue's hint for an unavailable store is to try again, but the check has already done that.
  return hint === catalog.STORAGE_UNAVAILABLE.hint ? checkTheWay : hint;
}

const setClock = 'Synchronize this machine’s clock with a time server (NTP), or the store’s if you run it.';
const checkTheWay =
  'Check the endpoint in federated-store.yaml, proxies and firewalls on the way to the store, and the store’s log.';
const warnings: Partial<Record<ProbeOperation, string>> = {
  'conditional create':
    'Run only one federator, or several in one Temporal namespace; or upgrade the store to a version that supports it.',
  delete: 'Remove it by hand.',
};

function skipped({ prefix, operations }: Plan): Check[] {
  const detail = 'This bucket cannot be used; see above.';
  return operations.map((subject) => ({
    check: 'bucket',
    subject,
    place: prefix,
    outcome: 'skipped',
    detail,
  }));
}

function notNeeded({ prefix, operations, restIsNotNeeded: detail }: Plan): Check[] {
  if (detail === undefined) return [];
  return probeOperations
    .filter((operation) => !operations.includes(operation))
    .map((subject) => ({ check: 'bucket', subject, place: prefix, outcome: 'not needed', detail }));
}
