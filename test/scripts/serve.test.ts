import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearSettings } from '../servers/clear-environment';
import { until } from '../until';
import { runMain } from './run-main';

const golden = join(__dirname, '../golden/expected/federated/combined/etl');
const program = join(__dirname, '../../scripts/federated-etl.cjs');
const day = 'allocations/1d/1794614400-1794700800';
const cut = 'allocations/1d/1794700800-1794787200';

clearSettings();
let folder: string;
let child: ChildProcess | undefined;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'serve-'))));
afterEach(async () => {
  if (child?.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  rmSync(folder, { recursive: true });
});

const put = (window: string) =>
  cpSync(join(golden, 'bingen', window), join(folder, 'bingen', window), { recursive: true });

/**
 * Starts `serve` in a separate process, for the ETL files in `folder`. `written()` returns everything that the process
 * has printed so far.
 */
function start(): { started: ChildProcess; written: () => string } {
  const started = fork(program, ['serve', '--etl', folder, '--listen', '127.0.0.1:0'], {
    silent: true,
    execArgv: [],
  });
  let written = '';
  started.stdout?.on('data', (chunk: Buffer) => (written += chunk.toString()));
  child = started;
  return { started, written: () => written };
}

describe('serve', () => {
  it('answers over the folder, follows its changes, and ends on a signal', async () => {
    put(day);
    put(cut);
    truncateSync(join(folder, 'bingen', cut), 100);
    const { started, written } = start();
    const limits = { process: started, output: written };
    const url = await until('the address', () => /at (http:\S+)/.exec(written())?.[1], limits);
    await until('the first window', () => /^1 window ingested, \d+ rows\.$/m.test(written()), limits);
    const answer = await fetch(`${url}/model/allocation?window=1794614400,1794700800&aggregate=cluster`);
    expect(Object.keys(((await answer.json()) as { data: object[] }).data[0] ?? {})).toContain('cluster-1');

    put('assets/1d/1794614400-1794700800');
    await until('the second window', () => written().match(/^1 window ingested/gm)?.length === 2, limits);
    // The truncated file was found each time the folder was read, but it must be reported only once.
    expect(written().match(/cannot be read \(ETL_TRUNCATED\)/g)).toHaveLength(1);

    started.kill('SIGTERM');
    expect(await once(started, 'exit')).toEqual([0, null]);
  });

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGKILL'])('ends if its launcher gets a %s', async (signal) => {
    put(day);
    const foreground = JSON.stringify(join(__dirname, '../../scripts/set-up/foreground.cjs'));
    const argv = JSON.stringify([program, 'serve', '--etl', folder, '--listen', '127.0.0.1:0']);
    // Do the same as the launcher under an older Node: run the program in a child process.
    const launch = `require(${foreground}).runInForeground(process.execPath, ${argv}).then((code) => process.exit(code));`;
    const launcher = spawn(process.execPath, ['--eval', launch], { stdio: ['ignore', 'pipe', 'ignore'] });
    child = launcher;
    let written = '';
    const closed = once(launcher.stdout, 'close');
    launcher.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
    await until('the address', () => /at http:/.test(written), { process: launcher, output: () => written });
    launcher.kill(signal);
    // The server has inherited its end of the pipe from the launcher, so the pipe closes only once the server has
    // ended, too.
    await closed;
  });

  it('refuses a folder that does not exist', async () => {
    const { status, out, err } = await runMain('serve', '--etl', join(folder, 'nowhere'));
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^LOCAL_ETL_MISSING: /);
  });
});
