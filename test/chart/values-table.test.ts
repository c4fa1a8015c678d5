import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import {
  type ChartValue,
  defaultsTemplate,
  readChartValues,
  withValuesTable,
  writeValuesTable,
} from '../../scripts/chart/values-table';
import { scratchFolder, write } from '../set-up/scratch';

const root = path.join(__dirname, '../..');
const sample = path.join(__dirname, 'sample-chart');

/** Keys that are in the schema although the chart has no such values. Helm allows `global` for every chart. */
const onlyInSchema = ['global'];

interface JsonSchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly [keyword: string]: unknown;
}

/** Finds values that are not in the schema, and keys of the schema that are not values of the chart. */
function schemaMismatches(values: readonly ChartValue[], defaults: object, schema: JsonSchema): string[] {
  const documented = values.map(({ path }) => path);
  const holds = (at: string): boolean => documented.some((one) => one === at || one.startsWith(`${at}.`));
  const unknown: string[] = [];
  const compare = (value: unknown, at: string, here: JsonSchema): void => {
    const properties = propertiesOf(here, schema);
    // Any key is valid here if the schema lists no keys, for example for annotations or a node selector.
    if (properties === undefined) return;
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    const keys = isMap ? Object.keys(value) : [];
    for (const key of keys) if (!properties[key]) unknown.push(`the schema does not know ${at}${key}`);
    for (const [key, property] of Object.entries(properties)) {
      if (onlyInSchema.includes(`${at}${key}`)) continue;
      if (keys.includes(key)) compare((value as Record<string, unknown>)[key], `${at}${key}.`, property);
      // If a map is documented as a single value, its schema may list keys that values.yaml does not set.
      else if (!documented.includes(at.slice(0, -1)) && !holds(`${at}${key}`))
        unknown.push(`values.yaml does not know ${at}${key}`);
    }
  };
  compare(defaults, '', schema);
  const found = (at: string): boolean => {
    let here: JsonSchema | undefined = schema;
    for (const key of at.split('.')) {
      const properties: Readonly<Record<string, JsonSchema>> | undefined = here && propertiesOf(here, schema);
      if (properties === undefined) return true;
      here = properties[key];
      if (here === undefined) return false;
    }
    return true;
  };
  const optional = documented.filter((at) => !found(at)).map((at) => `the schema does not know ${at}`);
  return [...new Set([...unknown, ...optional])];
}

/**
 * Returns the keys that a schema lists, including the keys of all schemas that it refers to or combines. Returns
 * undefined if no keys are listed.
 */
function propertiesOf(schema: JsonSchema, whole: JsonSchema): Record<string, JsonSchema> | undefined {
  const target = schema.$ref
    ?.slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as JsonSchema)[key], whole);
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((keyword) => (schema[keyword] ?? []) as JsonSchema[]);
  const all = [target as JsonSchema | undefined, ...parts].map((part) => part && propertiesOf(part, whole));
  const named = [schema.properties, ...all].filter((one) => one !== undefined);
  return named.length === 0 ? undefined : Object.fromEntries(named.flatMap((one) => Object.entries(one)));
}

const read = (chart: string, name: string): string => readFileSync(path.join(chart, name), 'utf8');
const mismatches = (chart: string, values = read(chart, 'values.yaml')): string[] =>
  schemaMismatches(
    readChartValues(values),
    parse(values) as object,
    JSON.parse(read(chart, 'values.schema.json')) as JsonSchema,
  );

describe.each([
  ['chart', path.join(root, 'chart')],
  ['test/chart/sample-chart', sample],
])('%s', (_, chart) => {
  test('its README has the table of its values (otherwise run `npm run chart:docs`)', () => {
    const readme = read(chart, 'README.md');
    expect(withValuesTable(readme, readChartValues(read(chart, 'values.yaml')))).toBe(readme);
  });

  test('every value has a description', () => {
    const values = readChartValues(read(chart, 'values.yaml'));
    expect(values.length).toBeGreaterThan(0);
    expect(values.filter(({ description }) => description === '')).toEqual([]);
  });

  test('its schema has the same values', () => {
    expect(mismatches(chart)).toEqual([]);
  });
});

