import { temporal } from '@temporalio/proto';
import type { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { catalog } from '../../errors/catalog';
import type { Settings } from '../../config/settings';
import { FederationError } from '../../errors/federation-error';
import type { Exclusion } from '../../federation/membership';
import { recall } from '../../local-etl/memory';
import { localEtl } from '../../local-etl/store';
import { Releasers } from '../../workers/releasers';
import { othersWithExistingConfig, sharedConfigWarning } from '../../workers/shared-config';
import type { RosterState } from '../../workflows/messages';
import { names, type Names } from '../../workflows/names';
import { searchAttributes } from '../../workflows/search-attributes';
import { formatTime } from '../output';
import { failed, type Check, type Outcome } from './check';

const check = 'Temporal';
/** For each question, the first one included. */
const patienceMs = 10_000;
/** The roster answers only while a federator runs, and the server waits long for one. */
const rosterPatienceMs = 3_000;

interface Asked {
  readonly client: Client;
  readonly connection: Connection;
  readonly settings: Settings;
  readonly names: Names;
  /** Of the bucket; undefined when the store's settings cannot be used. */
  readonly label: string | undefined;
}

export interface TemporalChecks {
  readonly checks: Check[];
  /** Who is excluded, if the roster answered. */
  readonly exclusions?: Readonly<Record<string, Exclusion>>;
}

/** Looks at Temporal as this cluster's roles will use it. Starts, signals and registers nothing. */
export async function checkTemporal(settings: Settings, label: string | undefined): Promise<TemporalChecks> {
  const { address, namespace, idPrefix } = settings.temporal;
  const opened = await connect(settings).catch((error: unknown) => failed(check, 'server', error));
  if ('outcome' in opened) return { checks: [opened, skipped('Temporal does not answer.')] };
  await using closing = new Releasers();
  closing.defer(() => opened.connection.close());
  const { connection, Client } = opened;
  const asked: Asked = {
    client: new Client({ connection, namespace }),
    connection,
    settings,
    names: names(idPrefix),
    label,
  };
  const server = line('server', 'ok', `It answers at ${address}.`);
  const space = await ask(asked, 'namespace', checkNamespace);
  if (space.outcome !== 'ok') return { checks: [server, space, skipped('The namespace cannot be used.')] };
  const { federator, federatedCluster } = settings.roles;
  const [attributes, schedule, roster, push, shared, exclusions] = await Promise.all([
    federator ? ask(asked, 'search attributes', checkSearchAttributes) : undefined,
    federator ? ask(asked, 'schedule', checkSchedule) : undefined,
    ask(asked, 'roster', checkRoster),
    federatedCluster ? ask(asked, 'push', checkPush) : undefined,
    settings.storage.existing ? ask(asked, 'useExistingS3Config', checkShared) : undefined,
    federator ? readExclusions(asked) : undefined,
  ]);
  const checks = [server, space, attributes, roster, schedule, push, shared];
  return { checks: checks.filter((one) => one !== undefined), exclusions };
}

async function connect(settings: Settings) {
  // Loaded only here: it takes longer than most of the other checks.
  const { Client, Connection } = await import('@temporalio/client');
  const { address, connection: how } = settings.temporal;
  // No tries again: whoever asks wants to know now, and the first failure says why.
  const connection = Connection.lazy({ ...how, connectTimeout: patienceMs, interceptors: [] });
  try {
    await connection.withDeadline(Date.now() + patienceMs, () =>
      connection.workflowService.getSystemInfo({}),
    );
    return { Client, connection };
  } catch (cause) {
    await connection.close();
    throw new FederationError('TEMPORAL_UNAVAILABLE', {
      detail: `No Temporal server answers at ${address}: ${reasonOf(cause)}`,
      cause,
    });
  }
}

/** One question with an answer of its own: what goes wrong with it is its check, and ends no other. */
async function ask(
  asked: Asked,
  subject: string,
  question: (asked: Asked) => Promise<Check>,
): Promise<Check> {
  try {
    return await asked.connection.withDeadline(Date.now() + patienceMs, () => question(asked));
  } catch (error) {
    const todo =
      'Look whether the server is well, and whether this client may ask for it (TEMPORAL_API_KEY, TLS).';
    return line(subject, 'failed', `Temporal did not answer: ${reasonOf(error)}`, todo);
  }
}

async function checkNamespace({ connection, settings }: Asked): Promise<Check> {
  const { namespace } = settings.temporal;
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
    return line(
      'namespace',
      'ok',
      `${namespace} is there; it keeps what ended for ${Math.round(days)} days.`,
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const todo = `temporal operator namespace create --namespace ${namespace} --retention 30d, or correct temporal.namespace.`;
    return line('namespace', 'failed', `There is no namespace ${namespace}.`, todo);
  }
}

async function checkSearchAttributes({ connection, settings }: Asked): Promise<Check> {
  const { namespace } = settings.temporal;
  const subject = 'search attributes';
  const types = temporal.api.enums.v1.IndexedValueType;
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(
    ({ name, type }) => customAttributes[name] !== types[`INDEXED_VALUE_TYPE_${type}`],
  );
  if (missing.length === 0) return line(subject, 'ok', 'All are registered.');
  const wrong = missing.filter(({ name }) => customAttributes[name] !== undefined);
  if (wrong.length > 0) {
    const detail = `Of another type than needed: ${wrong.map(({ name, type }) => `${name} (needed: ${type})`).join(', ')}.`;
    return line(subject, 'failed', detail, 'Give this federation a namespace of its own.');
  }
  const detail = `Not registered yet: ${missing.map(({ name }) => name).join(', ')}. The federator does that when it starts.`;
  const commands = missing.map(
    ({ name, type }) =>
      `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
  );
  return line(subject, 'warning', detail, `If it may not: ${commands.join('; ')}`);
}

async function checkSchedule({ client, names: { schedule } }: Asked): Promise<Check> {
  const { ScheduleNotFoundError } = await import('@temporalio/client');
  try {
    const { state, info } = await client.schedule.getHandle(schedule).describe();
    if (state.paused) {
      const detail = `It is paused: ${state.note ?? 'no note says why'}.`;
      const todo = `temporal schedule toggle --schedule-id ${schedule} --unpause`;
      return line('schedule', 'warning', detail, todo);
    }
    const next = info.nextActionTimes[0];
    return line('schedule', 'ok', `The next run is ${next === undefined ? 'not known' : formatTime(next)}.`);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    return line('schedule', 'ok', 'There is none yet: the federator makes it when it starts.');
  }
}

/** Whether the namespace serves the federation of this bucket. */
async function checkRoster({ client, names: { roster }, settings, label }: Asked): Promise<Check> {
  const memo = await memoOf(client, roster);
  if (memo === undefined)
    return line('roster', 'ok', 'There is none yet: the federator starts it, for the bucket it uses.');
  const bucket = String(memo['bucket']);
  if (label === undefined)
    return line('roster', 'skipped', `It serves ${bucket}; which bucket ours is, is not known.`);
  if (bucket === label) return line('roster', 'ok', 'It serves the federation of this bucket.');
  const detail = `ROSTER_BOUND_ELSEWHERE: The namespace ${settings.temporal.namespace} serves the federation of ${bucket}, not of ${label}.`;
  return line('roster', 'failed', detail, catalog.ROSTER_BOUND_ELSEWHERE.hint);
}

/** Whether this cluster's data comes from this volume. */
async function checkPush({ client, names: { push }, settings }: Asked): Promise<Check> {
  const { clusterId, localEtl: local } = settings;
  const memo = await memoOf(client, push(clusterId));
  if (memo === undefined)
    return line('push', 'ok', `No push of ${clusterId} runs yet: \`federated-etl run\` starts it.`);
  const known = await recall(localEtl(local.path), 'instance.json', z.object({ instance: z.string() }));
  const theirs = String(memo['instance']);
  if (known?.instance === theirs)
    return line('push', 'ok', `The push of ${clusterId} belongs to this volume.`);
  const ours = known === undefined ? 'which has no id yet' : known.instance;
  const detail = `DUPLICATE_CLUSTER_ID: The data of ${clusterId} comes from volume ${theirs}, not from the one here, ${ours}.`;
  return line('push', 'failed', detail, catalog.DUPLICATE_CLUSTER_ID.hint);
}

/** The guide's warning, where another cluster shares the bucket of Kubecost's backup as well. */
async function checkShared({ client, names: ours, settings }: Asked): Promise<Check> {
  const subject = 'useExistingS3Config';
  const others = await othersWithExistingConfig(client, ours, settings.clusterId);
  if (others.length === 0) return line(subject, 'ok', 'No other cluster that runs uses it.');
  const todo = 'Set federatedETL.useExistingS3Config on one cluster at most.';
  return line(subject, 'warning', sharedConfigWarning(others), todo);
}

async function readExclusions({
  client,
  connection,
  names: { roster },
}: Asked): Promise<RosterState['exclusions'] | undefined> {
  try {
    const state = await connection.withDeadline(Date.now() + rosterPatienceMs, () =>
      client.workflow.getHandle(roster).query<RosterState>('roster'),
    );
    return state.loaded ? state.exclusions : undefined;
  } catch {
    // No federator runs: the newest generation knows as well.
    return undefined;
  }
}

/** What a workflow that runs has in its memo; undefined when there is none or it ended. */
async function memoOf(client: Client, workflowId: string): Promise<Record<string, unknown> | undefined> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    const { status, memo } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? (memo ?? {}) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function line(subject: string, outcome: Outcome, detail: string, todo?: string): Check {
  return { check, subject, outcome, detail, ...(todo !== undefined && { todo }) };
}

function skipped(why: string): Check {
  return line('everything else', 'skipped', why);
}

const notFound = 5;

function isNotFound(error: unknown): boolean {
  return codeOf(error) === notFound;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

/** The innermost cause says it best: those around it only say that it failed. */
function reasonOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  const text = (at instanceof Error ? at.message : String(at)).replace(/ Resolution note: *\.?$/, '');
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
