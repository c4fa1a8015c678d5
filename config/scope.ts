import { FederationError } from '../errors/federation-error';
import { clusterId } from '../etl/cluster-id';
import { parseResolution } from '../etl/window';
import type { Scope } from '../federation/membership';
import type { SettingValues } from './keys';
import type { Fault } from './values';

const bare = 'federatedETL.federator.clusters';
const mode = 'federatedETL.federator.clustersMode';

/**
 * Compiles the scope of the federation: included and excluded clusters, cut-off date and retention. The setting
 * `clusters` has two meanings. In the Federated ETL guide, it lists the clusters to exclude. In Kubecost's charts, it
 * lists the clusters to include. If the meaning is unclear, a fault is added, because a wrong guess would silently bill
 * the wrong clusters.
 */
export function compileScope(
  values: SettingValues,
  bareClusters: 'exclude' | 'include' | 'ambiguous',
  faults: Fault[],
  notices: string[],
): Scope {
  const clusters = values[bare];
  const named = {
    include: values['federatedETL.federator.includeClusters'],
    exclude: values['federatedETL.federator.excludeClusters'],
  };
  const explicit = named.include.length > 0 || named.exclude.length > 0;
  const meaning = values[mode] ?? bareClusters;
  if (clusters.length > 0 && explicit) {
    notices.push(`includeClusters and excludeClusters override the bare list: ${bare} was ignored.`);
  } else if (clusters.length > 0 && meaning === 'ambiguous') {
    faults.push({
      setting: bare,
      detail:
        `${bare} means clusters not to federate in the Federated ETL guide, but the only clusters to federate in ` +
        `Kubecost's charts: set ${mode} to exclude or include, or use excludeClusters or includeClusters.`,
    });
  } else if (clusters.length > 0 && meaning !== 'ambiguous') {
    named[meaning] = clusters;
  }
  for (const id of named.include.filter((other) => named.exclude.includes(other))) {
    const setting = 'federatedETL.federator.includeClusters';
    faults.push({ setting, detail: `The cluster ${id} is both included and excluded.` });
  }
  // Sort the lists, so that the same clusters in a different order count as the same setting.
  const include = checkIds(named.include, faults);
  const cutoff = values['federatedETL.federator.federationCutoffDate'];
  return {
    ...(include.length > 0 && { include }),
    exclude: checkIds(named.exclude, faults),
    ...(cutoff !== undefined && { cutoff }),
    ...compileRetention(values, faults),
  };
}

/**
 * Compiles the retention: for each resolution, the number of seconds for which windows are kept. Returns an empty
 * object if no retention is set.
 */
function compileRetention(values: SettingValues, faults: Fault[]): Pick<Scope, 'retention'> {
  const setting = 'federatedETL.federator.retention';
  const retention = Object.entries(values[setting]).map(([resolution, ms]) => {
    const seconds = Math.floor(ms / 1_000);
    if (seconds < (parseResolution(resolution)?.seconds ?? 0))
      faults.push({
        setting,
        detail: `${setting} keeps windows of ${resolution} for less time than one window lasts.`,
      });
    return [resolution, seconds] as const;
  });
  return retention.length === 0 ? {} : { retention: Object.fromEntries(retention) };
}

function checkIds(ids: readonly string[], faults: Fault[]): string[] {
  for (const id of ids) {
    try {
      clusterId(id);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      faults.push({
        setting: bare,
        detail: `${JSON.stringify(id)} is not a valid cluster id: ${error.detail}`,
      });
    }
  }
  return [...new Set(ids)].sort();
}
