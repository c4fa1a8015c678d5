import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { FederationActivities } from '../activities/federation-activities';
import type { StoredExclusions } from '../activities/read-exclusions';
import { literalMarkdown, visibleText } from '../etl/visible-text';
import type { Condition } from '../federation/conditions';
import { type EarlierRoster, startingExclusions } from '../federation/earlier-roster';
import { type GenerationIdentity, newerIdentity, parseIdentity } from '../federation/identity';
import type { Exclusion, FollowedGeneration } from '../federation/membership';
import { failureOf } from './attempts';
import { continueWithMemo } from './continue-with-memo';
import { handleInternalSignals } from './internal-signal';
import {
  type ClusterMessage,
  excludeCluster,
  excludeClusterUpdate,
  forgetPrimary,
  includeCluster,
  includeClusterUpdate,
  noteGeneration,
  parseClusterMessage,
  registerPrimary,
  reportConditions,
  type RosterAnswer,
  rosterState,
} from './messages';
import { reportedConditions } from './reported-conditions';
import { quickActivity } from './retries';

export interface RosterInput {
  readonly bucket: string;
  /**
   * The current exclusions. Undefined when the roster starts for the first time: it then reads them from the newest
   * generation.
   */
  readonly exclusions?: Readonly<Record<string, Exclusion>>;
  /** Run id of the roster that ended before this one was started. Undefined if Temporal knows none. */
  readonly earlier?: string;
  /** The generation from which the initial exclusions were read. Undefined if there was none. */
  readonly follows?: FollowedGeneration;
  /** The newest generation that the roster knows. Undefined if it knows none. */
  readonly known?: GenerationIdentity;
  readonly primaries?: readonly string[];
  /** The conditions that federators last reported, by cluster id. */
  readonly conditions?: Readonly<Record<string, readonly Condition[]>>;
}

const { readExclusions } = proxyActivities<FederationActivities>(quickActivity);
/**
 * Make only a few attempts to read an earlier roster, because runs wait for this roster, and it can work without the
 * earlier one.
 */
const { readEarlierRoster } = proxyActivities<FederationActivities>({
  ...quickActivity,
  retry: { ...quickActivity.retry, maximumAttempts: 3 },
});

/** Number of signals after which the workflow continues as new, to keep its history short. */
const messagesPerRun = 500;
/** Maximum number of federators whose conditions are kept. If there are more, those that reported last are kept. */
const mostFederators = 10;

/**
 * Keeps two lists, forever: the clusters that people have excluded, with times and reasons, and the primaries to notify
 * of new generations. Also remembers the newest generation. At its first start, reads the exclusions from the newest
 * generation in the bucket, so that they survive even the loss of all Temporal data. If Temporal still knows an earlier
 * roster that has ended, takes over its exclusions and primaries.
 */
