import { allocationPipeline } from './allocation-pipeline';
import { assetPipeline } from './asset-pipeline';
import type { SetOf } from './model';
import type { PipelineSpec } from './pipeline';
import type { Pipeline } from './window';

export const pipelineSpecs: { readonly [P in Pipeline]: PipelineSpec<P> } = {
  allocations: allocationPipeline,
  assets: assetPipeline,
};

/** Returns the spec of a set's pipeline. */
export function specOf<P extends Pipeline>(set: SetOf[P]): PipelineSpec<P> {
  return pipelineSpecs[set.kind] as unknown as PipelineSpec<P>;
}
