import { formatAge, formatBytes, formatSpan } from '../../operator/format';

describe('numbers and times for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [3_565_158, '3.4 MiB'],
    [2 ** 50, '1024.0 TiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [-5, '0ms'],
    [840, '840ms'],
    [12_000, '12s'],
    [200_000, '3m 20s'],
    [3_600_000, '1h'],
    [3_605_000, '1h'],
    [187_200_000, '2d 4h'],
  ])('%d ms are %s', (milliseconds, text) => expect(formatSpan(milliseconds)).toBe(text));

  it('shows an age, or nothing if clocks differ', () => {
    const now = new Date('2026-11-20T10:00:00Z');
    expect(formatAge('2026-11-20T09:58:00Z', now)).toBe('2m ago');
    expect(formatAge('2026-11-20T10:00:03Z', now)).toBe('now');
  });
});
