import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { type KubernetesObject, readManifests } from './helm';
import { nameOf } from './validate';

const shown = 20;

export interface GoldenOptions {
  /** Folder that contains the golden files. (Default: `test/chart/golden`) */
  readonly folder?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Compares rendered objects with the reviewed file `golden/<name>.yaml`. If they differ, throws an error that lists the
 * differences and explains how to update the file.
 */
export function expectGolden(
  name: string,
  objects: readonly KubernetesObject[],
  options: GoldenOptions = {},
): void {
  const { folder = path.join(__dirname, 'golden'), env = process.env } = options;
  const file = path.join(folder, `${name}.yaml`);
  const text = inOrder(objects)
    .map((object) =>
      stringify(object, { version: '1.1', sortMapEntries: true, lineWidth: 0, singleQuote: true }),
    )
    .join('---\n');
  if (env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(folder, { recursive: true });
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
    return;
  }
  const update = 'Read what differs; where it is as it should be, run the test with UPDATE_GOLDEN=1.';
  if (!existsSync(file)) throw new Error(`There is no ${relative(file)}. ${update}`);
  // Parse the rendered YAML again before comparing, so that values which look the same in YAML count as equal.
  const found = differences(inOrder(readManifests(readFileSync(file, 'utf8'))), readManifests(text));
  if (found.length === 0) return;
  const more = found.length > shown ? [`… and ${found.length - shown} more`] : [];
  const lines = [...found.slice(0, shown), ...more].map((line) => `  ${line}`);
  throw new Error([`What is rendered is not what ${relative(file)} has:`, ...lines, update].join('\n'));
}

/** Sorts objects by kind and name, so that the order of the chart's templates does not matter. */
function inOrder(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const key = (object: KubernetesObject): string => `${nameOf(object)} ${object.apiVersion}`;
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Describes each difference in one sentence, with the name of the object and the path of the field. */
function differences(wanted: readonly KubernetesObject[], got: readonly KubernetesObject[]): string[] {
  const names = [...new Set([...wanted, ...got].map(nameOf))].sort();
  const of = (objects: readonly KubernetesObject[], name: string): readonly KubernetesObject[] =>
    objects.filter((object) => nameOf(object) === name);
  return names.flatMap((name) => {
    const before = of(wanted, name);
    const now = of(got, name);
    if (now.length === 0) return [`${name} is not rendered`];
    if (before.length === 0) return [`${name} is new`];
    return compare(before.length === 1 ? before[0] : before, now.length === 1 ? now[0] : now, '').map(
      (difference) => `${name}: ${difference}`,
    );
  });
}

function compare(wanted: unknown, got: unknown, at: string): string[] {
  if (isDeepStrictEqual(wanted, got)) return [];
  const here = at.replace(/^\./, '');
  if (isCollection(wanted) && isCollection(got) && Array.isArray(wanted) === Array.isArray(got)) {
    const before = wanted as Record<string, unknown>;
    const now = got as Record<string, unknown>;
    const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
    const step = (key: string): string =>
      Array.isArray(wanted) ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`;
    return keys.flatMap((key) => compare(before[key], now[key], `${at}${step(key)}`));
  }
  if (wanted === undefined) return [`${here} is new: ${show(got)}`];
  if (got === undefined) return [`${here} is gone, was ${show(wanted)}`];
  return [`${here} is ${show(got)}, was ${show(wanted)}`];
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function relative(file: string): string {
  return path.relative(path.join(__dirname, '../..'), file);
}
