import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMain } from './run-main';

const scripts: Record<string, string> = {};
let folder: string;
let verbs: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) scripts[shell] = (await runMain('completion', shell)).out;
  writeFileSync(join(folder, 'script'), scripts.bash ?? '');
  writeFileSync(join(folder, 'a-file.yaml'), '');
  const { out } = await runMain('--help');
  verbs = [...out.replace(/^[\s\S]*Commands:/, '').matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, verb]) =>
    verb === undefined || verb === 'help' ? [] : [verb],
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Lets bash complete a command line. The cursor is at the end of its last word. */
function complete(...words: string[]): string[] {
  const line = ['federated-etl', ...words].map((word) => `'${word}'`).join(' ');
  const act = `source ./script; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _federated_etl; printf '%s\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', act], { cwd: folder, encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('the completion of bash', () => {
  it('offers every verb', () => {
    expect(complete('').filter((word) => !word.startsWith('-'))).toEqual(verbs);
    expect(complete('ru')).toEqual(['run', 'runs']);
  });

  it('offers the verbs below a verb, and their options', () => {
    expect(complete('cluster', 'r')).toEqual(['remove', 'restore']);
    expect(complete('cluster', 'remove', '--d')).toEqual(['--dry-run', '--delete-files']);
    expect(complete('--config', 'status', 'runs', '--f')).toEqual(['--failed']);
  });

  it('offers the values of options and arguments', () => {
    expect(complete('inspect', '--pipeline', '')).toEqual(['allocations', 'assets']);
    expect(complete('inspect', '--pipeline', '=', 'as')).toEqual(['assets']);
    expect(complete('completion', 'f')).toEqual(['fish']);
    expect(complete('status', '--config', 'a-')).toEqual(['a-file.yaml']);
    expect(complete('merge', 'a-')).toEqual(['a-file.yaml']);
  });

  it('offers nothing for a value that only the user knows', () => {
    expect(complete('exclude', '--reason', '')).toEqual([]);
  });
});

// Some machines do not have these shells, so check only the content of the scripts.
it.each(['zsh', 'fish'])('the completion of %s has every verb and option', async (shell) => {
  for (const verb of verbs) {
    const { out } = await runMain(verb, '--help');
    const script = scripts[shell] ?? '';
    expect(script).toContain(verb);
    for (const [, option] of out.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm))
      expect(script).toContain(shell === 'fish' ? `-l ${option} ` : `'--${option}:`);
  }
});

it('refuses a shell that it does not know', async () => {
  expect(await runMain('completion', 'tcsh')).toMatchObject({ status: 2, out: '' });
});
