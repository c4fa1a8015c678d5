import { type Contribution, encodeMerged, extractContribution } from '../../etl/contribution';
import { decodeSet, encodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { measureOf, setWindow } from '../../etl/set-facts';
import { Splice, type SplicedMerge } from '../../etl/splice/splice';
import type { Pipeline } from '../../etl/window';
import { spliceSets } from './splice-sets';

export interface SpliceInput {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * Merges files in two ways: with the splice (`etl/splice`), which copies most records without decoding them, and by
 * decoding all files. Checks that both ways give the same results:
 * - the content and order of the merged file
 * - the contributions
 * - the window of each input, and its number of records
 * Also checks that each input can be extracted from the merged file. Does not modify the given bytes.
 *
 * @returns `spliced`: the splice's result; `sameBytes`: whether the bytes of both merged files are identical; `passed`:
 * whether the merged file contains every record unchanged
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
  // Decode and encode the spliced file again. It then equals `merged.bytes` if content and order are the same.
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
    // The bytes may differ only in the order in which the names of idle and external records are listed.
    if (!extracted.equals(original)) {
      expect(decodeSet(pipeline, extracted)).toEqual(decodeSet(pipeline, original));
    }
  });
  expect(spliced.inputs).toEqual(
    inputs.map(({ set }) => ({ measure: measureOf(set), window: setWindow(set) })),
  );
  return { spliced, sameBytes, passed: stored.every(({ changed }) => changed.length === 0) };
}

/**
 * Checks that the splice always produces the same bytes. The result must depend neither on how many bytes the splice
 * may hold in memory, nor on which inputs it takes from the previous merged file.
 */
function expectSameInOtherWays(
  pipeline: Pipeline,
  files: readonly SpliceInput[],
  merged: Buffer,
  contributions: readonly Contribution[],
): void {
  // Let the splice keep as many bytes in memory as the first file has, or none if there are fewer than three files.
  const held = files.length > 2 ? files[0]!.bytes.length : 0;
  const splice = new Splice(pipeline, {
    mostHeld: held,
    readAgain: ({ input, offset, length }) => copyOf(files[input]!.bytes.subarray(offset, offset + length)),
  });
  for (const { id, bytes } of files) splice.add(id, copyOf(bytes));
  expectSameMerge(splice.finish(), merged, contributions);
  const asTheyCame = contributions.map(({ altered, changed }) => altered.length + changed.length === 0);
  // Merge twice. First, take all unchanged inputs from the previous merged file. Then, take all of them except the
  // first.
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
  // Copy each part of the merged file, because its bytes are only valid until the next part is read. Read all parts
  // twice, to check that this is possible.
  for (let time = 0; time < 2; time++) {
    const copies: Buffer[] = [];
    for (const part of parts) copies.push(Buffer.from(part));
    if (!Buffer.concat(copies).equals(merged)) throw new Error('The bytes differ.');
  }
  expect(contributions).toEqual(expected);
}

/**
 * Copies bytes to separate memory. The splice may release the memory of its inputs, so an input must not share memory
 * with any other buffer.
 */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
