import { encodeMerged, extractContribution } from '../../etl/contribution';
import { decodeSet, encodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { recordCount, setWindow } from '../../etl/set-facts';
import { type SplicedMerge, spliceSets } from '../../etl/splice/splice';
import type { Pipeline } from '../../etl/window';

export interface SpliceInput {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * Splices files and compares everything with the decoding merge: what the merged file says and in which order, the
 * contributions, what is extracted by them, the facts of the inputs. The given bytes stay as they are.
 *
 * @returns the spliced file, and whether it is that of the decoding merge to the byte
 */
export function expectSpliced(
  pipeline: Pipeline,
  files: readonly SpliceInput[],
): { spliced: SplicedMerge; sameBytes: boolean; passed: boolean } {
  const inputs = files.map(({ id, bytes }) => ({ id, set: decodeSet(pipeline, bytes) }));
  const merged = encodeMerged(mergeSets(pipeline, inputs));
  const spliced = spliceSets(
    pipeline,
    files.map(({ id, bytes }) => ({ id, bytes: Buffer.from(bytes) })),
  );
  const bytes = Buffer.concat(spliced.parts);
  expect(spliced.byteLength).toBe(bytes.length);
  // Encoded again, sets are the same to the byte when they say the same in the same order.
  if (!encodeSet(decodeSet(pipeline, bytes)).equals(merged.bytes)) {
    expect(decodeSet(pipeline, bytes)).toEqual(decodeSet(pipeline, merged.bytes));
    throw new Error('The order is not the same.');
  }

  const stored = JSON.parse(JSON.stringify(spliced.contributions)) as typeof merged.contributions;
  const sameBytes = bytes.equals(merged.bytes);
  const placeless = stored.map((contribution, i) => {
    const { offset, length } = merged.contributions[i] ?? { offset: 0, length: 0 };
    return sameBytes ? contribution : { ...contribution, offset, length };
  });
  expect(placeless).toEqual(merged.contributions);
  stored.forEach((contribution, i) => {
    const original = encodeSet(inputs[i]!.set);
    const extracted = extractContribution(pipeline, bytes, contribution);
    // The names of idle and external records may come in another order.
    if (!extracted.equals(original)) {
      expect(decodeSet(pipeline, extracted)).toEqual(decodeSet(pipeline, original));
    }
  });
  expect(spliced.inputs).toEqual(
    inputs.map(({ set }) => ({ records: recordCount(set), window: setWindow(set) })),
  );
  return { spliced, sameBytes, passed: stored.every(({ changed }) => changed.length === 0) };
}
