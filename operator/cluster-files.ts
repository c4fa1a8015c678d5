import { randomUUID } from 'node:crypto';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { clusterPrefix, probeKey } from '../federation/layout';
import type { Bucket, BucketReader } from '../storage/bucket';
import type { Names } from '../workflows/names';
import { formatSpan } from './format';
import { requireCommitted } from './removal';

/** What is in a cluster's folder in Federated Storage. */
export interface ClusterFiles {
  readonly cluster: ClusterId;
  readonly keys: readonly string[];
  readonly bytes: number;
  /** The file that was written last; undefined if the folder is empty. */
  readonly newest?: { readonly key: string; readonly modified: Date };
}

/** Lists everything in a cluster's folder. */
export async function listClusterFiles(bucket: BucketReader, cluster: ClusterId): Promise<ClusterFiles> {
  const keys: string[] = [];
  let bytes = 0;
  let newest: ClusterFiles['newest'];
  for await (const entry of bucket.list(clusterPrefix(cluster))) {
    if (entry.kind !== 'object') continue;
    keys.push(entry.key);
    bytes += entry.size;
    // Ignore test objects: `doctor` writes them, so they do not show that the cluster has pushed.
    const probe = entry.key.startsWith(probeKey(clusterPrefix(cluster), ''));
    if (!probe && (newest === undefined || entry.modified > newest.modified)) newest = entry;
  }
  return { cluster, keys, bytes, ...(newest && { newest: { key: newest.key, modified: newest.modified } }) };
}

/** Minimum time since a cluster's last push before its files may be deleted, in milliseconds. */
const quietFor = 3_600_000;

/**
 * Checks that a cluster's files may be deleted: the cluster no longer pushes, and these credentials allow deleting. To
 * read the store's clock, writes a test object to the cluster's folder and deletes it.
 *
 * @throws CLUSTER_STILL_PUSHES if a file is younger than an hour, or a worker serves the cluster's push workflow;
 *   STORAGE_ACCESS_DENIED if the credentials do not allow writing or deleting
 */
export async function requireQuiet(
  store: Bucket,
  { cluster, newest }: ClusterFiles,
  { client, names }: { readonly client: Client; readonly names: Names },
): Promise<void> {
  const refuse = (detail: string) =>
    new FederationError('CLUSTER_STILL_PUSHES', { subject: { cluster }, detail });
  const key = probeKey(clusterPrefix(cluster), randomUUID());
  const { modified: now } = await store.put(key, Buffer.from('What time is it?'));
  await store.delete(key);
  const age = newest && now.getTime() - newest.modified.getTime();
  if (newest !== undefined && age !== undefined && age < quietFor)
    throw refuse(`${cluster} pushed ${newest.key} ${formatSpan(age)} ago, by the store's clock.`);
  if (await hasWorker(client, names.push(cluster)))
    throw refuse(`A worker has served the push workflow ${names.push(cluster)} within the last minutes.`);
}

/** Returns whether a workflow is running and a worker has polled its task queue within the last few minutes. */
async function hasWorker(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status, taskQueue } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return false;
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    });
    return pollers.length > 0;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Result of deleting a cluster's files. `cluster remove --delete-files --json` prints it. */
export interface DeletedFiles {
  readonly deleted: number;
  /**
   * Number of files that still exist, because the deletion was stopped or because they were written during the
   * deletion.
   */
  readonly left: number;
}

export interface DeleteOptions {
  /** Aborting this signal stops the deletion after the current files. The deletion can be continued at any time. */
  readonly stop: AbortSignal;
  readonly progress: (done: number, of: number) => void;
}

/** Number of files to delete before checking again that the cluster is still removed. */
const chunk = 1_000;
const concurrentDeletes = 16;

/**
 * Deletes all files of a removed cluster. Stops if the cluster is restored in the meantime.
 *
 * @throws REMOVAL_NOT_COMMITTED if the cluster is not among the removed clusters of the newest generation in `store`
 */
export async function deleteClusterFiles(
  store: Bucket,
  { cluster, keys }: ClusterFiles,
  { stop, progress }: DeleteOptions,
): Promise<DeletedFiles> {
  let deleted = 0;
  for (let at = 0; at < keys.length && !stop.aborted; at += chunk) {
    await requireCommitted(store, { kind: 'remove', cluster }, 'Its files stay.');
    await mapConcurrently(keys.slice(at, at + chunk), concurrentDeletes, async (key) => {
      if (stop.aborted) return;
      await store.delete(key);
      progress(++deleted, keys.length);
    }).catch((error: unknown) => {
      throw interrupted(error, deleted, keys.length);
    });
  }
  return { deleted, left: (await listClusterFiles(store, cluster)).keys.length };
}

/** Adds the number of files that were deleted so far to the error that interrupted the deletion. */
function interrupted(error: unknown, deleted: number, of: number): unknown {
  if (!isFederationError(error)) return error;
  const { code, subject, hint, retryable, detail } = error;
  return new FederationError(code, {
    subject,
    hint,
    retryable,
    detail: `${detail} ${deleted} of ${of} files were deleted before; the same command deletes the rest.`,
    cause: error,
  });
}
