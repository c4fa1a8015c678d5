import Table from 'cli-table3';

/** Writes a line for people or programs to standard output. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** What `--json` answers: one document. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Plain columns under their headings; nothing at all without rows. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  if (rows.length === 0) return '';
  const nothing = ['top', 'bottom', 'mid', 'left', 'right'].flatMap((side) => [
    [side, ''],
    [`${side}-mid`, ''],
    [`${side}-left`, ''],
    [`${side}-right`, ''],
    [`mid-${side}`, ''],
  ]);
  const table = new Table({
    head: headings.map((heading) => heading.toUpperCase()),
    chars: { ...(Object.fromEntries(nothing) as Record<string, string>), middle: '  ' },
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => row.map((cell) => cell ?? '-')));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `812 B`, `3.4 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** step;
  return `${step === 0 ? amount : amount.toFixed(1)} ${units[step] ?? 'B'}`;
}

/** How long it took: `840ms`, `12s`, `3m 20s`, `5h 10m`, `2d 4h`. */
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

/** How long ago it was: `3m 20s ago`. A moment to come is `now`: clocks differ a little. */
export function formatAge(at: Date | string, now: Date): string {
  const age = now.getTime() - new Date(at).getTime();
  return age < 1_000 ? 'now' : `${formatSpan(age)} ago`;
}

/** `2026-11-19 08:00:05Z`. */
export function formatTime(at: Date | string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** `1 window`, `2 windows`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
