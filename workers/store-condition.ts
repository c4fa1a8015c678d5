import { type ErrorCode, isErrorCode } from '../errors/catalog';
import { type KeptError, withHint } from '../errors/hints';
import { knownError } from '../errors/known-error';
import type { ClusterId } from '../etl/cluster-id';
import type { Finding, RoleName } from '../federation/conditions';
import {
  clusterEtlPrefix,
  clusterPrefix,
  combinedPrefix,
  exportPrefix,
  generationsPrefix,
} from '../federation/layout';
import type { BucketReader } from '../storage/bucket';
import type { StorageCall } from '../storage/with-metrics';

/** Error codes that mean that the store does not serve this process at all. Other codes concern a single object. */
const failures: readonly string[] = [
  'STORAGE_UNAVAILABLE',
  'STORAGE_ACCESS_DENIED',
  'STORAGE_BUCKET_NOT_FOUND',
  'STORAGE_QUOTA_EXCEEDED',
  'STORAGE_THROTTLED',
  'STORE_CONFIG_INVALID',
] satisfies ErrorCode[];

/**
 * How long a failed write counts if no later write succeeds, in milliseconds. The time is limited because there may be
 * nothing more to write.
 */
const writeCountsMs = 3_600_000;
const answerWithinMs = 20_000;

interface Failed {
  readonly code: ErrorCode;
  readonly key: string;
  readonly hint: string | undefined;
  readonly at: number;
}

/**
 * Judges whether the store serves a role. Uses the outcomes of the calls that the process makes, and a listing of its
 * own.
 */
export class StoreCalls {
  private read: Failed | undefined;
  private write: Failed | undefined;
  private readonly own: string;

  /**
   * @param role the role whose calls count. Reads and writes of other roles of the process may have other permissions.
   * @param cluster the id of the cluster that has the role
   */
  constructor(
    private readonly role: RoleName,
    private readonly cluster: ClusterId,
    private readonly now: () => number = Date.now,
  ) {
    this.own = role === 'federatedCluster' ? clusterPrefix(cluster) : combinedPrefix;
  }

  /** Records the outcome of a call to the store if the call belongs to this role. */
  called({ verb, key, outcome, hint }: Pick<StorageCall, 'verb' | 'key' | 'outcome' | 'hint'>): void {
    // Ignore exports, which have their own condition, and deletions, because a store may refuse to delete a locked
    // object.
    if (!key.startsWith(this.own) || key.startsWith(exportPrefix) || verb === 'delete') return;
    const writes = verb === 'put' || verb === 'create' || verb === 'copy';
    if (writes && this.role === 'primaryCluster') return;
    if (outcome === 'aborted') return;
    const failed =
      failures.includes(outcome) && isErrorCode(outcome)
        ? { code: outcome, key, hint, at: this.now() }
        : undefined;
    if (writes) this.write = failed;
    else this.read = failed;
  }

  /** Asks the store for a listing of a few keys, and returns whether the store serves the role. */
  async look(bucket: BucketReader): Promise<Finding> {
    const prefix = this.role === 'federatedCluster' ? clusterEtlPrefix(this.cluster) : generationsPrefix;
    const signal = AbortSignal.timeout(answerWithinMs);
    try {
      for await (const _ of bucket.list(prefix, { delimiter: '/', signal })) break;
    } catch (error) {
      if (this.read !== undefined)
        return failing({ ...this.read, message: `Reading ${this.read.key} fails.` });
      if (signal.aborted)
        return failing({
          code: 'STORAGE_UNAVAILABLE',
          message: `The store did not answer within ${answerWithinMs / 1_000} s.`,
        });
      return failing(knownError(error));
    }
    const { write } = this;
    if (write === undefined || this.now() - write.at > writeCountsMs) return { holds: 'yes' };
    return failing({ ...write, message: `The last write failed, of ${write.key}.` });
  }
}

function failing(error: KeptError): Finding {
  return { holds: 'no', reason: withHint(error) };
}
