import type { Command } from 'commander';
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import { discoverClusters } from '../activities/survey-clusters';
import { readNewestGeneration } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import {
  excludeCluster,
  excludeClusterUpdate,
  includeCluster,
  includeClusterUpdate,
  type ClusterMessage,
  type RosterAnswer,
} from '../workflows/messages';
import { openContext, type CommandOptions, type Context } from './context';
import { print, printJson } from './output';

type Kind = 'exclude' | 'include';

/** Adds the verb `exclude` to the program. */
export function registerExclude(program: Command): void {
  program
    .command('exclude')
    .argument('<cluster>', 'the id of the cluster')
    .description('take a cluster out of every window; it keeps pushing')
    .option('--reason <text>', 'why, for whoever looks later')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      "\nExample:\n  federated-etl exclude cluster-3 --reason 'wrong prices since Monday'\n",
    )
    .action(async (cluster: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { reason?: string; json?: true }>();
      await change(
        'exclude',
        { cluster, ...(options.reason === undefined ? {} : { reason: options.reason }) },
        options,
      );
    });
}

/** Adds the verb `include` to the program. */
export function registerInclude(program: Command): void {
  program
    .command('include')
    .argument('<cluster>', 'the id of the cluster')
    .description('bring an excluded cluster back, with its history')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl include cluster-3\n')
    .action(async (cluster: string, _: unknown, command: Command) => {
      await change('include', { cluster }, command.optsWithGlobals<CommandOptions & { json?: true }>());
    });
}

async function change(
  kind: Kind,
  message: ClusterMessage,
  options: CommandOptions & { json?: true },
): Promise<void> {
  await using context = openContext(options);
  await requireKnown(context, message.cluster);
  const { client } = await context.temporal();
  // The roster first: whatever becomes of a run in progress, the next one reads it there.
  await client.workflow
    .getHandle(context.names.roster)
    .signal(kind === 'exclude' ? excludeCluster : includeCluster, message)
    .catch(noRoster);
  const answer = (await tellRunInProgress(client, context.settings.temporal.idPrefix, kind, message)) ?? {
    cluster: message.cluster,
    from: 'in the next',
  };
  if (options.json) printJson(answer);
  else
    print(
      `${message.cluster} is ${kind}d ${answer.from === 'in this run' ? 'in the run in progress' : 'from the next federation on'}.`,
    );
}

/** A slip in an id would otherwise be an exclusion of nothing, which looks like success. */
async function requireKnown(context: Context, cluster: string): Promise<void> {
  const bucket = await context.bucket();
  const found: readonly string[] = await discoverClusters(bucket, {});
  const {
    clusters = [],
    exclusions = {},
    leftOut = {},
  } = (await readNewestGeneration(bucket))?.membership ?? {};
  if (found.includes(cluster) || clusters.includes(cluster) || cluster in exclusions || cluster in leftOut)
    return;
  throw new FederationError('CLUSTER_UNKNOWN', {
    subject: { cluster },
    detail: `There is no cluster ${cluster} in the bucket; there are: ${found.join(', ') || 'none'}.`,
  });
}

function noRoster(error: unknown): never {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
  throw new FederationError('TEMPORAL_UNAVAILABLE', {
    detail: 'There is no roster in this Temporal namespace: no federator was ever started in it.',
    hint: 'Check temporal.address, temporal.namespace and temporal.idPrefix, or start the federator.',
    cause: error,
  });
}

/** A commit that is under way is waited for: only then it is known whether it still counted. */
const answerWithinMs = 60_000;
const noAnswer = [WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError];

/** Asks a run in progress, if there is one, whether it still counts there. */
async function tellRunInProgress(
  client: Client,
  idPrefix: string,
  kind: Kind,
  message: ClusterMessage,
): Promise<RosterAnswer | undefined> {
  const update = kind === 'exclude' ? excludeClusterUpdate : includeClusterUpdate;
  for await (const { workflowId } of client.workflow.list({
    query: "WorkflowType = 'federation' AND ExecutionStatus = 'Running'",
  })) {
    if (!workflowId.startsWith(`${idPrefix}federation-`)) continue;
    try {
      return await client.withDeadline(Date.now() + answerWithinMs, () =>
        client.workflow.getHandle(workflowId).executeUpdate(update, { args: [message] }),
      );
    } catch (error) {
      // It ended meanwhile, does not know the cluster, or nobody serves it: the roster knows, for whoever commits next.
      if (!noAnswer.some((kind) => error instanceof kind)) throw error;
    }
  }
  return undefined;
}
