import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { formatTable } from '../../scripts/table';
import { loadTypescript } from '../servers/load-typescript';

const longId = 'a-cluster-with-a-long-name-as-clouds-make-them-eu-central-1-production';

describe('output for people', () => {
  it('has tables of plain columns', () => {
    const table = formatTable(
      ['name', 'n'],
      [
        ['longer', 1],
        ['x', undefined],
      ],
    );
    expect(table).toEqual(['NAME    N', 'longer  1', 'x       -']);
    expect(formatTable(['name'], [])).toEqual([]);
  });

  it('omits the least important columns of a table that is too wide, and says so', () => {
    const rows = [['one', 'two', 'three']];
    const options = { optional: ['b', 'a'] };
    expect(formatTable(['a', 'b', 'c'], rows, { ...options, width: 15 })).toEqual([
      'A    B    C',
      'one  two  three',
    ]);
    expect(formatTable(['a', 'b', 'c'], rows, { ...options, width: 12 })).toEqual([
      'A    C',
      'one  three',
      'This terminal is too narrow for: b. `--json` has everything.',
    ]);
  });

  it.each([80, 60, 40])('has no line wider than a terminal of %i columns, and loses no letter', (width) => {
    const row = [
      longId,
      'excluded (person: its prices are wrong since Monday)',
      '5h ago (gone)',
      'x'.repeat(90),
    ];
    const table = formatTable(['cluster', 'federated', 'last push', 'data'], [row, row], { width });
    for (const line of table) expect(line.length).toBeLessThanOrEqual(width);
    expect(table.join('').replace(/\s/g, '')).toHaveLength(
      'clusterfederatedlastpushdata'.length + 2 * row.join('').replace(/\s/g, '').length,
    );
  });

  it('keeps its full width where there is no terminal', () => {
    expect(formatTable(['cluster'], [[longId.repeat(3)]])[1]).toBe(longId.repeat(3));
  });
});

function coloured(env: Record<string, string>): string {
  return outputOf(
    `
    const { paintState } = require('./scripts/colour.ts');
    const { print, printJson } = require('./scripts/output.ts');
    const { formatTable } = require('./scripts/table.ts');
    print(['complete', '5h ago (late)', 'a late cluster'].map((text) => paintState(text)).join('|'));
    print(...formatTable(['state'], [['failed: why']], { states: ['state'] }));
    printJson('failed');`,
    env,
  );
}

/** Runs code that may colour its output, in a process whose output is not a terminal. */
function outputOf(code: string, env: Record<string, string>): string {
  const clean = { ...process.env };
  delete clean.FORCE_COLOR;
  delete clean.NO_COLOR;
  const { stdout, stderr } = spawnSync(process.execPath, [...loadTypescript, '-e', code], {
    cwd: join(__dirname, '../..'),
    env: { ...clean, ...env },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout;
}

describe('colour', () => {
  const plain = 'complete|5h ago (late)|a late cluster\nSTATE\nfailed: why\n"failed"\n';

  it('is not used where there is no terminal', () => {
    expect(coloured({})).toBe(plain);
  });

  it('marks states and headings, but never JSON', () => {
    expect(coloured({ FORCE_COLOR: '1' })).toBe(
      '\u001b[32mcomplete\u001b[39m|5h ago (\u001b[33mlate\u001b[39m)|a late cluster\n' +
        '\u001b[1mSTATE\u001b[22m\n\u001b[31mfailed\u001b[39m: why\n"failed"\n',
    );
  });

  it('is all that a terminal obeys', () => {
    const names = [
      '\u001b[31mRED',
      '\u001b[31;1234;5678mRED',
      '\u001b]0;pwn\u0007',
      '\u009b31m',
      '\u202efdp',
      '\u2028',
      'a\nforged: line',
      'a\r\nforged: line',
      'a\n    forged: line',
    ];
    const written = outputOf(
      `const { paint } = require('./scripts/colour.ts');
      const { print, printJson, printNote } = require('./scripts/output.ts');
      const { formatTable } = require('./scripts/table.ts');
      const { showProgress } = require('./scripts/progress.ts');
      process.stderr.write = (text) => process.stdout.write(text);
      for (const name of ${JSON.stringify(names)}) {
        print(...formatTable([name], [['failed: ' + name], ['two\\nlines']], { states: [name] }));
        print(name);
        printNote(paint('bad', name), 'to do: ' + name);
        printJson({ [name]: name });
        for (const streamed of [showProgress(name, { noun: name })]) {
          streamed.update(1, 2, name);
          streamed.note(name, name);
        }
      }`,
      { FORCE_COLOR: '1' },
    );
    expect(written.split('\u001b[31mfailed\u001b[39m: ')).toHaveLength(names.length + 1);
    // Each prints a heading, two rows, three lines, three lines of JSON, and three lines of progress.
    expect(written.trimEnd().split('\n')).toHaveLength(names.length * 12);
    expect(written).not.toMatch(/^ *forged/m);
    const ours = /\u001b\[(?:1m(?=\\|[^\u001b]*\u001b\[22m)|22m|31m(?=failed|\\|[^\u001b]*\u001b\[39m)|39m)/g;
    expect(written.replace(ours, '').replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
    expect(written).not.toContain('\u001b[31mRED');
  });
});
