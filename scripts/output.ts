import Table from 'cli-table3';

/** Writes a line to standard output. (Default: an empty line) */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a line to standard error. Use it for everything that is not the result of a verb. */
export function printNote(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Writes a value to standard output as JSON. With `--json`, a verb writes nothing else to standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/**
 * Returns a plain text table: aligned columns below their headings, without borders. Returns an empty string if there
 * are no rows.
 */
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
