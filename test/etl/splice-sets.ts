import { Splice, type SplicedMerge } from '../../etl/splice/splice';
import type { Pipeline } from '../../etl/window';

/**
 * Merges the files of one window with `Splice`.
 *
 * @param inputs at least one, in folding order; the splice takes ownership of their bytes
 * @throws FederationError for the first file that is refused, the same error as that of `decodeSet`
 */
export function spliceSets(
  pipeline: Pipeline,
  inputs: readonly { readonly id: string; readonly bytes: Uint8Array }[],
): SplicedMerge {
  const splice = new Splice(pipeline, { bytes: inputs.reduce((sum, { bytes }) => sum + bytes.length, 0) });
  for (const { id, bytes } of inputs) splice.add(id, bytes);
  return splice.finish();
}
