import type { Pipeline } from '../etl/window';
import { totalCostSum } from './allocation-source';
import { assetCostSum } from './asset-cost';
import type { ColumnsOf } from './columns';
import { fillAllocations } from './fill-allocations';
import { fillAssets } from './fill-assets';
import type { IngestConnection } from './ingest-connection';
import type { Peaks } from './peaks';
import { rollUp } from './rollup';

/** Describes how the database stores the records of a pipeline. */
export interface PipelineTables<P extends Pipeline = Pipeline> {
  /** The table that contains the records of the pipeline. It has the columns `file` and `cluster`. */
  readonly records: string;
  /** Other tables that contain data from window files. Their column `file` contains the id of the window file. */
  readonly others: readonly string[];
  /**
   * Stores records of a window file. Updates `peaks`, which contains the largest absolute value of each column. Throws
   * `IdentityUnknown` if the reader of the file omitted an identity (names, labels and other texts of an allocation)
   * that the database does not have.
   */
  fill(
    this: void,
    into: IngestConnection,
    file: number,
    columns: ColumnsOf[P],
    peaks: Map<string, number>,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Returns an SQL statement to run once all records of a window file are stored. Its parameter is the id of the file.
   */
  readonly summary?: (peaks: Peaks) => string;
  /** Returns SQL for the total cost of a group of records. */
  cost(this: void, peaks: Peaks): string;
}

export const pipelineTables: { readonly [P in Pipeline]: PipelineTables<P> } = {
  allocations: {
    records: 'allocation',
    others: ['allocation_pv', 'allocation_lb', 'allocation_gpu', 'rollup'],
    fill: fillAllocations,
    summary: rollUp,
    cost: totalCostSum,
  },
  assets: { records: 'asset', others: [], fill: fillAssets, cost: assetCostSum },
};
