/** Formats a number of bytes, such as `812 B` or `3.4 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** step;
  return `${step === 0 ? amount : amount.toFixed(1)} ${units[step] ?? 'B'}`;
}

/** Formats a duration, such as `840ms`, `12s`, `3m 20s`, `5h 10m` or `2d 4h`. */
export function formatSpan(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.max(0, Math.round(milliseconds))}ms`;
  const seconds = Math.floor(milliseconds / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.map(([amount, unit]) => `${amount}${unit}`).join(' ');
}

/**
 * Formats an age, such as `3m 20s ago`. A time in the future becomes `now`, because it only results from small
 * differences between clocks.
 */
export function formatAge(at: Date | string, now: Date): string {
  const age = now.getTime() - new Date(at).getTime();
  return age < 1_000 ? 'now' : `${formatSpan(age)} ago`;
}

/** Formats a time in UTC, such as `2026-11-19 08:00:05Z`. */
export function formatTime(at: Date | string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
