import { spawn } from 'node:child_process';
import { until } from './until';

describe('a wait for a process', () => {
  const start = (code: string) => {
    const process_ = spawn(process.execPath, ['--eval', code], { stdio: ['ignore', 'pipe', 'ignore'] });
    let written = '';
    process_.stdout.setEncoding('utf8').on('data', (text: string) => (written += text));
    return { process: process_, output: () => written };
  };

  it('fails at once with its output if it ends too soon', async () => {
    const started = start('console.log("no such folder"); process.exitCode = 3');
    const wait = until('the address', () => undefined, { ...started, patienceMs: 600_000 });
    await expect(wait).rejects.toThrow(
      'Waited in vain for the address: the process ended with 3.\nno such folder\n',
    );
  });

  it('notices the last thing that the process did', async () => {
    const started = start('console.log("done")');
    expect(await until('its word', () => started.output() === 'done\n', started)).toBe(true);
  });

  it('names the signal that ended it', async () => {
    const started = start('setInterval(() => undefined, 1000)');
    started.process.kill('SIGKILL');
    await expect(until('anything', () => undefined, started)).rejects.toThrow('ended with SIGKILL');
  });
});
