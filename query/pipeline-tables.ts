import type { Pipeline } from '../etl/window';
import { totalCostSum } from './allocation-source';
import { assetCostSum } from './asset-cost';
import type { Peaks } from './peaks';

/** How the database stores the files of a pipeline. */
export interface PipelineTables {
  /** The table of its records, with the columns `file` and `cluster`. */
  readonly records: string;
  /** SQL for the total cost of some of its records. */
  cost(this: void, peaks: Peaks): string;
}

export const pipelineTables: Readonly<Record<Pipeline, PipelineTables>> = {
  allocations: { records: 'allocation', cost: totalCostSum },
  assets: { records: 'asset', cost: assetCostSum },
};
