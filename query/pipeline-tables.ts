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
  /** The table of its records, with the columns `file` and `cluster`. */
  readonly records: string;
  /** Its other tables with rows of one file each, in their column `file`. */
  readonly others: readonly string[];
  /** Stores columns of a file, and updates the peaks of the tables' columns. Throws `IdentityUnknown`. */
  fill(
    this: void,
    into: IngestConnection,
    file: number,
    columns: ColumnsOf[P],
    peaks: Map<string, number>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** SQL to run once all columns of a file are stored; its parameter is the file's id. */
  readonly summary?: (peaks: Peaks) => string;
  /** SQL for the total cost of some of its records. */
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
