import { visibleLines } from '../etl/visible-text';
import { terminalLines } from './colour';

/**
 * Writes lines to standard output. (Default: an empty line) This and `printNote` are the only ways to the terminal:
 * they escape everything in a line that a terminal would obey, including line breaks. So no name from outside can look
 * like a line of its own.
 */
export function print(...lines: readonly string[]): void {
  process.stdout.write(terminalLines(lines));
}

/** Writes lines to standard error. Use it for everything that is not the result of a verb. */
export function printNote(...lines: readonly string[]): void {
  process.stderr.write(terminalLines(lines));
}

/** Writes a value to standard output as JSON. With `--json`, a verb writes nothing else to standard output. */
export function printJson(value: unknown): void {
  // All line breaks are ours, because JSON escapes those in texts.
  process.stdout.write(`${visibleLines(JSON.stringify(value, null, 2))}\n`);
}
