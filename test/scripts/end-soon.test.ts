import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { loadTypescript } from '../servers/load-typescript';

const scripts = path.join(__dirname, '../../scripts');

/**
 * Runs lines of code as a separate program in which `endSoon` is defined. Returns the program's exit code, or null if
 * the program did not end in time.
 */
function runLines(...lines: string[]): number | null {
  const program = `const { endSoon } = require(${JSON.stringify(path.join(scripts, 'stop-on-signals.ts'))});`;
  const { status } = spawnSync(
    process.execPath,
    [...loadTypescript, '--eval', [program, ...lines].join('\n')],
    // Only a program that hangs reaches this time limit, so the limit can be long.
    { timeout: 110_000 },
  );
  return status;
}

describe('a process that has finished its work', () => {
  it('ends with its exit status, even if something keeps it alive', () => {
    const status = runLines('setInterval(() => undefined, 1_000);', 'endSoon(200);', 'process.exitCode = 3;');
    expect(status).toBe(3);
  });

  it('is not kept alive by endSoon', () => {
    expect(runLines('endSoon(600_000);')).toBe(0);
  });
});
