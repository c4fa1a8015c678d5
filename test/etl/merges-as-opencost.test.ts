import { isDeepStrictEqual } from 'node:util';
import { encodeMerged } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { pipelines } from '../../etl/window';
import { goldenMerges } from './golden-files';
import { sameMeaning } from './same-meaning';

describe.each(pipelines)('merged %s say what OpenCost merges', (pipeline) => {
  const merges = goldenMerges(pipeline);

  test('there are windows of every theme', () => {
    expect(merges.length).toBe(pipeline === 'allocations' ? 7 + 1 + 2 + 6 : 7 + 1 + 2 + 7);
  });

  test.each(merges)('$name', ({ inputs, expected }) => {
    const merged = mergeSets(pipeline, inputs);
    expect(sameMeaning(pipeline, merged.set, expected)).toEqual([]);
    const { bytes } = encodeMerged(merged);
    // Not toEqual: it compares each entry of a map with each other one.
    expect(isDeepStrictEqual(decodeSet(pipeline, bytes), merged.set)).toBe(true);
    expect(encodeMerged(mergeSets(pipeline, inputs)).bytes.equals(bytes)).toBe(true);
  });
});
