import { readNewestReadable } from '../../activities/read-generations';
import type { Settings } from '../../config/settings';
import { nearestName } from '../../errors/nearest-name';
import { windowId } from '../../etl/window';
import { count } from '../../federation/count';
import { examineDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import {
  combinedEtlKey,
  combinedEtlPrefix,
  federatedPrefix,
  parseEtlKey,
  publishedKey,
} from '../../federation/layout';
import { type Exclusion, type Membership, resolveMembership } from '../../federation/membership';
import { adviseOnNameConflict, describeNameConflict } from '../../federation/name-conflicts';
import type { BucketReader, CallOptions } from '../../storage/bucket';
import { advice } from '../describe-silence';
import { formatAge, formatSpan } from '../format';
import { type ClusterSummary, isSilent, summarizeCluster, type Survey } from '../survey';
import { type Check, failed } from './check';

const check = 'clusters';
const mostClusters = 20;
const mostStrangers = 10;

/** What Temporal knows about the clusters. */
export interface KnownToTemporal {
  /** The exclusions in the roster; undefined if the roster did not answer or was not queried. */
  readonly exclusions?: Readonly<Record<string, Exclusion>> | undefined;
  /** The silent clusters whose pushes were stopped on purpose. */
  readonly stopped?: ReadonlySet<string>;
}

/**
 * Reports the clusters in the bucket, which of them have gone silent, and which of them a federator would include and
 * why. Also reports foreign files: files that are in the folder of the published windows, but were not written by a
 * federation.
 */
export async function checkClusters(
  bucket: BucketReader,
  settings: Settings,
  survey: Survey,
  known: KnownToTemporal,
): Promise<Check[]> {
  const strangers = await findStrangers(bucket).then(describeStrangers, (error: unknown) =>
    failed(check, 'strangers', error),
  );
  return [...describeSurvey(survey, bucket.label, settings, known), strangers];
}

function describeSurvey(
  survey: Survey,
  label: string,
  { clusterId, federator }: Settings,
  { exclusions, stopped = new Set() }: KnownToTemporal,
): Check[] {
  const { clusters, generation, damage } = survey;
  const now = new Date();
  const summaries = clusters.map((cluster) =>
    summarizeCluster(cluster, generation, { stopped }, now.getTime()),
  );
  const shown = summaries.filter((summary, index) => index < mostClusters || isSilent(summary));
  const discovered = clusters.map(({ cluster }) => cluster);
  const membership = resolveMembership({
    federator: clusterId,
    scope: federator.scope,
    roster: generation?.membership.roster ?? '',
    exclusions: exclusions ?? generation?.membership.exclusions ?? {},
    discovered,
    removed: generation?.membership.removed ?? {},
    ...(generation && { base: generation }),
  });
  return [
    found(discovered, label),
    ...(damage.length > 0 ? [describeDamage(damage)] : []),
    ...shown.map((summary) => describeCluster(summary, now)),
    ...(clusters.length > shown.length
      ? [line('more', `${clusters.length - shown.length} more: see \`federated-etl status\`.`)]
      : []),
    ...nameConflicts(generation),
    line('who is in', `${rule(federator.scope)} ${whoIsIn(membership)}`),
    ...misnamed('include', federator.scope.include ?? [], discovered),
    ...misnamed('exclude', federator.scope.exclude, discovered),
  ];
}

function line(subject: string, detail: string): Check {
  return { check, subject, outcome: 'ok', detail };
}

function found(clusters: readonly string[], label: string): Check {
  if (clusters.length > 0) return line('found', `${count(clusters.length, 'cluster')} in ${label}.`);
  return {
    check,
    subject: 'found',
    outcome: 'warning',
    detail: `There is no cluster in ${label}/${federatedPrefix}, so there is nothing to federate.`,
    todo:
      'On each cluster set federatedETL.federatedCluster to true and start `federated-etl run`. If they push already, check ' +
      'that bucket and prefix are the same in every federated-store.yaml, and run `federated-etl doctor` there.',
  };
}

function describeDamage(damage: readonly string[]): Check {
  const todo = 'Run `federated-etl verify`: it names everything that is damaged.';
  return { check, subject: 'generation', outcome: 'failed', detail: damage.join(' '), todo };
}

function describeCluster(summary: ClusterSummary, now: Date): Check {
  const { cluster, lastPush, windows, membership, reason = '', stillPushing, silence } = summary;
  if (membership === 'removed') return describeRemovedCluster(cluster, reason, stillPushing);
  const kinds = windows.map(
    ({ pipeline, resolution, count: number, newestEnd }) =>
      `${pipeline} ${resolution} ${number} (newest ends ${formatAge(newestEnd, now)})`,
  );
  const found =
    windows.length === 0
      ? 'no windows'
      : `${kinds.join(', ')}; last push ${lastPush ? formatAge(lastPush, now) : 'unknown'}`;
  const { state, usualMs } = silence;
  if (state !== 'late' && state !== 'gone') return line(cluster, found);
  const detail = `It is ${state}: ${found}; it usually pushes every ${formatSpan(usualMs)}.`;
  return { check, subject: cluster, outcome: 'warning', detail, todo: advice[state] };
}

function describeRemovedCluster(cluster: string, removed: string, stillPushing?: true): Check {
  if (!stillPushing) return line(cluster, `${removed}.`);
  return {
    check,
    subject: cluster,
    outcome: 'warning',
    detail: `${removed}. What it pushes is ignored.`,
    todo: `Stop its pushes (federatedETL.federatedCluster), or bring it back: \`federated-etl cluster restore ${cluster}\`.`,
  };
}

/** Warns about clusters whose records contain names of other clusters. */
function nameConflicts(generation: Survey['generation']): Check[] {
  return Object.entries(generation?.nameConflicts ?? {}).map(([cluster, conflict]) => ({
    check,
    subject: cluster,
    outcome: 'warning',
    detail: `Nothing new is merged. ${describeNameConflict(cluster, conflict)}`,
    todo: adviseOnNameConflict(cluster, conflict),
  }));
}

function rule({ include, exclude, cutoff }: Membership['scope']): string {
  const who = include === undefined ? 'every cluster' : `only ${include.join(', ')}`;
  const but = exclude.length === 0 ? '' : ` but ${exclude.join(', ')}`;
  const since = cutoff === undefined ? '' : `, windows from ${cutoff} on`;
  return `By the settings: ${who}${but}${since}.`;
}

function whoIsIn({ clusters, excluded, removed }: Membership): string {
  const out = Object.entries(excluded).map(([cluster, { by }]) => `${cluster} (${by})`);
  const gone = Object.keys(removed);
  return (
    `Included now: ${clusters.join(', ') || 'none'}. Excluded: ${out.join(', ') || 'none'}.` +
    (gone.length === 0 ? '' : ` Removed: ${gone.join(', ')}.`)
  );
}

/** Warns about ids in the settings that no cluster in the bucket has. Such an id is often misspelt. */
function misnamed(list: 'include' | 'exclude', ids: readonly string[], clusters: readonly string[]): Check[] {
  return ids
    .filter((id) => !clusters.includes(id))
    .map((id) => {
      const close = nearestName(id, clusters);
      const meant =
        close !== undefined && close.far <= 1 + id.length / 3 ? ` Did you mean ${close.name}?` : '';
      return {
        check,
        subject: list,
        outcome: 'warning',
        detail: `The settings ${list} ${id}, but no cluster in the bucket has that id.${meant}`,
        todo: `Correct it in federatedETL.federator, unless ${id} will be added later.`,
      };
    });
}

/**
 * Returns the keys of foreign files in the folder of the published windows. A file is foreign if neither the newest
 * generation nor the record of publishing names it. Returns undefined if that record is damaged.
 */
async function findStrangers(bucket: BucketReader, options?: CallOptions): Promise<string[] | undefined> {
  // Read the names of the published windows before and after the listing, because a federation run may publish or
  // remove files during the listing.
  const before = await namedWindows(bucket, options);
  const there: string[] = [];
  for await (const entry of bucket.list(combinedEtlPrefix, options)) {
    if (entry.kind === 'object') there.push(entry.key);
  }
  const after = await namedWindows(bucket, options);
  if (before === undefined || after === undefined) return undefined;
  const named = new Set([...before, ...after]);
  return there.filter((key) => {
    const file = parseEtlKey(combinedEtlPrefix, key);
    const id = file && windowId(file.ref);
    return id === undefined || key !== combinedEtlKey(id) || !named.has(id);
  });
}

async function namedWindows(bucket: BucketReader, options?: CallOptions): Promise<string[] | undefined> {
  const { value: published, damage } = await examineDocument(bucket, documents.published.at(), options);
  if (damage !== undefined) return undefined;
  const { generation } = await readNewestReadable(bucket, options);
  return [...Object.keys(published?.windows ?? {}), ...Object.keys(generation?.windows ?? {})];
}

function describeStrangers(keys: readonly string[] | undefined): Check {
  const subject = 'strangers';
  if (keys === undefined) {
    return {
      check,
      subject,
      outcome: 'warning',
      detail: `${publishedKey} is damaged, so it is unknown which files in ${combinedEtlPrefix} were published.`,
      todo: 'The next federation writes it again; nothing to do.',
    };
  }
  if (keys.length === 0) return line(subject, `${combinedEtlPrefix} has only published files.`);
  const shown = keys.slice(0, mostStrangers).join(', ');
  const more = keys.length > mostStrangers ? `, and ${keys.length - mostStrangers} more` : '';
  return {
    check,
    subject,
    outcome: 'warning',
    detail: `${count(keys.length, 'file')} that no generation ever named: ${shown}${more}.`,
    todo: 'Federated ETL ignores them, but other readers of this prefix count their costs too. Delete them if they do not belong there.',
  };
}
