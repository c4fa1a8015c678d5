import { FederationError } from '../errors/federation-error';
import { describePause } from '../operator/read-schedule';
import type { roster } from '../workflows/roster';
import { ensureFederateOnPush } from './federate-on-push';
import { type Need, workflowNeed } from './needs';
import { latestRun } from './open-workflow';
import type { RoleContext } from './role';
import { type FederationSchedule, restoreSchedule } from './schedule';
import { ensureSearchAttributes } from './search-attributes';

/** The parts of a role's context with which a federator starts its workflows. */
export type FederatorContext = Pick<RoleContext, 'client' | 'connection' | 'names' | 'settings'> & {
  readonly bucket: { readonly label: string };
};

/**
 * Starts the roster workflow if it is not running. If an earlier roster has ended, the new one takes over its
 * exclusions and primaries. Throws ROSTER_BOUND_ELSEWHERE if the roster serves the federation of another bucket.
 *
 * @returns true if Temporal knows an earlier roster that has ended
 */
export async function startRoster({ client, bucket, names, settings }: FederatorContext): Promise<boolean> {
  const latest = await latestRun(client, names.roster);
  const earlier = latest?.closeTime === undefined ? undefined : latest.runId;
  const handle = await client.workflow.start<typeof roster>('roster', {
    workflowId: names.roster,
    taskQueue: names.federationQueue,
    args: [{ bucket: bucket.label, earlier }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    // Also store the bucket in the workflow's memo, which can be read even if no worker serves the workflow.
    memo: { bucket: bucket.label },
    staticSummary: 'Exclusions, and the primaries to notify',
  });
  const { memo } = await client.workflow.getHandle(handle.workflowId).describe();
  if (memo?.['bucket'] === bucket.label) return earlier !== undefined;
  throw new FederationError('ROSTER_BOUND_ELSEWHERE', {
    subject: { setting: 'temporal.namespace', key: settings.temporal.namespace },
    detail: `This namespace serves the federation of ${String(memo?.['bucket'])}, not of ${bucket.label}.`,
  });
}

/** Returns what a federator needs in Temporal. */
export function federatorNeeds(context: FederatorContext, schedule: FederationSchedule): Need[] {
  const { client, connection, names, settings } = context;
  let pause: string | undefined;
  const of = (name: Need['condition']['name']) => ({ role: 'federator', name }) as const;
  const needs: Need[] = [
    {
      condition: of('temporal'),
      what: 'the search attributes',
      restore: () => ensureSearchAttributes(connection, settings.temporal.namespace),
    },
    workflowNeed(client, of('roster'), names.roster, async () =>
      (await startRoster(context))
        ? 'The roster takes over the exclusions of the one that ended, unless another line says that it cannot.'
        : 'Exclusions and inclusions that are newer than the newest generation are lost.',
    ),
    {
      condition: of('schedule'),
      what: `the schedule ${names.schedule}`,
      restore: async () => {
        const { restored, paused } = await restoreSchedule(client, schedule);
        pause = paused && describePause(paused);
        return restored && 'If the schedule was paused, it no longer is.';
      },
      // A pause is a person's decision.
      found: () => ({ holds: 'yes', ...(pause !== undefined && { reason: pause }) }),
    },
  ];
  if (settings.federator.federateOnPush)
    needs.push(
      workflowNeed(client, of('temporal'), names.federateOnPush, () => ensureFederateOnPush(context)),
    );
  return needs;
}
