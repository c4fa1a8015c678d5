import type { Pipeline } from '../etl/window';
import { totalCostSum } from './allocation-source';
import { assetCostSum } from './asset-cost';
import type { ColumnsOf } from './columns';
import { fillAllocations } from './fill-allocations';
import { fillAssets } from './fill-assets';
import type { IngestConnection } from './ingest-connection';
import type { Peaks } from './peaks';
import { rollUp } from './rollup';

/** How the database stores the files of a pipeline. */
export interface PipelineTables<P extends Pipeline = Pipeline> {
  /** The table that holds the pipeline's records; it has the columns `file` and `cluster`. */
  readonly records: string;
  /** Other tables that are filled from files. Their column `file` holds the file that a row belongs to. */
  readonly others: readonly string[];
  /** Stores columns of a file, and updates the peaks. Throws `IdentityUnknown`. */
  fill(
    this: void,
    into: IngestConnection,
    file: number,
    columns: ColumnsOf[P],
    peaks: Map<string, number>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Returns SQL to run when all columns of a file are stored. Its parameter is the id of the file. */
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
