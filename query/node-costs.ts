import { paidCost } from './asset-cost';
import { rowsOf } from './database';
import type { NodeCost } from './idle';
import type { AllocationRequest } from './request';
import type { Statements } from './statements';

/**
 * Reads the cost of nodes per time step, and per cluster or node. Reads only the window files in the temp table
 * `asset_pick`. Discounts are subtracted from the costs. If `reconcile` is true, the adjustment of each node is
 * distributed over its CPU, GPU and RAM in proportion to their costs.
 */
export async function nodeCosts(
  statements: Statements,
  { idle, reconcile }: Pick<AllocationRequest, 'idle' | 'reconcile'>,
  wholeFiles: boolean,
): Promise<NodeCost[]> {
  const group = idle.byNode ? 'name' : "''";
  const adjustment = reconcile ? 'adjustment' : '0';
  const rows = await rowsOf(
    statements,
    `with node as (
  select p.step, a.*, ${paidCost} as before, ${adjustment} as adjusted
  from asset a join asset_pick p on p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'}
  where a.type = 'Node'
), rated as (
  select *, case when adjusted = 0 then 1 when before = 0 then 0 else (before + adjusted) / before end as rate from node
)
select step, cluster, ${group} as node, min(provider_id) as provider_id, min(start_at) as start_at, max(end_at) as end_at,
  sum(cpu_cost * (1 - discount) * rate) as cpu, sum(gpu_cost * rate) as gpu, sum(ram_cost * (1 - discount) * rate) as ram
from rated group by all`,
  );
  return rows.map((row) => ({
    step: Number(row['step']),
    cluster: Number(row['cluster']),
    node: String(row['node']),
    providerID: String(row['provider_id']),
    start: Number(row['start_at']),
    end: Number(row['end_at']),
    cost: { cpu: Number(row['cpu']), gpu: Number(row['gpu']), ram: Number(row['ram']) },
  }));
}
