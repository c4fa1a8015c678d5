import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startKept } from '../../scripts/set-up/kept-process';
import { isAlive } from '../../scripts/set-up/lock.cjs';
import { until } from '../until';
import { program, scratchFolder, write } from './scratch';

const scratch = scratchFolder();
const root = path.resolve(__dirname, '..', '..');

describe('a kept process', () => {
  test('reports its lines and how it ended', async () => {
    const lines: string[] = [];
    const command = program(path.join(scratch(), 'talk'), 'echo one', 'echo two >&2', 'exit 3');
    const kept = await startKept(command, [], { onLine: (line) => void lines.push(line) });
    expect(await kept.exited).toEqual({ code: 3, signal: null });
    expect(lines.sort()).toEqual(['one', 'two']);
  });

  test('is stopped', async () => {
    const kept = await startKept('sleep', ['60']);
    expect(isAlive(kept.pid)).toBe(true);
    await kept.stop();
    expect(isAlive(kept.pid)).toBe(false);
  });

  test('is killed if it ignores the request to stop', async () => {
    const command = program(
      path.join(scratch(), 'deaf'),
      "trap '' TERM",
      'echo ready',
      'while :; do sleep 0.1; done',
    );
    let ready = false;
    const kept = await startKept(command, [], { graceMs: 200, onLine: () => (ready = true) });
    await until('the program to be ready', () => ready || undefined);
    await kept.stop();
    expect(kept.exit()?.signal).toBe('SIGKILL');
  });

  test('fails at once if the program does not exist', async () => {
    await expect(startKept(path.join(scratch(), 'nowhere'), [])).rejects.toThrow(/could not be started/);
  });

  test('ends, and its folder is removed, when the process that started it is killed', async () => {
    const folder = path.join(scratch(), 'its');
    mkdirSync(folder);
    const parent = write(
      path.join(scratch(), 'parent.cjs'),
      `require(${JSON.stringify(path.join(root, 'node_modules/tsx/dist/cjs/index.cjs'))});
      const { startKept } = require(${JSON.stringify(path.join(root, 'scripts/set-up/kept-process.ts'))});
      startKept('sleep', ['60'], { remove: [${JSON.stringify(folder)}] }).then((kept) => {
        console.log(kept.pid);
        setInterval(() => {}, 1000);
      });`,
    );
    const running = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => {
      createInterface({ input: running.stdout }).once('line', (line) => resolve(Number(line)));
    });
    expect(isAlive(pid)).toBe(true);
    running.kill('SIGKILL');
    await until('its end', () => (!isAlive(pid) && !existsSync(folder)) || undefined);
  });
});
