import { totalmem } from 'node:os';
import { mergeMemory, mergeSlots, mostUnpacked } from '../../workers/capacity';

const gibibyte = 2 ** 30;

describe('the capacity of a federator', () => {
  it.each([
    [1, 4],
    [2, 8],
    [16, 64],
  ])('on %d cores is %d concurrent merges', (cores, slots) => {
    expect(mergeSlots(cores)).toBe(slots);
  });

  it.each([
    [0.25 * gibibyte, 0.125 * gibibyte],
    [1 * gibibyte, 0.25 * gibibyte],
    [4 * gibibyte, 1 * gibibyte],
    [256 * gibibyte, 2 * gibibyte],
  ])(
    'with %d bytes of memory is %d bytes of merges, and half of that for one unpacked file',
    (usable, bytes) => {
      expect(mergeMemory(usable)).toBe(bytes);
      expect(mostUnpacked(usable)).toBe(bytes / 2);
    },
  );

  it('is read from this process', () => {
    expect(mergeMemory()).toBeLessThanOrEqual(Math.max(totalmem() / 4, 0.125 * gibibyte));
    expect(mergeMemory()).toBeGreaterThanOrEqual(0.125 * gibibyte);
  });
});
