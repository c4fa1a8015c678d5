import { inBatches } from '../../operator/export/batches';

const window = (start: number, size: number) => ({ window: { start, end: start + 1 }, size });
const starts = (batches: ReturnType<typeof inBatches>) =>
  batches.map((batch) => batch.map((one) => one.window.start));
const mebibyte = 2 ** 20;

describe('the batches of an export', () => {
  it('have at most 32 MiB, the oldest windows first', () => {
    const windows = [window(3, 10 * mebibyte), window(1, 16 * mebibyte), window(2, 16 * mebibyte)];
    expect(starts(inBatches(windows))).toEqual([[1, 2], [3]]);
  });

  it('have a larger window alone', () => {
    const windows = [window(1, 1), window(2, 40 * mebibyte), window(3, 1)];
    expect(starts(inBatches(windows))).toEqual([[1], [2], [3]]);
  });

  it('have at most 32 windows', () => {
    const windows = Array.from({ length: 65 }, (_, at) => window(at, 1));
    expect(inBatches(windows).map((batch) => batch.length)).toEqual([32, 32, 1]);
  });

  it('of no windows do not exist', () => {
    expect(inBatches([])).toEqual([]);
  });
});
