import { ownValue } from '../../etl/own-value';
import type { Condition, RoleName } from '../../federation/conditions';
import type { PullState, PushState, RosterState } from '../../workflows/messages';
import { type Asked as Answered, askWorkflow } from '../ask-workflow';
import type { Check } from './check';
import { type Asked, line } from './temporal-checks';

/** Deadline of a query, in milliseconds. It is short, because often no process is running that could answer. */
const patienceMs = 3_000;
const subject = 'running process';

export type RosterAnswer = Answered<RosterState>;

/**
 * Reports what the running process of this cluster says about itself. The other checks use the settings of this
 * process, but the running one may have started with other variables, or keep what it read from a file before.
 *
 * @param roster the answer of the roster, which stores the conditions of federators
 */
export async function checkRunning(
  { client, names, settings }: Asked,
  roster: Promise<RosterAnswer>,
): Promise<Check[]> {
  const { clusterId, roles } = settings;
  const ask = <State>(workflowId: string, query: string) =>
    askWorkflow<State>(client, workflowId, query, patienceMs);
  const reports: Record<RoleName, () => Promise<readonly Condition[] | undefined>> = {
    federatedCluster: async () => (await ask<PushState>(names.push(clusterId), 'state')).answer?.conditions,
    primaryCluster: async () => (await ask<PullState>(names.pull(clusterId), 'state')).answer?.conditions,
    federator: async () => ownValue((await roster).answer?.conditions, clusterId),
  };
  const own = (Object.keys(reports) as RoleName[]).filter((role) => roles[role]);
  if (own.length === 0) return [];
  const found = await Promise.all(own.map((role) => reports[role]()));
  const conditions = found.flatMap((reported) => reported ?? []);
  if (conditions.length === 0)
    return [
      line(
        subject,
        'ok',
        `No process of ${clusterId} has reported its conditions: none runs, or it has just started.`,
      ),
    ];
  const worries = conditions.flatMap(describe);
  return worries.length > 0 ? worries : [line(subject, 'ok', 'It reports no condition that does not hold.')];
}

function describe({ role, name, holds, reason = '', since: at }: Condition): Check[] {
  // Report conditions that do not hold. Also report a store condition that holds but has a reason: the process can use
  // the bucket, but only with older settings, because it cannot use the changed file of the store.
  if (holds !== 'no' && (name !== 'store' || reason === '')) return [];
  const detail = `${role}, ${name}, since ${at}: ${reason}`;
  return [
    line(subject, 'warning', detail, name === 'store' ? restart : 'See `federated-etl status`, and its log.'),
  ];
}

const restart =
  'If the checks of the bucket above succeed, the process uses older settings of the store: correct federated-store.yaml, which it reads again; restart it if the credentials are in variables.';
