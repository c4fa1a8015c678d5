import { builtinModules } from 'node:module';
import { defineConfig } from 'eslint/config';
import simpleImportSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';
import { ownLookUp } from './lint/own-look-up.mjs';

/**
 * The rooms of docs/design/architecture.md, and what each room may import in addition to the rooms in `leavesFor`.
 * `values`: rooms, or single modules of rooms, from which it may import anything. `types`: rooms from which it may
 * import only types. A room that is not listed here may import everything.
 */
const rooms = {
  etl: { values: [], types: [] },
  storage: { values: ['etl'], types: [] },
  federation: { values: ['etl', 'storage/read-all'], types: ['storage'] },
  'local-etl': { values: ['etl', 'storage', 'federation'], types: ['config'] },
  query: { values: ['etl', 'storage/make-folder'], types: [] },
  activities: { values: ['etl', 'storage', 'local-etl', 'federation', 'query'], types: ['config'] },
  workflows: { values: ['etl', 'federation'], types: ['activities'] },
  api: { values: ['query', 'config', 'etl/own-value', 'etl/visible-text'], types: ['etl'] },
  operator: {
    values: ['etl', 'storage', 'local-etl', 'federation', 'query', 'activities', 'workflows', 'config'],
    types: ['api'],
  },
  web: { values: ['etl/own-value', 'etl/visible-text'], types: ['api'] },
  config: { values: ['etl', 'storage'], types: ['federation'] },
  errors: { values: [], types: [] },
  concurrency: { values: [], types: [] },
};
/** Rooms that every room may import, except that `workflows/`, which is replayed, may not import `concurrency/`. */
const leavesFor = (room) => (room === 'workflows' ? ['errors'] : ['errors', 'concurrency']);
const everyRoom = [...Object.keys(rooms), 'workers', 'scripts', 'bench', 'chaos', 'fuzz', 'test'];

/** Node's built-in modules, with and without `node:`. */
const builtIn = `^(node:.*|${builtinModules.join('|')})$`;
const inputAndOutput =
  '^(node:)?(fs|fs/promises|net|http|https|http2|tls|dgram|dns|child_process|worker_threads|timers.*|os|process)$';

/** Forbids p-map, so that there is only one way to bound concurrency, with one rule for failures. */
const noPMap = { regex: '^p-map$', message: 'Use mapConcurrently of concurrency/.' };

