import type { costRoles } from '../etl/cost';
import type { AssetType } from '../etl/model';
import { exactSum } from './exact-sum';
import { peakOf, type Peaks } from './peaks';

/*
 * SQL expressions for the cost of an asset. They use the columns of the table `asset`. They must compute the same cost
 * as the function `assetCost` in etl/cost.ts.
 */

type Roles = typeof costRoles;

/**
 * For each field that is part of an asset type's cost, the column that stores it. These fields are marked with `counts`
 * in `costRoles` (etl/cost.ts). If another field is marked, this file does not compile until the field has a column
 * below. When you add that column here, also add it to the cost expressions.
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
/**
 * The cost columns of all types except nodes and shared assets. In the rows of a type that does not have a field, the
 * column of that field is 0.
 */
const other: CostColumns<'Any'> & CostColumns<'Cloud'> & CostColumns<'Disk'> & CostColumns<'LoadBalancer'> = {
  cost: 'cost',
  adjustment: 'adjustment',
  credit: 'credit',
};
const plain: CostColumns<'SharedAsset'> = { cost: 'cost' };

/** SQL for the list price of a node's CPU and RAM, before discount. */
export const listedCost = `(${node.cpuCost} + ${node.ramCost})`;

/** SQL for the cost of a node, after the discount but before the adjustment. */
export const paidCost = `(${listedCost} * (1 - ${node.discount}) + ${node.gpuCost})`;

/** SQL for the total cost of an asset, including any discount, adjustment and credit. */
export const assetCost =
  `case type when 'Node' then ${paidCost} + ${node.adjustment} when 'Shared' then ${plain.cost} ` +
  `else ${other.cost} + ${other.adjustment} + ${other.credit} end`;

/** Returns upper bounds on the absolute values of `listedCost`, `paidCost` and `assetCost`. */
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
