import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import type { WindowRef } from '../etl/window';
import { absent, kept, refused } from '../federation/decision';
import type { QuarantinedSource } from '../federation/generation';
import { keptKey } from '../federation/layout';
import type { PlannedWindow } from '../federation/plan-document';
import type { Provenance } from '../federation/provenance';
import type { Bucket, CallOptions, Version } from '../storage/bucket';
import { extractContributions, type ExtractedFile } from './extract-contributions';
import type { PreviousContributions } from './previous-contributions';
import type { BadSource } from './threads/merge-thread';
import type { MergeThreads } from './threads/merge-threads';
import type { WindowSource } from './window-sources';

/**
 * Maximum length of an error's detail, in characters. Longer details are truncated, because people read them in lists.
 */
const longestDetail = 400;

export interface QuarantineContext {
  readonly bucket: Bucket;
  readonly threads: MergeThreads;
  readonly planned: PlannedWindow;
  readonly ref: WindowRef;
  readonly previous: PreviousContributions;
  readonly signal: AbortSignal;
}

/** A source that cannot be merged, and the reason. */
export interface BadFinding {
  readonly source: WindowSource;
  readonly code: BadSource['code'];
  readonly detail: string;
  /**
   * Cluster names in the file that belong to other clusters. Set only if the file is quarantined because of these
   * names.
   */
  readonly names?: readonly string[];
  /**
   * True if the source was already replaced by the cluster's last good contribution, but the copy of that contribution
   * under `kept/` is missing. The copy must then be written again.
   */
  readonly keptIsGone?: boolean;
}

/**
 * Replaces each bad source with the last good contribution of its cluster. If that contribution is not stored under
 * `kept/` yet, extracts it from the previous merged object and stores it there. If the cluster has no good
 * contribution, marks the source as refused or, if its file has vanished, omits the source from the result.
 *
 * @throws GENERATION_UNREADABLE if the previous merged object is missing or damaged
 */
export async function quarantine(
  context: QuarantineContext,
  findings: readonly BadFinding[],
): Promise<WindowSource[]> {
  const files = await keepContributions(
    context,
    findings.filter((finding) => keptAlready(context, finding) === undefined),
  );
  return findings.flatMap((finding) => {
    const { source, code, detail, names } = finding;
    const version = keptAlready(context, finding) ?? files.get(source.cluster);
    const dropped = known(context, source)?.dropped;
    if (version === undefined && source.seen === absent) return [];
    const quarantined: QuarantinedSource = {
      cluster: source.cluster,
      window: context.planned.window,
      seen: source.seen,
      code,
      detail: detail.slice(0, longestDetail),
      ...(version !== undefined && { kept: version }),
      ...(names !== undefined && { names: [...names] }),
      ...(dropped !== undefined && { dropped }),
    };
    return [{ ...source, decision: version === undefined ? refused(code) : kept(version), quarantined }];
  });
}

function keptAlready(
  { planned, previous }: QuarantineContext,
  { source, keptIsGone }: BadFinding,
): Version | undefined {
  // If a kept contribution contains a cluster name that now belongs to another cluster, it must not be merged either.
  if (keptIsGone === true || previous.taken.has(source.cluster)) return undefined;
  return planned.quarantined.find((known) => known.cluster === source.cluster)?.kept;
}

/**
 * Returns the base generation's entry for this version of the source; undefined if the source is not quarantined there.
 */
function known(
  { planned }: QuarantineContext,
  { cluster, seen }: WindowSource,
): QuarantinedSource | undefined {
  return planned.quarantined.find((entry) => entry.cluster === cluster && entry.seen === seen);
}

/**
 * For each cluster in `findings`, stores its last good contribution under `kept/`. Returns the versions of the stored
 * objects, by cluster.
 */
async function keepContributions(
  context: QuarantineContext,
  findings: readonly BadFinding[],
): Promise<Map<ClusterId, Version>> {
  const byObject = new Map<Provenance, ClusterId[]>();
  for (const { source, keptIsGone } of findings) {
    const from = context.previous.of(source.cluster)?.from;
    if (from !== undefined) byObject.set(from, [...(byObject.get(from) ?? []), source.cluster]);
    else if (keptIsGone === true) {
      throw new FederationError('GENERATION_UNREADABLE', {
        subject: {
          cluster: source.cluster,
          key: keptKey(source.cluster, context.planned.window),
        },
        detail: 'The last good contribution is gone, and no merged object contains it either.',
      });
    }
  }
  const versions = new Map<ClusterId, Version>();
  for (const [from, clusters] of byObject) {
    for (const [cluster, version] of await keepFrom(context, from, clusters)) versions.set(cluster, version);
  }
  return versions;
}

async function keepFrom(
  { bucket, threads, planned, ref, signal }: QuarantineContext,
  from: Provenance,
  clusters: readonly ClusterId[],
): Promise<Map<ClusterId, Version>> {
  const extract = { bucket, threads, pipeline: ref.pipeline, signal };
  const versions = new Map<ClusterId, Version>();
  for (const [cluster, file] of await extractContributions(extract, from, clusters))
    versions.set(cluster, await putOnce(bucket, keptKey(cluster, planned.window), file, { signal }));
  return versions;
}

/**
 * Writes an object, unless it already exists with the same content (an earlier attempt may have written it). Writing it
 * again would change its version, and thus the fingerprint of the merged window.
 */
async function putOnce(
  bucket: Bucket,
  key: string,
  file: ExtractedFile,
  options: CallOptions,
): Promise<Version> {
  const there = await bucket.head(key, options);
  if (there?.metadata['sha256'] === file.digest && there.size === file.bytes.byteLength) return there.version;
  return (await bucket.put(key, file.bytes, { ...options, metadata: { sha256: file.digest } })).version;
}
