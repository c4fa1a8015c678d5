import { type Allocation, type Asset, type EtlSet, recordsOf } from './model';

/** Total cost of an allocation, adjustments included. */
export function allocationCost(record: Allocation): number {
  const volumes = (record.pvs ?? []).reduce((sum, { value }) => sum + (value?.cost ?? 0), 0);
  return (
    record.cpuCost +
    record.cpuCostAdjustment +
    (record.gpuCost + record.gpuCostAdjustment) +
    (record.ramCost + record.ramCostAdjustment) +
    (volumes + record.pvCostAdjustment) +
    (record.networkCost + record.networkCostAdjustment) +
    (record.loadBalancerCost + record.loadBalancerCostAdjustment) +
    record.sharedCost +
    record.externalCost
  );
}

/** Total cost of an asset, adjustment, discount and credit included. */
export function assetCost(record: Asset): number {
  switch (record.type) {
    case 'Node':
      return (record.cpuCost + record.ramCost) * (1 - record.discount) + record.gpuCost + record.adjustment;
    case 'Cloud':
      return record.cost + record.adjustment + record.credit;
    case 'SharedAsset':
      return record.cost;
    default:
      return record.cost + record.adjustment;
  }
}

/** Total cost of a record of either pipeline. */
export function recordCost(record: Allocation | Asset): number {
  return 'type' in record ? assetCost(record) : allocationCost(record);
}

/** Total cost of all records of a set, in the pricing currency of the cluster. */
export function totalCost(set: EtlSet): number {
  let total = 0;
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record !== null) total += recordCost(record);
  }
  return total;
}
