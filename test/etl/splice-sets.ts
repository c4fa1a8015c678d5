import { Splice, type SplicedMerge } from '../../etl/splice/splice';
import type { Pipeline } from '../../etl/window';

/**
 * Merges the files of one window with `Splice`.
 *
 * @param inputs at least one file, in the order in which they are merged; the splice takes ownership of their bytes
 * @throws FederationError if a file is invalid: the error that `decodeSet` throws for the first invalid file
 */
export function spliceSets(
  pipeline: Pipeline,
  inputs: readonly { readonly id: string; readonly bytes: Uint8Array }[],
): SplicedMerge {
  const splice = new Splice(pipeline, { bytes: inputs.reduce((sum, { bytes }) => sum + bytes.length, 0) });
  for (const { id, bytes } of inputs) splice.add(id, bytes);
  return splice.finish();
}
