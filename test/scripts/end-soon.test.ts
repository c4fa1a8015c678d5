import { spawnSync } from 'node:child_process';
import path from 'node:path';

const scripts = path.join(__dirname, '../../scripts');

/** Runs a few lines as a program of its own, with `endSoon` at hand. */
function runLines(...lines: string[]): { status: number | null; ms: number } {
  const started = Date.now();
  const program = `const { endSoon } = require(${JSON.stringify(path.join(scripts, 'stop-on-signals.ts'))});`;
  const { status } = spawnSync(
    process.execPath,
    ['--require', 'tsx/cjs', '--eval', [program, ...lines].join('\n')],
    { timeout: 20_000 },
  );
  return { status, ms: Date.now() - started };
}

describe('a process that has done its work', () => {
  it('is ended with its exit status, though something keeps it alive', () => {
    const { status } = runLines(
      'setInterval(() => undefined, 1_000);',
      'endSoon(200);',
      'process.exitCode = 3;',
    );
    expect(status).toBe(3);
  });

  it('is not kept by that', () => {
    const { status, ms } = runLines('endSoon(15_000);');
    expect(status).toBe(0);
    expect(ms).toBeLessThan(14_000);
  });
});
