import {
  loadOperatorSettings,
  loadSettings,
  type OperatorSettings,
  type Settings,
} from '../../config/settings';
import { FederationError } from '../../errors/federation-error';
import type { ClusterId } from '../../etl/cluster-id';
import { generationsPrefix } from '../../federation/layout';
import type { Bucket } from '../../storage/bucket';
import type { FederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { silentClusters, surveyBucket } from '../survey';
import { checkBucket } from './bucket';
import { type Check, failed } from './check';
import { checkClusters } from './clusters';
import { checkFileSystem } from './file-system';
import { backupNeed, checkLocalEtl } from './local-etl';
import { checkSettings, checkStore } from './settings';
import { checkTemporal } from './temporal';

export interface ExamineOptions {
  /** Path of the settings file. If undefined, the file is looked up in the same way as for the other verbs. */
  readonly config?: string;
  /** If true, an unknown key in the settings of the store is a failure. If false, it is only a warning. */
  readonly strict?: boolean;
  /** If the signal is aborted, no further checks are made. Test objects in the bucket are still deleted. */
  readonly signal: AbortSignal;
}

/**
 * Checks this cluster's settings, local ETL, bucket and Temporal. On a federator, also checks the clusters in the
 * bucket. Yields the results of one area at a time. If a check fails, the checks that depend on it are skipped, and the
 * others are still made.
 */
export async function* examine({ config, strict, signal }: ExamineOptions): AsyncGenerator<Check[]> {
  const found = readSettings(config);
  if ('outcome' in found) {
    yield [found, skipped('settings', 'everything else', 'It depends on the settings.')];
    return;
  }
  // The empty id is never used: only the checks of a role use the cluster id, and a machine with a role has a cluster
  // id.
  const settings: Settings = { ...found, clusterId: found.clusterId ?? ('' as ClusterId) };
  const { checks, store } = await checkStore(settings, strict === true);
  yield [...checkSettings(found), ...checks];
  yield await checkLocalEtl(settings);
  if (signal.aborted) return;

  const opened = store && (await openStore(store, settings.storage.gcsEmulator));
  if (opened === undefined) {
    const why = 'The store’s settings cannot be used.';
    yield* examineRemote(settings, undefined, [skipped('bucket', 'everything', why)], signal);
  } else if ('outcome' in opened) {
    yield* examineRemote(settings, undefined, [opened], signal);
  } else {
    try {
      const { usable, checks } = await examineBucket(settings, opened, signal);
      yield* examineRemote(settings, { bucket: opened.bucket, usable }, checks, signal);
    } finally {
      await opened.bucket.close();
    }
  }
}

/** Yields the results for the bucket, then those for Temporal, then those for the clusters. */
async function* examineRemote(
  settings: Settings,
  store: { bucket: Bucket; usable: boolean } | undefined,
  bucketChecks: Check[],
  signal: AbortSignal,
): AsyncGenerator<Check[]> {
  yield bucketChecks;
  if (signal.aborted) return;
  const survey =
    settings.roles.federator && store?.usable === true
      ? await surveyBucket(store.bucket).catch((error: unknown) => failed('clusters', 'found', error))
      : undefined;
  const silent = survey === undefined || 'outcome' in survey ? [] : silentClusters(survey, Date.now());
  const known = {
    label: store?.bucket.label,
    hasGenerations: store?.usable === true && (await hasGenerations(store.bucket, settings.roles)),
  };
  const temporal = await checkTemporal(settings, known, silent);
  yield temporal.checks;
  if (signal.aborted) return;
  if (!settings.roles.federator)
    yield [{ check: 'clusters', outcome: 'not needed', detail: 'Only a federator checks all clusters.' }];
  else if (store === undefined || survey === undefined)
    yield [skipped('clusters', 'found', 'The bucket cannot be used.')];
  else if ('outcome' in survey) yield [survey];
  else yield await checkClusters(store.bucket, settings, survey, temporal);
}

/**
 * Returns whether the bucket has generations. Returns false if that is unknown, as on a cluster that only pushes and
 * may not list them.
 */
async function hasGenerations(
  bucket: Bucket,
  { federator, primaryCluster }: Settings['roles'],
): Promise<boolean> {
  if (!federator && !primaryCluster) return false;
  try {
    for await (const _ of bucket.list(generationsPrefix)) return true;
  } catch {
    // The checks of the bucket have already reported why it cannot be listed.
  }
  return false;
}

interface OpenStore {
  readonly bucket: Bucket;
  readonly store: FederatedStore;
  /** Warnings that the bucket has issued since it was opened. */
  readonly warnings: ReadonlySet<string>;
}

async function examineBucket(
  settings: Settings,
  { bucket, store, warnings }: OpenStore,
  signal: AbortSignal,
): Promise<{ checks: Check[]; usable: boolean }> {
  const backup = await backupNeed(settings);
  const { checks, usable } = await checkBucket(bucket, store, settings, { backup, signal });
  const limits = store.type === 'FILESYSTEM' ? await checkFileSystem('bucket', store.config.directory) : [];
  return { usable, checks: [...checks, ...limits, ...[...warnings].map(warning)] };
}

function readSettings(file: string | undefined): OperatorSettings | Check {
  try {
    const settings = loadOperatorSettings({ file });
    return Object.values(settings.roles).some(Boolean) ? loadSettings({ file }) : settings;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return failed('settings', 'file', error);
  }
}

async function openStore(store: FederatedStore, gcsEmulator: string | undefined): Promise<OpenStore | Check> {
  try {
    const warnings = new Set<string>();
    const bucket = await openBucket(store, { gcsEmulator, warn: (text) => warnings.add(text) });
    // Discard warnings from opening the bucket. They are about the store's settings, and have already been reported.
    warnings.clear();
    return { bucket, store, warnings };
  } catch (error) {
    return failed('bucket', 'open', error);
  }
}

function warning(detail: string): Check {
  return { check: 'bucket', outcome: 'warning', detail };
}

function skipped(check: Check['check'], subject: string, detail: string): Check {
  return { check, subject, outcome: 'skipped', detail };
}