describe('reading values', () => {
  test('returns paths, descriptions and defaults, in order', () => {
    expect(readChartValues(read(sample, 'values.yaml'))).toEqual([
      { path: 'replicas', description: 'How many pods there are.', byDefault: '1' },
      { path: 'image.repository', description: 'Where the image is.', byDefault: '"example.com/sample"' },
      {
        path: 'image.tag',
        description: 'Which one it is. Default: the version of the program.',
        byDefault: '""',
      },
      { path: 'image.digest', description: 'Its digest, which wins over the tag.' },
      { path: 'podAnnotations', description: 'Annotations for the pods.', byDefault: '{}' },
      { path: 'files', description: 'Files that the pods find: a name and a text each.', byDefault: '[]' },
      {
        path: 'monitor.enabled',
        description: 'Whether there is a ServiceMonitor, for clusters that know it.',
        byDefault: 'false',
      },
    ]);
  });

  test('a map is one row if nothing in it is described, and a heading otherwise', () => {
    const text = [
      '# Of the whole file.',
      '',
      '# What it takes.',
      'resources:',
      '  requests: { cpu: 1 }',
      'flow: { a: 1, b: 2 }',
      '# About the map.',
      'map:',
      '  # About a.',
      '  a:',
      '  b: 2',
      '#top: 1',
      '',
    ].join('\n');
    expect(readChartValues(text)).toEqual([
      { path: 'resources', description: 'What it takes.', byDefault: '{"requests":{"cpu":1}}' },
      { path: 'flow', description: '', byDefault: '{"a":1,"b":2}' },
      { path: 'map', description: 'About the map.' },
      { path: 'map.a', description: 'About a.', byDefault: 'null' },
      { path: 'map.b', description: '', byDefault: '2' },
      { path: 'top', description: '' },
    ]);
  });

  test('refuses invalid YAML', () => {
    expect(() => readChartValues('a: [')).toThrow();
  });
});

describe('writing the table', () => {
  const scratch = scratchFolder();
  const chart = (): string => path.join(scratch(), 'chart');
  beforeEach(() => cpSync(sample, chart(), { recursive: true }));

  test('puts it between its marks, and keeps the rest', async () => {
    const marks = '# Title\n\n<!-- values:start -->\nold\n<!-- values:end -->\n\nThe end.\n';
    write(path.join(chart(), 'README.md'), marks);
    write(path.join(chart(), 'values.yaml'), '# One of `a|b`.\nkey: a\n');
    await writeValuesTable(chart());
    const table = [
      '| Value | Description    | Default |',
      '| ----- | -------------- | ------- |',
      '| `key` | One of `a\\|b`. | `"a"`   |',
    ].join('\n');
    expect(read(chart(), 'README.md')).toBe(marks.replace('\nold\n', `\n\n${table}\n\n`));
  });

  test('writes nothing if a description or a mark is missing', async () => {
    write(path.join(chart(), 'values.yaml'), 'a: 1\n# B.\nb: 1\n');
    await expect(writeValuesTable(chart())).rejects.toThrow(
      'Values without a comment above them in values.yaml: a',
    );
    write(path.join(chart(), 'values.yaml'), '# A.\na: 1\n');
    write(path.join(chart(), 'README.md'), '# Title\n');
    await expect(writeValuesTable(chart())).rejects.toThrow('chart/README.md needs <!-- values:start -->');
  });
});

test('differences between values and schema are reported', () => {
  const values = read(sample, 'values.yaml');
  expect(mismatches(sample, values.replace('replicas: 1', 'replica: 1'))).toEqual([
    'the schema does not know replica',
    'values.yaml does not know replicas',
  ]);
  expect(mismatches(sample, values.replace("  tag: ''", "  tags: ''"))).toEqual([
    'the schema does not know image.tags',
    'values.yaml does not know image.tag',
  ]);
  expect(mismatches(sample, values.replace('#digest', '#sum'))).toEqual([
    'values.yaml does not know image.digest',
    'the schema does not know image.sum',
  ]);
});

test("the chart's templates read the defaults that values.yaml has", () => {
  const chart = path.join(root, 'chart');
  expect(read(chart, 'templates/_defaults.tpl')).toBe(defaultsTemplate(read(chart, 'values.yaml')));
});
