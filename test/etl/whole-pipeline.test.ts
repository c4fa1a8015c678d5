import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '../..');
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
);

/** Modified source texts, keyed by the path of the module. */
type Changes = Readonly<Record<string, string>>;

/**
 * Reads the source of a module and replaces parts of it. Throws unless each `before` occurs exactly once in the source.
 */
function changed(path: string, ...replaced: (readonly [before: string, after: string])[]): Changes {
  let text = readFileSync(join(root, path), 'utf8');
  for (const [before, after] of replaced) {
    if (text.split(before).length !== 2) throw new Error(`${path} does not contain ${before} exactly once.`);
    text = text.replace(before, after);
  }
  return { [path]: text };
}

const parsed = new Map<string, ts.SourceFile | undefined>();
let last: ts.Program | undefined;

/**
 * Compiles modules with modified sources. Returns an error message for each module that does not compile, keyed by the
 * module's path. Also reports errors in the modules that they import, unless `imported` is false.
 */
function errorsIn(
  modules: readonly string[],
  changes: Changes,
  { imported = true } = {},
): Record<string, string> {
  const host = ts.createCompilerHost(options);
  const readSource = host.getSourceFile.bind(host);
  host.getSourceFile = (file, version) => {
    const text = changes[relative(root, file)];
    if (text !== undefined) return ts.createSourceFile(file, text, version);
    if (!parsed.has(file)) parsed.set(file, readSource(file, version));
    return parsed.get(file);
  };
  last = ts.createProgram({
    rootNames: modules.map((module) => join(root, module)),
    options: { ...options, types: ['node'] },
    host,
    oldProgram: last,
  });
  const program = last;
  const checked = imported ? [undefined] : modules.map((module) => program.getSourceFile(join(root, module)));
  const found = checked.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  return Object.fromEntries(
    found.map(({ file, messageText }) => [
      relative(root, file?.fileName ?? ''),
      ts.flattenDiagnosticMessageText(messageText, '\n'),
    ]),
  );
}

const name = changed('etl/window.ts', ["['allocations', 'assets']", "['allocations', 'assets', 'tickets']"]);
const types = changed(
  'etl/model.ts',
  [
    'import type { Pipeline }',
    "import type { Ticket, TicketSet } from '../test/etl/tickets';\nimport type { Pipeline }",
  ],
  ['  assets: AssetSet;\n', '  assets: AssetSet;\n  tickets: TicketSet;\n'],
  ['  assets: Asset;\n', '  assets: Asset;\n  tickets: Ticket;\n'],
);
const spec = changed(
  'etl/pipelines.ts',
  ['import type { SetOf }', "import { ticketPipeline } from '../test/etl/tickets';\nimport type { SetOf }"],
  ['  assets: assetPipeline,\n', '  assets: assetPipeline,\n  tickets: ticketPipeline,\n'],
);
const registered = { ...name, ...types, ...spec };
const etl = ['etl/splice/splice.ts', 'etl/contribution.ts', 'etl/dump.ts', 'etl/set-facts.ts'];

describe('a third pipeline', () => {
  it('compiles in etl/ if it has a name, types and a spec', () => {
    expect(errorsIn(etl, registered)).toEqual({});
  });

  it.each([
    ['types', { ...name, ...spec }, 'etl/model.ts'],
    ['a spec', { ...name, ...types }, 'etl/pipelines.ts'],
  ])('does not compile without %s', (_, changes: Changes, module) => {
    expect(Object.keys(errorsIn([module], changes, { imported: false }))).toEqual([module]);
  });

  it.each([
    ['the name of its set', "  setName: 'TicketSet',\n", ''],
    ['versions', '  versions,\n  record', '  record'],
    ['a codec of its records', '  record: optional(embedded(record)),\n', ''],
    ['the codec of a field of its set', "    currency: { at: 'before' as const, codec: str },\n", ''],
    ['the right codec of a field of its set', 'codec: map(bool)', 'codec: str'],
    ['the version of a record', '  versionOf: ({ version }: Ticket) => version,\n', ''],
    ['the cluster of a record', '  clusterOf: ({ cluster }: Ticket) => cluster,\n', ''],
    ['the resource hours of a record', '  addHours: hoursIn(record),\n', ''],
    ['the cost of a record', '  costOf: ({ cost }: Ticket) => cost,\n', ''],
    ['the identity of a record', '  identity: ({ name }: Ticket) => name,\n  merging', '  merging'],
    ['a merged field of its set', "    facts: { currency: sets[0]?.currency ?? '' },\n", '    facts: {},\n'],
    ['the addition of two records', '    add: (a: Ticket, b: Ticket) => addTickets(a, b),\n', ''],
    ['the text of a mark', "marks: { urgentKeys: '__urgent__' }", 'marks: {}'],
    ['a rule for a field of its records', '  cost: field(f64, sum),\n', ''],
    ['a walk', '  walk: {\n    hooks', '  walker: {\n    hooks'],
    [
      'a way to find the cluster of a record while walking',
      '    cluster: { position',
      '    clusters: { position',
    ],
  ])('does not compile without %s', (_, before, after) => {
    const incomplete = changed('test/etl/tickets.ts', [before, after]);
    const modules = ['etl/pipelines.ts', 'test/etl/tickets.ts'];
    const changes = { ...registered, ...incomplete };
    expect(errorsIn(modules, changes, { imported: false })).not.toEqual({});
  });

  it('causes compile errors wherever the rest of the program treats pipelines differently', () => {
    const program = ['workers/run-roles.ts', 'scripts/federated-etl.ts', 'activities/threads/read-thread.ts'];
    const places = [
      'activities/threads/read-thread.ts',
      'activities/threads/read-threads.ts',
      'query/columns.ts',
      'query/export.ts',
      'query/pipeline-tables.ts',
    ];
    // `places` lacks `query/ingest.ts`. This module has an error, too, but needs no edit: the error disappears once the
    // pipeline has columns.
    const found = Object.keys(errorsIn(program, registered)).sort();
    expect(found).toEqual([...places, 'query/ingest.ts'].sort());
    const guide = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
    for (const place of places) expect(guide).toContain(`\`${place}\``);
  });
});
