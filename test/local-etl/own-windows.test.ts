import type { WindowId } from '../../etl/window';
import { closedWindows } from '../../local-etl/own-windows';

const day = 86_400;
const window = (start: number) => `allocations/1d/${start * day}-${(start + 1) * day}` as WindowId;

describe('the windows that a primary waits for', () => {
  const now = new Date(10 * day * 1_000);

  it('are closed, and in the scope of the federation', () => {
    const all = [1, 5, 8, 9, 10].map(window);
    const never = () => false;
    expect(closedWindows(all, now, { isExpired: never })).toEqual([1, 5, 8, 9].map(window));
    const cutoff = new Date(5 * day * 1_000).toISOString();
    expect(closedWindows(all, now, { cutoff, isExpired: never })).toEqual([5, 8, 9].map(window));
    // A pull must not wait for windows older than the retention period, because no generation will contain them.
    const isExpired = ({ window: { end } }: { window: { end: number } }) => end <= 8 * day;
    expect(closedWindows(all, now, { isExpired })).toEqual([8, 9].map(window));
  });
});
