import { Splice, type SplicedMerge } from '../../etl/splice/splice';
import type { Pipeline } from '../../etl/window';

/**
 * Merges the files of one window, as `Splice` does.
 *
 * @param inputs at least one, in the order of folding; their bytes are handed over
 * @throws FederationError as `decodeSet` does, of the first file that cannot be taken
 */
export function spliceSets(
  pipeline: Pipeline,
  inputs: readonly { readonly id: string; readonly bytes: Uint8Array }[],
): SplicedMerge {
  const splice = new Splice(pipeline, { bytes: inputs.reduce((sum, { bytes }) => sum + bytes.length, 0) });
  for (const { id, bytes } of inputs) splice.add(id, bytes);
  return splice.finish();
}
