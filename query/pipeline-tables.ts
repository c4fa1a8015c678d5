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
  /** The table that holds the records of the pipeline. It has the columns `file` and `cluster`. */
  readonly records: string;
  /** Further tables with data from files. Their column `file` holds the id of the file that a row comes from. */
  readonly others: readonly string[];
  /** Stores columns of a file, and raises the peaks accordingly. Throws `IdentityUnknown`. */
  fill(
    this: void,
    into: IngestConnection,
    file: number,
    columns: ColumnsOf[P],
    peaks: Map<string, number>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Returns SQL to run once all columns of a file are stored. The parameter of the statement is the id of the file. */
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
