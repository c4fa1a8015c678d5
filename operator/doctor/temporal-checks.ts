import type { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import type { Settings } from '../../config/settings';
import { catalog } from '../../errors/catalog';
import { count } from '../../federation/count';
import { readState } from '../../local-etl/state';
import { localEtl } from '../../local-etl/store';
import type { Names } from '../../workflows/names';
import { formatTime } from '../format';
import { describePause, readSchedule, unpauseCommand } from '../read-schedule';
import { createCommand, missingAttributes, typeInCommands } from '../registered-attributes';
import { othersWithExistingConfig, sharedConfigWarning } from '../shared-config';
import type { Check, Outcome } from './check';

/** Input of the checks of Temporal: connections to the server, and this cluster's settings. */
export interface Asked {
  readonly client: Client;
  readonly connection: Connection;
  readonly settings: Settings;
  readonly names: Names;
  /** Address of the bucket; undefined if the store's settings cannot be used. */
  readonly label: string | undefined;
  /** Whether the bucket has generations. If so, a federator has run, and has created the roster and the schedule. */
  readonly hasGenerations: boolean;
}

/**
 * If a namespace keeps closed workflows for fewer days, `doctor` warns: a failed run might be gone before anybody looks
 * at it.
 */
const leastDays = 7;

/** Checks that the namespace exists, and reports how long it keeps closed workflows. */
export async function checkNamespace({ connection, settings }: Asked): Promise<Check> {
  const { namespace } = settings.temporal;
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
    const detail = `${namespace} keeps closed workflows for ${count(Math.round(days), 'day')}.`;
    if (days >= leastDays) return line('namespace', 'ok', detail);
    return line(
      'namespace',
      'warning',
      `${detail} A run that could not reach the bucket is known for no longer than that, and cannot be replayed then.`,
      `temporal operator namespace update --namespace ${namespace} --retention 30d`,
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const todo = `temporal operator namespace create --namespace ${namespace} --retention 30d, or correct temporal.namespace.`;
    return line('namespace', 'failed', `There is no namespace ${namespace}.`, todo);
  }
}

/** Checks that the search attributes of federation workflows are registered with the right types. */
export async function checkSearchAttributes({ connection, settings }: Asked): Promise<Check> {
  const { namespace } = settings.temporal;
  const subject = 'search attributes';
  const { absent, wrong } = await missingAttributes(connection, namespace);
  if (wrong.length > 0) {
    const detail = `Registered with the wrong type: ${wrong.map((one) => `${one.name} (needed: ${typeInCommands(one)})`).join(', ')}.`;
    return line(subject, 'failed', detail, 'Give this federation its own namespace.');
  }
  if (absent.length === 0) return line(subject, 'ok', 'All are registered.');
  const detail = `Not registered yet: ${absent.map(({ name }) => name).join(', ')}. A federator that runs registers them within minutes.`;
  const commands = absent.map((one) => createCommand(namespace, one));
  return line(subject, 'warning', detail, `If it lacks the permission: ${commands.join('; ')}`);
}

const startFederator = 'Start the federator, or look at its log: one that runs creates it within minutes.';

/**
 * Checks that the schedule for federations exists and is not paused. Before the first federation, a missing schedule is
 * in order: a running federator creates it.
 */
export async function checkSchedule({ client, names: { schedule }, hasGenerations }: Asked): Promise<Check> {
  const state = await readSchedule(client, schedule);
  if (state === 'absent' && hasGenerations)
    return line('schedule', 'warning', 'It does not exist, although a federator has run.', startFederator);
  if (state === 'absent')
    return line('schedule', 'ok', 'It does not exist: a federator that runs creates it within minutes.');
  if (state.paused !== undefined)
    return line('schedule', 'warning', `It is ${describePause(state.paused)}.`, unpauseCommand(schedule));
  const { nextRun } = state;
  return line(
    'schedule',
    'ok',
    `The next run is ${nextRun === undefined ? 'unknown' : `at ${formatTime(nextRun)}`}.`,
  );
}

/** Checks that the roster workflow runs, and that it belongs to the federation in this bucket. */
export async function checkRoster(asked: Asked): Promise<Check> {
  const { client, names, settings, label, hasGenerations } = asked;
  const { memo, end } = await askFor(client, names.roster);
  if (memo === undefined && (end !== undefined || hasGenerations)) {
    const how =
      end === undefined ? 'It does not run, although a federator has run.' : `It has ended (${end}).`;
    return line('roster', 'warning', how, startFederator);
  }
  if (memo === undefined)
    return line(
      'roster',
      'ok',
      'It does not run: a federator that runs starts it within minutes, for the bucket it uses.',
    );
  const bucket = String(memo['bucket']);
  if (label === undefined)
    return line('roster', 'skipped', `It serves ${bucket}, but this cluster’s bucket is unknown.`);
  if (bucket === label) return line('roster', 'ok', 'It serves the federation of this bucket.');
  const detail = `ROSTER_BOUND_ELSEWHERE: The namespace ${settings.temporal.namespace} serves the federation of ${bucket}, not of ${label}.`;
  return line('roster', 'failed', detail, catalog.ROSTER_BOUND_ELSEWHERE.hint);
}

/**
 * Checks that the push workflow with this cluster's id belongs to the local volume. If it does not, another cluster has
 * the same id.
 */
export async function checkPush({ client, names: { push }, settings }: Asked): Promise<Check> {
  const { clusterId, localEtl: local } = settings;
  const { memo, end } = await askFor(client, push(clusterId));
  if (end !== undefined) return ended('push', clusterId, end);
  if (memo === undefined)
    return line(
      'push',
      'ok',
      `No push of ${clusterId} runs: \`federated-etl run\` starts it, within minutes if it is running.`,
    );
  const known = await readState(localEtl(local.path), 'instance.json', z.object({ instance: z.string() }));
  const theirs = String(memo['instance']);
  if (known?.instance === theirs)
    return line('push', 'ok', `The push of ${clusterId} belongs to this volume.`);
  const ours = known === undefined ? 'without an id yet' : known.instance;
  const detail = `DUPLICATE_CLUSTER_ID: The data of ${clusterId} comes from volume ${theirs}, not from this one (${ours}).`;
  return line('push', 'failed', detail, catalog.DUPLICATE_CLUSTER_ID.hint);
}

/** Checks that the pull workflow with this cluster's id runs. Before the first start of the primary, there is none. */
export async function checkPull({ client, names: { pull }, settings: { clusterId } }: Asked): Promise<Check> {
  const { memo, end } = await askFor(client, pull(clusterId));
  if (end !== undefined) return ended('pull', clusterId, end);
  return line(
    'pull',
    'ok',
    memo === undefined
      ? `No pull of ${clusterId} runs: \`federated-etl run\` starts it, within minutes if it is running.`
      : `The pull of ${clusterId} runs.`,
  );
}

function ended(what: 'push' | 'pull', cluster: string, how: string): Check {
  const todo = `Start \`federated-etl run\` on ${cluster}, or look at its log: it starts the ${what} within minutes.`;
  return line(what, 'warning', `The ${what} of ${cluster} has ended (${how}).`, todo);
}

/**
 * Warns if other running clusters have set `useExistingS3Config` too. They may then share the bucket of Kubecost's
 * backup with this cluster.
 */
export async function checkShared({ client, names: ours, settings }: Asked): Promise<Check> {
  const subject = 'useExistingS3Config';
  const others = await othersWithExistingConfig(client, ours, settings.clusterId);
  if (others.length === 0) return line(subject, 'ok', 'No other running cluster uses it.');
  const todo = 'Set federatedETL.useExistingS3Config on one cluster at most.';
  return line(subject, 'warning', sharedConfigWarning(others), todo);
}

/**
 * Returns the memo of a running workflow, or how the workflow has ended. Returns neither if Temporal does not know the
 * workflow.
 */
async function askFor(
  client: Client,
  workflowId: string,
): Promise<{ readonly memo?: Record<string, unknown>; readonly end?: string }> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    const { status, memo } = await client.workflow.getHandle(workflowId).describe();
    if (status.name === 'RUNNING') return { memo: memo ?? {} };
    return { end: status.name.toLowerCase().replace('_', ' ') };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return {};
    throw error;
  }
}

/** Creates the result of one of the Temporal checks. */
export function line(subject: string, outcome: Outcome, detail: string, todo?: string): Check {
  return { check: 'Temporal', subject, outcome, detail, ...(todo !== undefined && { todo }) };
}

const notFound = 5;

function isNotFound(error: unknown): boolean {
  return codeOf(error) === notFound;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
