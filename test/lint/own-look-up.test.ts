import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Runs the rule in a separate process, because jest cannot load eslint's configuration, which is a module. */
const lintAll = `
import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { ownLookUp } from './lint/own-look-up.mjs';
const parserOptions = {
  projectService: { allowDefaultProject: ['*.ts'] },
  tsconfigRootDir: process.cwd(),
};
const config = {
  files: ['**/*.ts'],
  languageOptions: { parser: tseslint.parser, parserOptions },
  plugins: { own: { rules: { 'look-up': ownLookUp } } },
  rules: { 'own/look-up': 'error' },
};
const found = JSON.parse(process.argv[1]).map((code) =>
  new Linter({ configType: 'flat' })
    .verify(code, config, { filename: 'made-up.ts' })
    .map(({ ruleId, messageId, message }) => messageId ?? ruleId ?? message),
);
console.log(JSON.stringify(found));
`;

const given = `
declare const record: Record<string, number>;
declare const maybe: Readonly<Record<string, number>> | undefined;
declare const two: Record<'a' | 'b', number>;
declare const list: number[];
declare const key: string;
declare const one: 'a' | 'b';
declare const id: \`\${string}/\${string}\`;
`;

const cases: readonly (readonly [code: string, found: readonly string[]])[] = [
  ['record[key];', ['read']],
  ['maybe?.[key];', ['read']],
  ['record[id];', ['read']],
  ['record[key] ??= 1;', ['read']],
  ['record[key] += 1;', ['read']],
  ['function f<K extends string>(k: K) { return record[k]; }', ['read']],
  ['key in record;', ['in']],
  ['key in two;', ['in']],
  ['record[key] = 1;', []],
  ['delete record[key];', []],
  ['record[one]; record.a; record["a"];', []],
  ['two[one]; list[0]; list[list.length - 1];', []],
  ['"a" in record; one in record;', []],
  ['new Map([[key, 1]]).get(key); Object.hasOwn(record, key);', []],
];

it('forbids to look up names from outside in plain objects', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', lintAll, JSON.stringify(cases.map(([code]) => `${given}${code}`))],
    { cwd: join(__dirname, '../..'), encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual(cases.map(([, found]) => found));
});
