import { type Contribution, encodeMerged, extractContribution } from '../../etl/contribution';
import { decodeSet, encodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { recordCount, setWindow } from '../../etl/set-facts';
import { Splice, type SplicedMerge } from '../../etl/splice/splice';
import type { Pipeline } from '../../etl/window';
import { spliceSets } from './splice-sets';

export interface SpliceInput {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * Splices files and also merges them by decoding. Compares the results: content and order of the merged file, the
 * contributions, the files extracted from them, and the facts about the inputs. Does not modify the given bytes.
 *
 * @returns the result; `sameBytes`: it equals that of the decoding merge to the byte; `passed`: no record is `changed`
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
  const bytes = Buffer.concat([...spliced.parts]);
  expectSameInOtherWays(pipeline, files, bytes, spliced.contributions);
  expect(spliced.byteLength).toBe(bytes.length);
  // Encoding both sets again yields equal bytes if they have the same content in the same order.
  if (!encodeSet(decodeSet(pipeline, bytes)).equals(merged.bytes)) {
    expect(decodeSet(pipeline, bytes)).toEqual(decodeSet(pipeline, merged.bytes));
    throw new Error('The order differs.');
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
    // If the bytes differ, only the order of the names of idle and external records may be different.
    if (!extracted.equals(original)) {
      expect(decodeSet(pipeline, extracted)).toEqual(decodeSet(pipeline, original));
    }
  });
  expect(spliced.inputs).toEqual(
    inputs.map(({ set }) => ({ records: recordCount(set), window: setWindow(set) })),
  );
  return { spliced, sameBytes, passed: stored.every(({ changed }) => changed.length === 0) };
}

/**
 * Checks that the merged bytes do not depend on how many bytes the splice may hold in memory, nor on which sources it
 * takes from the previous merged file.
 */
function expectSameInOtherWays(
  pipeline: Pipeline,
  files: readonly SpliceInput[],
  merged: Buffer,
  contributions: readonly Contribution[],
): void {
  // Allow the splice to hold only as many bytes as the first file has, or none if there are fewer than three files.
  const held = files.length > 2 ? files[0]!.bytes.length : 0;
  const splice = new Splice(pipeline, {
    mostHeld: held,
    readAgain: ({ input, offset, length }) => copyOf(files[input]!.bytes.subarray(offset, offset + length)),
  });
  for (const { id, bytes } of files) splice.add(id, copyOf(bytes));
  expectSameMerge(splice.finish(), merged, contributions);
  const asTheyCame = contributions.map(({ altered, changed }) => altered.length + changed.length === 0);
  // First take every possible source from the previous merged file. Then take all but the first of them, as if that
  // source had changed.
  const first = asTheyCame.indexOf(true);
  const ways = [
    { own: -1, mostHeld: Infinity },
    { own: first, mostHeld: 0 },
  ];
  for (const { own, mostHeld } of first < 0 ? [] : ways) {
    const isTaken = (input: number) => asTheyCame[input] === true && input !== own;
    const splice = new Splice(pipeline, {
      mostHeld,
      readAgain: ({ input, offset, length }) =>
        copyOf((isTaken(input) ? merged : files[input]!.bytes).subarray(offset, offset + length)),
    });
    splice.usePrevious(copyOf(merged.subarray(0, contributions[0]!.offset)));
    contributions.forEach((contribution, input) => {
      const { offset, length } = contribution;
      if (isTaken(input)) splice.addFrom(contribution, copyOf(merged.subarray(offset, offset + length)));
      else splice.add(contribution.id, copyOf(files[input]!.bytes));
    });
    expectSameMerge(splice.finish(), merged, contributions);
  }
}

function expectSameMerge(
  { parts, contributions }: SplicedMerge,
  merged: Buffer,
  expected: readonly Contribution[],
): void {
  // Copy each part: its bytes are only valid until the next part is requested. Do it twice, as parts must be iterable
  // more than once.
  for (let time = 0; time < 2; time++) {
    const copies: Buffer[] = [];
    for (const part of parts) copies.push(Buffer.from(part));
    if (!Buffer.concat(copies).equals(merged)) throw new Error('The bytes differ.');
  }
  expect(contributions).toEqual(expected);
}

/**
 * Copies bytes to memory that no other buffer uses. The splice may release it, like the memory of a file read from a
 * store.
 */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
