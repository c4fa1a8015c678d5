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
 * The columns that a type's cost is computed from. If `costRoles` in etl/cost.ts marks another field with `counts`, the
 * code does not compile until the field has an entry below. Then add it to the cost expressions, too.
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
/** The cost columns of all other types. A column that a type does not have is 0 in the rows of that type. */
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

/** Returns upper bounds on the absolute costs of an asset. */
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
