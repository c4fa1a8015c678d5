import type { FieldName, NumberName } from './field';
import type { Allocation, Asset, AssetOf, AssetType } from './model';

/**
 * Says whether a numeric field is part of its record's total cost. A cost that is already included in another field
 * does not count. For example, `networkCost` includes `networkCrossZoneCost`.
 */
type CostRole = 'counts' | 'does not';

const allocationRoles = {
  cpuCoreHours: 'does not',
  cpuCoreRequestAverage: 'does not',
  cpuCoreUsageAverage: 'does not',
  cpuCoreLimitAverage: 'does not',
  cpuCost: 'counts',
  cpuCostAdjustment: 'counts',
  gpuHours: 'does not',
  gpuCost: 'counts',
  gpuCostAdjustment: 'counts',
  deprecatedGpuRequestAverage: 'does not',
  deprecatedGpuUsageAverage: 'does not',
  networkTransferBytes: 'does not',
  networkReceiveBytes: 'does not',
  networkCost: 'counts',
  networkCrossZoneCost: 'does not',
  networkCrossRegionCost: 'does not',
  networkInternetCost: 'does not',
  networkNatGatewayEgressCost: 'does not',
  networkNatGatewayIngressCost: 'does not',
  networkCostAdjustment: 'counts',
  loadBalancerCost: 'counts',
  loadBalancerCostAdjustment: 'counts',
  pvCostAdjustment: 'counts',
  ramByteHours: 'does not',
  ramBytesRequestAverage: 'does not',
  ramBytesUsageAverage: 'does not',
  ramBytesLimitAverage: 'does not',
  ramCost: 'counts',
  ramCostAdjustment: 'counts',
  sharedCost: 'counts',
  externalCost: 'counts',
} as const satisfies Record<NumberName<Allocation>, CostRole>;

const oneCost = { cost: 'counts', adjustment: 'counts' } as const;

const assetRoles = {
  Any: oneCost,
  Cloud: { ...oneCost, credit: 'counts' },
  ClusterManagement: oneCost,
  Disk: {
    ...oneCost,
    byteHours: 'does not',
    local: 'does not',
    byteHoursUsed: 'does not',
    byteUsageMax: 'does not',
  },
  LoadBalancer: oneCost,
  Network: oneCost,
  Node: {
    cpuCoreHours: 'does not',
    ramByteHours: 'does not',
    gpuHours: 'does not',
    cpuCost: 'counts',
    gpuCost: 'counts',
    gpuCount: 'does not',
    ramCost: 'counts',
    discount: 'counts',
    preemptible: 'does not',
    adjustment: 'counts',
  },
  SharedAsset: { cost: 'counts' },
} as const satisfies { [Type in AssetType]: Record<NumberName<AssetOf<Type>>, CostRole> };

/** For each type of record and each numeric field, whether the field is part of the record's total cost. */
export const costRoles = { allocation: allocationRoles, ...assetRoles };

/** The fields of a record that are needed to compute its total cost. */
type Counted<T, Roles> = Pick<
  T,
  { [Name in keyof Roles]: Roles[Name] extends 'counts' ? Name : never }[keyof Roles] & FieldName<T>
>;

/** The fields of a node that are needed to compute its total cost. */
export type NodeCosts = Counted<AssetOf<'Node'>, (typeof assetRoles)['Node']>;

/** Returns the total cost of an allocation, including adjustments. */
export function allocationCost(
  record: Counted<Allocation, typeof allocationRoles> & Pick<Allocation, 'pvs'>,
): number {
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

/** Returns the total cost of a node, including the adjustment. The discount applies only to CPU and RAM. */
export function nodeCost({ cpuCost, ramCost, gpuCost, discount, adjustment }: NodeCosts): number {
  return (cpuCost + ramCost) * (1 - discount) + gpuCost + adjustment;
}

/** Returns the total cost of an asset, including adjustment, discount and credit. */
export function assetCost(record: Asset): number {
  switch (record.type) {
    case 'Node':
      return nodeCost(record);
    case 'Cloud':
      return record.cost + record.adjustment + record.credit;
    case 'SharedAsset':
      return record.cost;
    default:
      return record.cost + record.adjustment;
  }
}
