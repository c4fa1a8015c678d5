import { isDeepStrictEqual } from 'node:util';
import { encodeMerged } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { pipelines } from '../../etl/window';
import { goldenMerges } from './golden-files';
import { sameMeaning } from './same-meaning';

describe.each(pipelines)('merged %s equal those merged by OpenCost', (pipeline) => {
  const merges = goldenMerges(pipeline);

  test('there are windows of every bucket', () => {
    expect(merges.length).toBe(pipeline === 'allocations' ? 7 + 1 + 2 + 6 : 7 + 1 + 2 + 7);
  });

  test.each(merges)('$name', ({ inputs, expected }) => {
    const merged = mergeSets(pipeline, inputs);
    expect(sameMeaning(pipeline, merged.set, expected)).toEqual([]);
    const { bytes } = encodeMerged(merged);
    // Do not use toEqual here: it takes quadratic time to compare large maps.
    expect(isDeepStrictEqual(decodeSet(pipeline, bytes), merged.set)).toBe(true);
    expect(encodeMerged(mergeSets(pipeline, inputs)).bytes.equals(bytes)).toBe(true);
  });
});
