import { openingWindow } from '../../web/opening-window';

const now = Date.parse('2026-11-28T17:00:00Z');
const cluster = (firstData?: string, lastData?: string) => ({
  ...(firstData !== undefined && { firstData }),
  ...(lastData !== undefined && { lastData }),
});
const windowOf = (...clusters: readonly ReturnType<typeof cluster>[]) => openingWindow(clusters, now);

describe('the window that the page opens on', () => {
  it('is the last seven days if one of the clusters has data in them', () => {
    const old = cluster('2026-09-01T00:00:00Z', '2026-09-20T00:00:00Z');
    expect(windowOf(old, cluster('2026-11-01T00:00:00Z', '2026-11-22T01:00:00Z'))).toEqual({ window: '7d' });
    expect(windowOf(cluster('2026-11-28T00:00:00Z', '2026-11-29T00:00:00Z'))).toEqual({ window: '7d' });
  });

  it('is the most recent days with data if these are empty, with the reason', () => {
    const first = cluster('2026-11-14T00:00:00Z', '2026-11-16T00:00:00Z');
    const last = cluster('2026-11-15T00:00:00Z', '2026-11-17T00:00:00Z');
    expect(windowOf(first, last)).toEqual({
      window: '2026-11-14T00:00:00Z,2026-11-17T00:00:00Z',
      why: 'No data in the last seven days. Showing the most recent days with data: 2026-11-14 to 2026-11-16.',
    });
  });

  it('is at most seven whole days', () => {
    expect(windowOf(cluster('2026-09-01T10:00:00Z', '2026-11-16T05:00:00Z')).window).toBe(
      '2026-11-10T00:00:00Z,2026-11-17T00:00:00Z',
    );
    expect(windowOf(cluster('2026-11-16T03:00:00Z', '2026-11-16T05:00:00Z'))).toMatchObject({
      window: '2026-11-16T00:00:00Z,2026-11-17T00:00:00Z',
      why: expect.stringContaining('Showing the most recent day with data: 2026-11-16.') as string,
    });
  });

  it('is the most recent days if data is in the future, as clocks may differ', () => {
    expect(windowOf(cluster('2027-01-01T00:00:00Z', '2027-01-03T00:00:00Z')).window).toBe(
      '2027-01-01T00:00:00Z,2027-01-03T00:00:00Z',
    );
  });

  it('is the last seven days if nothing is known', () => {
    expect(windowOf()).toEqual({ window: '7d' });
    expect(windowOf(cluster())).toEqual({ window: '7d' });
  });
});
