import type { RoleName } from '../federation/conditions';
import { formatSpan } from './format';
import type { ReportedCondition } from './temporal-view';

const roleTitles: Readonly<Record<RoleName, string>> = {
  federatedCluster: 'Federated Cluster',
  federator: 'Federator',
  primaryCluster: 'Primary Cluster',
};

/** Describes conditions that do not hold. For each, names the cluster, the role, the condition and the reason. */
export function describeConditions(conditions: readonly ReportedCondition[], now: Date): string[] {
  return conditions.map(
    ({ cluster, role, name, reason, since }) =>
      `${cluster}, ${roleTitles[role]}, ${name}, for ${formatSpan(now.getTime() - Date.parse(since))}: ${reason ?? ''}`,
  );
}
