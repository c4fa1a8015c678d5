import type { AllocationSet, EtlSet, SetOf } from '../etl/model';
import type { Pipeline } from '../etl/window';
import { type AllocationColumns, AllocationColumnsBuilder } from './allocation-columns';
import { type AssetColumns, toAssetColumns } from './asset-columns';

/** The type of each pipeline's columns. */
export interface ColumnsOf {
  allocations: AllocationColumns;
  assets: AssetColumns;
}

/** The columns of a whole window, or of a batch of the records of a window. */
export type WindowColumns = ColumnsOf[Pipeline];

/**
 * The allocations of a window file, in batches, because all at once would take hundreds of megabytes. The whole file
 * has been read and checked before. The batches can be read only once; `close` discards them if they are not needed.
 */
export interface AllocationBatches {
  readonly pipeline: 'allocations';
  readonly batches: AsyncIterable<AllocationColumns>;
  close(): void;
}

/** Converts a set to columns. This is CPU-bound and meant to run in a thread. */
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
