import type { costRoles } from '../etl/cost';
import type { AssetType } from '../etl/model';
import { exactSum } from './exact-sum';
import { peakOf, type Peaks } from './peaks';

/*
 * SQL for the cost of an asset, over the columns of the table `asset`. It must give the same cost as `assetCost` of
 * etl/cost.ts.
 */

type Roles = typeof costRoles;

/**
 * The columns that a type's cost is computed from. A new one does not compile until it has an entry; the cost
 * expressions below have to be changed, too.
 */
type CostColumns<Type extends AssetType> = {
  readonly [Name in keyof Roles[Type] as Roles[Type][Name] extends 'counts' ? Name : never]: string;
};

const node: CostColumns<'Node'> = {
  cpuCost: 'cpu_cost',
  ramCost: 'ram_cost',
  gpuCost: 'gpu_cost',
  discount: 'discount',
  adjustment: 'adjustment',
};
/** The columns of all other types. Numbers that a type does not have are 0 in its rows. */
const other: CostColumns<'Any'> & CostColumns<'Cloud'> & CostColumns<'Disk'> & CostColumns<'LoadBalancer'> = {
  cost: 'cost',
  adjustment: 'adjustment',
  credit: 'credit',
};
const plain: CostColumns<'SharedAsset'> = { cost: 'cost' };

/** SQL for the list price of a node's CPU and RAM, before discount. */
export const listedCost = `(${node.cpuCost} + ${node.ramCost})`;

/** SQL for the cost of a node after its discount and before its adjustment. */
export const paidCost = `(${listedCost} * (1 - ${node.discount}) + ${node.gpuCost})`;

/** SQL for the total cost of an asset, including discount, adjustment and credit. */
export const assetCost =
  `case type when 'Node' then ${paidCost} + ${node.adjustment} when 'Shared' then ${plain.cost} ` +
  `else ${other.cost} + ${other.adjustment} + ${other.credit} end`;

/** Returns upper bounds of the absolute costs of an asset. */
export function costBounds(peaks: Peaks): {
  readonly listed: number;
  readonly paid: number;
  readonly total: number;
} {
  const most = (column: string) => peakOf(peaks, column);
  const listed = most(node.cpuCost) + most(node.ramCost);
  const paid = listed * (1 + most(node.discount)) + most(node.gpuCost);
  const total = paid + most(other.cost) + most(other.adjustment) + most(other.credit);
  return { listed, paid, total };
}

/** Returns SQL for the total cost of a group of assets. */
export function assetCostSum(peaks: Peaks): string {
  return exactSum(assetCost, costBounds(peaks).total);
}
