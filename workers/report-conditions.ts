import { WorkflowNotFoundError } from '@temporalio/client';
import type { RoleName } from '../federation/conditions';
import { promptly } from '../operator/promptly';
import { type ConditionsReport, reportConditions } from '../workflows/messages';
import { repeat } from './repeat';
import type { RoleContext } from './role';

const everyMs = 10_000;
const answerWithinMs = 10_000;

/**
 * Reports the conditions of a process to its workflows, now and after each change. Returns a function that stops these
 * reports.
 */
export function keepReporting(context: RoleContext): () => void {
  return repeat(everyMs, reporterOf(context), { atOnce: true });
}

/**
 * Returns a function that reports the conditions of each role to the workflow that stores them. It does nothing if no
 * condition has changed since the last report. If a report fails, the next call repeats it.
 */
export function reporterOf({ client, names, settings, log, conditions }: RoleContext): () => Promise<void> {
  const { clusterId: cluster } = settings;
  const keepers: Readonly<Record<RoleName, string>> = {
    federatedCluster: names.push(cluster),
    federator: names.roster,
    primaryCluster: names.pull(cluster),
  };
  const all = Object.keys(keepers) as RoleName[];
  let due = new Set(all);
  conditions.onChange(() => (due = new Set(all)));
  return async () => {
    const roles = due;
    due = new Set();
    for (const role of roles) {
      const report: ConditionsReport = { cluster, conditions: conditions.current(role) };
      if (report.conditions.length === 0) continue;
      try {
        await promptly(client, answerWithinMs, () =>
          client.workflow.getHandle(keepers[role]).signal(reportConditions, report),
        );
      } catch (error) {
        due.add(role);
        // The workflow does not exist yet: for example, the federator may not have started the roster.
        if (error instanceof WorkflowNotFoundError) continue;
        log.debug(
          { event: 'conditions.not-reported', reason: error },
          'The conditions could not be reported yet',
        );
      }
    }
  };
}
