import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isMap, isNode, isScalar, LineCounter, parse, parseDocument, stringify, type YAMLMap } from 'yaml';

// Writes a table of all values into `chart/README.md`. The descriptions of the values are the comments in
// `chart/values.yaml`:
//
//   # The comment lines directly above a key are its description.
//   key: its default
//   # An optional key without a default has no space after its #.
//   #other: an example
//
// If no key inside a map has a description, the table has only one row for the whole map. An example is `resources`,
// with its requests and limits. Otherwise each key inside the map has its own row. If the map itself has a description
// too, the table also has a row for the map, above the rows of its keys and without a default.

/** One value of the Helm chart. */
export interface ChartValue {
  /** Path of the value, such as `localEtl.volume.size`. */
  readonly path: string;
  /** Text of the comment above the value. Empty if there is no comment, which is a mistake in `values.yaml`. */
  readonly description: string;
  /** The value's default, as JSON. Undefined for an optional key, and for a map whose keys have their own rows. */
  readonly byDefault?: string;
}

const start = '<!-- values:start -->';
const end = '<!-- values:end -->';

/** Position of a key in `values.yaml`. Line and column are counted from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

type Row = ChartValue & Place;

/** Reads the values and their descriptions from the text of a `values.yaml`, in the order of the file. */
export function readChartValues(text: string): ChartValue[] {
  const lineCounter = new LineCounter();
  const { contents, errors } = parseDocument(text, { lineCounter });
  if (errors[0]) throw errors[0];
  if (!isMap(contents)) return [];
  const lines = text.split('\n');
  const optional = optionalKeys(lines);
  const keys: (Place & { readonly path: string })[] = [];

  const rowsOf = (map: YAMLMap, prefix: string, end: number): Row[] =>
    map.items.flatMap(({ key, value }, at) => {
      const place = placeOf(key, lineCounter);
      const next = map.items[at + 1];
      const ownEnd = next === undefined ? end : placeOf(next.key, lineCounter).line;
      const own = { path: prefix + String(key), ...place, description: commentAbove(lines, place.line) };
      keys.push(own);
      const within = isMap(value) && value.flow !== true ? rowsOf(value, `${own.path}.`, ownEnd) : [];
      const inside = optional.filter(
        ({ line, column }) => line > place.line && line < ownEnd && column > place.column,
      );
      if (within.some(({ description }) => description !== '') || (within.length > 0 && inside.length > 0))
        return own.description === '' ? within : [own, ...within];
      const byDefault = isNode(value) ? (value.toJSON() as unknown) : null;
      return [{ ...own, byDefault: JSON.stringify(byDefault) }];
    });

  const rows = rowsOf(contents, '', lines.length + 1);
  const optionalRows = optional.map(({ name, ...place }) => {
    const above = keys.filter(({ line, column }) => line < place.line && column < place.column);
    const parent = above.reduce<(Place & { path: string }) | undefined>(
      (last, one) => (last === undefined || one.line > last.line ? one : last),
      undefined,
    );
    const path = parent === undefined ? name : `${parent.path}.${name}`;
    return { path, description: commentAbove(lines, place.line), ...place };
  });
  return [...rows, ...optionalRows]
    .sort((a, b) => a.line - b.line)
    .map(({ line: _line, column: _column, ...value }) => value);
}

function placeOf(key: unknown, lineCounter: LineCounter): Place {
  if (!isScalar(key) || !key.range) throw new Error(`a key of values.yaml is not a text: ${String(key)}`);
  const { line, col } = lineCounter.linePos(key.range[0]);
  return { line, column: col };
}

/** Finds the optional keys of `values.yaml`. They are commented out, as in `#key: an example`. */
function optionalKeys(lines: readonly string[]): (Place & { readonly name: string })[] {
  return lines.flatMap((text, at) => {
    const [, indent = '', name] = /^( *)#([A-Za-z_][\w-]*):(?: |$)/.exec(text) ?? [];
    return name === undefined ? [] : [{ name, line: at + 1, column: indent.length + 1 }];
  });
}

/** Returns the comment directly above a line as one paragraph. Lines are counted from 1. */
function commentAbove(lines: readonly string[], line: number): string {
  const found: string[] = [];
  for (let at = line - 2; at >= 0; at -= 1) {
    const text = /^ *#(?: (.*))?$/.exec(lines[at] ?? '');
    if (!text) break;
    found.unshift(text[1] ?? '');
  }
  return found.join(' ').trim();
}

/** Returns the table of the values as Markdown, formatted as Prettier would format it. */
export function valuesTable(values: readonly ChartValue[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = [
    ['Value', 'Description', 'Default'],
    ...values.map(({ path, description, byDefault }) => [
      `\`${path}\``,
      cell(description),
      byDefault === undefined ? '' : `\`${cell(byDefault)}\``,
    ]),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(3, ...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - [...text].length)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** Replaces the table in a README: the text between the comments `values:start` and `values:end`. */
export function withValuesTable(readme: string, values: readonly ChartValue[]): string {
  const from = readme.indexOf(start);
  const to = readme.indexOf(end);
  if (from === -1 || to < from) throw new Error(`chart/README.md needs ${start} and, below it, ${end}`);
  return `${readme.slice(0, from + start.length)}\n\n${valuesTable(values)}\n\n${readme.slice(to)}`;
}

/**
 * Returns the source of a named Helm template that contains the chart's default values. Other templates include it,
 * because Helm does not let them read the file values.yaml.
 */
export function defaultsTemplate(text: string): string {
  const defaults = stringify(parse(text), { lineWidth: 0 });
  return `{{/* Made from values.yaml by \`npm run chart:docs\`. */}}\n{{- define "federated-etl.defaults" -}}\n${defaults}{{- end -}}\n`;
}

/**
 * Writes the table of values to a chart's README. Also writes the defaults to `templates/_defaults.tpl` if the chart
 * has that file. If any value has no description, throws before writing anything.
 */
export async function writeValuesTable(chart: string): Promise<void> {
  const text = await readFile(path.join(chart, 'values.yaml'), 'utf8');
  const values = readChartValues(text);
  const missing = values.filter(({ description }) => description === '').map((value) => value.path);
  if (missing.length > 0)
    throw new Error(`Values without a comment above them in values.yaml: ${missing.join(', ')}`);
  const defaults = path.join(chart, 'templates/_defaults.tpl');
  if (existsSync(defaults)) await writeFile(defaults, defaultsTemplate(text));
  const readme = path.join(chart, 'README.md');
  await writeFile(readme, withValuesTable(await readFile(readme, 'utf8'), values));
}

if (require.main === module) {
  writeValuesTable(path.resolve(__dirname, '../../chart')).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