const roomRules = Object.entries(rooms).map(([room, { values, types }]) => {
  const closed = everyRoom.filter(
    (other) => ![room, ...leavesFor(room), ...values, ...types].includes(other),
  );
  const modules = values.filter((name) => name.includes('/')).join('|');
  const toRoom = (names) => `^(\\.\\./)+(?!(${modules})$)(${names.join('|')})(/|$)`;
  const message = `${room}/ may not import this; see the rooms in docs/design/architecture.md.`;
  const patterns = [{ regex: toRoom(closed), message }];
  if (room !== 'concurrency') patterns.push(noPMap);
  if (types.length > 0)
    patterns.push({ regex: toRoom(types), message: 'Import its types only.', allowTypeImports: true });
  if (room === 'workflows') {
    patterns.push({ regex: builtIn, message: 'Workflows are replayed: do this in an activity.' });
    patterns.push({
      regex: '^@temporalio/(client|worker|activity|testing)',
      message: 'Not in a workflow.',
      allowTypeImports: true,
    });
  }
  if (['etl', 'federation'].includes(room))
    patterns.push({ regex: inputAndOutput, message: `${room}/ is pure.` });
  return {
    files: [`${room}/**/*.ts`, `${room}/**/*.tsx`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  };
});

/** What is written to a terminal has to be escaped. */
const noRawOutput = {
  selector:
    "MemberExpression[object.object.name='process'][object.property.name=/^std(out|err)$/][property.name='write']",
  message: 'Use print or printNote of scripts/output.ts, which escape what a terminal would obey.',
};

/** A driver's files begin with its name, and import no files of other drivers. */
const drivers = ['azure', 'filesystem', 'gcs', 's3'];
const driverRules = drivers.map((driver) => {
  const others = drivers.filter((other) => other !== driver).join('|');
  const storage = roomRules.find(({ files }) => files.includes('storage/**/*.ts'));
  const [, { patterns }] = storage.rules['@typescript-eslint/no-restricted-imports'];
  const leaf = { regex: `^\\./(${others})(-|$)`, message: 'A driver imports no other driver.' };
  return {
    files: [`storage/drivers/${driver}*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [...patterns, leaf] }] },
  };
});

/** Globals of Node in the plain JavaScript files. */
const scriptGlobals =
  'AbortSignal Buffer URL clearInterval clearTimeout console fetch process setInterval setTimeout __dirname __filename'.split(
    ' ',
  );

const noDefaultExport = { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' };
const keyMessage = 'Only federation/layout.ts builds or parses a bucket key.';
const noKeys = [
  { selector: 'Literal[value=/^federated(-etl)?\\u002F/]', message: keyMessage },
  { selector: 'TemplateElement[value.raw=/^federated(-etl)?\\u002F/]', message: keyMessage },
];

export default defineConfig(
  { ignores: ['node_modules/', 'lib/', 'dist/', 'coverage/', 'test/golden/', 'test/histories/'] },
  {
    // Imports form one block, in this order: side effects, Node's modules, packages, other rooms, this room. `eslint
    // --fix` sorts them.
    plugins: { 'simple-import-sort': simpleImportSort },
    rules: {
      'simple-import-sort/imports': [
        'error',
        { groups: [['^\\u0000', '^node:', '^@?\\w', '^', '^\\.\\.', '^\\.']] },
      ],
      'simple-import-sort/exports': 'error',
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.cts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-console': 'error',
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [noPMap] }],
      'no-restricted-syntax': ['error', noDefaultExport, ...noKeys],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config/ reads the environment.' },
      ],
      // A leading underscore marks a variable or parameter as unused on purpose.
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      // A function that implements an asynchronous interface is async even if it awaits nothing.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: [...Object.keys(rooms), 'workers', 'scripts'].map((room) => `${room}/**/*.{ts,tsx}`),
    ignores: [
      // All their names are those of packages, downloads and the chart's values.
      'scripts/{build,chart,set-up}/**',
      // These look up the fields of structures by the names in the structures' descriptions, once per field and record.
      'etl/{codec,field,hours-in,part-versions,set-codec}.ts',
      'etl/own-value.ts',
    ],
    plugins: { own: { rules: { 'look-up': ownLookUp } } },
    rules: { 'own/look-up': 'error' },
  },
  ...roomRules,
  ...driverRules,
  {
    files: ['federation/layout.ts', 'federation/documents.ts', 'test/**'],
    rules: { 'no-restricted-syntax': ['error', noDefaultExport] },
  },
  {
    files: [
      'config/**',
      'storage/http-agents.ts',
      'scripts/federated-etl.ts',
      'scripts/set-up/**',
      'bench/**',
      'chaos/**',
      'fuzz/**',
      'test/**',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  // The command line loads only the requested verb, which an import statement cannot do.
  {
    files: ['scripts/federated-etl.ts', 'scripts/verbs/*.ts'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['scripts/*.ts', 'scripts/verbs/**', 'scripts/demo/**', 'workers/**', 'operator/**'],
    ignores: ['scripts/output.ts'],
    rules: { 'no-restricted-syntax': ['error', noDefaultExport, ...noKeys, noRawOutput] },
  },
  {
    files: ['scripts/{build,chart,set-up}/**', 'bench/**', 'chaos/**', 'fuzz/**', 'test/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Matchers such as `expect.any(Number)` are of type any.
    files: ['test/**'],
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/unbound-method': 'off' },
  },
  {
    // Answers of the API are untyped in these tests, and code that runs in the page has its own types.
    files: ['test/api/**', 'test/web/**'],
    rules: {
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: { globals: Object.fromEntries(scriptGlobals.map((name) => [name, 'readonly'])) },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error', 'no-unreachable': 'error' },
  },
  { files: ['**/*.js', '**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
);