export async function roster(input: RosterInput): Promise<void> {
  const exclusions = new Map(Object.entries(input.exclusions ?? {}));
  const primaries = new Set(input.primaries ?? []);
  const conditions = new Map(Object.entries(input.conditions ?? {}));
  let { follows, known } = input;
  /** Clusters that people included before the stored exclusions were loaded. Empty after that. */
  const includedEarly = new Set<string>();
  let loaded = input.exclusions !== undefined;
  let messages = 0;

  const exclude = (message: ClusterMessage) => {
    messages += 1;
    // If the cluster is already excluded, keep the time and reason of the first exclusion.
    if (exclusions.has(message.cluster)) return;
    exclusions.set(message.cluster, { reason: message.reason ?? '', at: new Date().toISOString() });
    show();
  };
  const include = (message: ClusterMessage) => {
    messages += 1;
    exclusions.delete(message.cluster);
    if (!loaded) includedEarly.add(message.cluster);
    show();
  };
  const show = () => setCurrentDetails(describeRoster(input.bucket, known, exclusions, primaries));
  // A signal cannot be rejected, so log and ignore a signal that names no cluster.
  const orIgnore = (apply: (message: ClusterMessage) => void) => (message: unknown) => {
    const parsed = parseClusterMessage(message);
    if (parsed === undefined) log.warn('A signal that names no cluster was ignored', { message });
    else apply(parsed);
  };
  const orRefuse =
    (apply: (message: ClusterMessage) => void) =>
    (message: unknown): RosterAnswer => {
      const parsed = parseClusterMessage(message);
      if (parsed === undefined)
        throw ApplicationFailure.nonRetryable('No cluster was named.', 'CLUSTER_UNKNOWN');
      apply(parsed);
      return { cluster: parsed.cluster, from: 'in the next' };
    };

  setHandler(excludeCluster, orIgnore(exclude), {
    description:
      'Take a cluster out of every window, from the next federation on: {"cluster": "…", "reason": "…"}',
  });
  setHandler(includeCluster, orIgnore(include), {
    description: 'Bring an excluded cluster back with its history: {"cluster": "…"}',
  });
  setHandler(excludeClusterUpdate, orRefuse(exclude), { validator: requireCluster });
  setHandler(includeClusterUpdate, orRefuse(include), { validator: requireCluster });
  setHandler(
    registerPrimary,
    orIgnore(({ cluster }) => {
      messages += 1;
      primaries.add(cluster);
      show();
    }),
    { description: 'Notify a primary of new generations; primaries do this themselves: {"cluster": "…"}' },
  );
  setHandler(
    forgetPrimary,
    orIgnore(({ cluster }) => {
      messages += 1;
      primaries.delete(cluster);
      show();
    }),
    { description: 'Stop notifying a primary of new generations: {"cluster": "…"}' },
  );
  const noteIdentity = (message: unknown) => {
    const committed = parseIdentity(message);
    if (committed === undefined) {
      log.warn('A signal that names no generation was ignored', { message });
      return;
    }
    messages += 1;
    known = newerIdentity(known, committed);
    show();
  };
  const noteConditions = (message: unknown) => {
    const report = reportedConditions(message);
    if (report === undefined) return;
    messages += 1;
    conditions.delete(report.cluster);
    conditions.set(report.cluster, report.conditions);
    for (const oldest of [...conditions.keys()].slice(0, -mostFederators)) conditions.delete(oldest);
  };
  handleInternalSignals([noteGeneration, noteIdentity], [reportConditions, noteConditions]);
  setHandler(
    rosterState,
    () => ({
      id: workflowInfo().firstExecutionRunId,
      follows,
      known,
      bucket: input.bucket,
      exclusions: Object.fromEntries(exclusions),
      primaries: [...primaries].sort(),
      loaded,
      ...(conditions.size > 0 && { conditions: Object.fromEntries(conditions) }),
    }),
    { description: 'Which clusters are excluded, since when and why, and which primaries are notified' },
  );

  while (!loaded) {
    // People may exclude and include clusters while the stored exclusions are still being read. What they ask for takes
    // precedence over the stored exclusion of the same cluster.
    try {
      const stored = await readExclusions();
      const start = await startFrom(input, stored);
      follows = stored.follows;
      known ??= stored.known;
      for (const cluster of start.primaries) primaries.add(cluster);
      for (const [cluster, exclusion] of Object.entries(start.exclusions)) {
        if (!exclusions.has(cluster) && !includedEarly.has(cluster)) exclusions.set(cluster, exclusion);
      }
      includedEarly.clear();
      loaded = true;
    } catch (error) {
      const { code, message } = failureOf(error);
      log.error('The exclusions of the newest generation could not be read; retrying', {
        code,
        reason: message,
      });
      await condition(() => false, '30s');
    }
  }
  show();
  await condition(() => messages >= messagesPerRun || workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  await continueWithMemo<typeof roster>({
    bucket: input.bucket,
    exclusions: Object.fromEntries(exclusions),
    follows,
    known,
    primaries: [...primaries],
    conditions: Object.fromEntries(conditions),
  });
}

/**
 * Returns the exclusions and primaries with which a new roster starts. They come from the newest generation and, if
 * there is an earlier roster that has ended, from that roster.
 */
async function startFrom(
  { bucket, earlier: runId }: RosterInput,
  stored: StoredExclusions,
): Promise<Pick<EarlierRoster, 'exclusions' | 'primaries'>> {
  if (runId === undefined) return { exclusions: stored.exclusions, primaries: [] };
  try {
    const earlier = await readEarlierRoster({ runId });
    const exclusions = startingExclusions(bucket, stored, earlier);
    log.info('The roster took over what the one that ended knew', { excluded: Object.keys(exclusions) });
    return { exclusions, primaries: earlier.primaries };
  } catch (error) {
    const { code, message } = failureOf(error);
    log.warn(
      'The roster that ended could not be asked; exclusions and inclusions since the newest generation are lost',
      {
        code,
        reason: message,
      },
    );
    return { exclusions: stored.exclusions, primaries: [] };
  }
}

function requireCluster(message: unknown): void {
  if (parseClusterMessage(message) === undefined)
    throw new TypeError('Say which cluster: {"cluster": "…", "reason": "…"}');
}

function describeRoster(
  bucket: string,
  known: GenerationIdentity | undefined,
  exclusions: Map<string, Exclusion>,
  primaries: Set<string>,
): string {
  const out = [...exclusions].map(
    ([cluster, { at, reason }]) =>
      `- **${literalMarkdown(cluster)}** since ${at}${reason === '' ? '' : `: ${literalMarkdown(reason)}`}`,
  );
  return [
    `Bucket \`${bucket}\``,
    ...(known === undefined ? [] : [`Generation ${known.generation} of federation \`${known.federation}\``]),
    '',
    out.length === 0 ? 'No cluster is excluded.' : `Excluded (${out.length}):`,
    ...out.slice(0, 10),
    '',
    `Primaries notified of each generation: ${primaries.size === 0 ? 'none' : [...primaries].sort().map(literalMarkdown).join(', ')}`,
  ]
    .map(visibleText)
    .join('\n');
}
