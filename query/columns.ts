import type { AllocationSet, EtlSet, SetOf } from '../etl/model';
import type { Pipeline } from '../etl/window';
import { type AllocationColumns, AllocationColumnsBuilder } from './allocation-columns';
import { type AssetColumns, toAssetColumns } from './asset-columns';

/** For each pipeline, the type that contains its records as columns. */
export interface ColumnsOf {
  allocations: AllocationColumns;
  assets: AssetColumns;
}

/** All records of a window, or one batch of its records, as columns. */
export type WindowColumns = ColumnsOf[Pipeline];

/**
 * The allocations of a window file, in batches: all of them at once would take hundreds of megabytes. The whole file
 * has already been checked for errors. The batches can be read only once. If they are not needed, `close` discards
 * them.
 */
export interface AllocationBatches {
  readonly pipeline: 'allocations';
  readonly batches: AsyncIterable<AllocationColumns>;
  close(): void;
}

/** Converts the records of a window file to columns. This takes much CPU time, so it should run in a worker thread. */
export function toColumns(set: EtlSet): WindowColumns {
  const columnsOf = toColumnsOf[set.kind] as (set: EtlSet) => WindowColumns;
  return columnsOf(set);
}

const toColumnsOf: { readonly [P in Pipeline]: (set: SetOf[P]) => ColumnsOf[P] } = {
  allocations: allocationColumns,
  assets: toAssetColumns,
};

function allocationColumns(set: AllocationSet): AllocationColumns {
  const builder = new AllocationColumnsBuilder(set.allocations?.size ?? 0);
  for (const record of set.allocations?.values() ?? []) if (record !== null) builder.add(record);
  return builder.finish();
}
