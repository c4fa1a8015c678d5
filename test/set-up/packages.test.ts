import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkPackages, ensurePackages, stampPackages } from '../../scripts/set-up/packages.cjs';
import { scratchFolder, write } from './scratch';

const packages: Record<string, { version: string; optional?: boolean }> = {
  'node_modules/left': { version: '1.0.0' },
  'node_modules/@some/right': { version: '2.0.0' },
  'node_modules/left/node_modules/@some/right': { version: '1.5.0' },
  'node_modules/for-this-platform': { version: '3.0.0', optional: true },
  'node_modules/for-another-platform': { version: '3.0.0', optional: true },
};

const scratch = scratchFolder();
const packageJson = (where: string): string => path.join(scratch(), where, 'package.json');

function writeLock(): void {
  write(
    path.join(scratch(), 'package-lock.json'),
    JSON.stringify({ lockfileVersion: 3, packages: { '': {}, ...packages } }),
  );
}

function installAll(): void {
  for (const [where, { version }] of Object.entries(packages)) {
    if (where !== 'node_modules/for-another-platform') write(packageJson(where), JSON.stringify({ version }));
  }
}

describe('checking node_modules', () => {
  beforeEach(() => {
    writeLock();
    installAll();
    stampPackages(scratch());
  });

  test('accepts an installation, without the packages for other platforms', () => {
    expect(checkPackages(scratch())).toEqual({ ready: true });
  });

  test('reports a deleted package by name', () => {
    rmSync(path.dirname(packageJson('node_modules/@some/right')), { recursive: true });
    expect(checkPackages(scratch()).why).toBe('node_modules is incomplete: @some/right is missing');
  });

  test('reports a missing optional package that the installation had included', () => {
    rmSync(path.dirname(packageJson('node_modules/for-this-platform')), { recursive: true });
    expect(checkPackages(scratch()).why).toBe('node_modules is incomplete: for-this-platform is missing');
  });

  test('detects a package of another version, even a nested one', () => {
    writeFileSync(packageJson('node_modules/left/node_modules/@some/right'), '{"version":"1.4.0"}');
    expect(checkPackages(scratch()).why).toBe('@some/right is 1.4.0, package-lock.json has 1.5.0');
  });

  test('detects a package whose package.json is truncated', () => {
    writeFileSync(packageJson('node_modules/left'), '{"versi');
    expect(checkPackages(scratch()).why).toBe('node_modules is incomplete: left is missing');
  });

  test('detects a changed package-lock.json', () => {
    write(path.join(scratch(), 'package-lock.json'), JSON.stringify({ packages: { '': {} } }));
    expect(checkPackages(scratch()).why).toBe('package-lock.json changed');
  });

  test('does not mistake a half-finished installation for a finished one', () => {
    rmSync(path.join(scratch(), 'node_modules'), { recursive: true });
    installAll();
    expect(checkPackages(scratch()).why).toBe('the last installation did not finish');
  });

  test('detects that node_modules is missing, or a file', () => {
    const folder = path.join(scratch(), 'node_modules');
    rmSync(folder, { recursive: true });
    expect(checkPackages(scratch()).why).toBe('node_modules is missing');
    writeFileSync(folder, 'stray');
    expect(checkPackages(scratch()).why).toBe('node_modules is not a folder');
  });
});

describe('installing the packages', () => {
  const before = process.env['npm_execpath'];
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);

  beforeEach(() => {
    writeLock();
    said.length = 0;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['npm_execpath'];
    else process.env['npm_execpath'] = before;
  });

  /** Writes a fake npm. Its first `failures` calls fail, and the next call installs all packages. */
  function fakeNpm(failures: number): void {
    const installed = Object.entries(packages).filter(
      ([where]) => where !== 'node_modules/for-another-platform',
    );
    process.env['npm_execpath'] = write(
      path.join(scratch(), 'bin', 'npm-cli.js'),
      `
      const fs = require('node:fs');
      fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
      if (fs.readFileSync('calls', 'utf8').split('\\n').length - 1 <= ${failures}) {
        console.error('npm error: the registry is on holiday');
        process.exit(7);
      }
      for (const [where, entry] of ${JSON.stringify(installed)}) {
        fs.mkdirSync(where, { recursive: true });
        fs.writeFileSync(where + '/package.json', JSON.stringify(entry));
      }
      `,
    );
  }
  const calls = (): string[] => readFileSync(path.join(scratch(), 'calls'), 'utf8').trim().split('\n');

  test('happens once, with the tools, and prints why', async () => {
    fakeNpm(0);
    await ensurePackages(scratch(), say);
    await ensurePackages(scratch(), say);
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toMatch(/^ci .*--include=dev/);
    expect(said[0]).toBe('Installing packages (node_modules is missing)…');
    expect(checkPackages(scratch())).toEqual({ ready: true });
  });

  test('replaces a file named node_modules', async () => {
    fakeNpm(0);
    write(path.join(scratch(), 'node_modules'), 'stray');
    await ensurePackages(scratch(), say);
    expect(checkPackages(scratch())).toEqual({ ready: true });
  });

  test('is retried once', async () => {
    fakeNpm(1);
    await ensurePackages(scratch(), say);
    expect(calls()).toHaveLength(2);
    expect(checkPackages(scratch())).toEqual({ ready: true });
  });

  test("shows npm's own output if it fails twice, and leaves no stamp", async () => {
    fakeNpm(2);
    await expect(ensurePackages(scratch(), say)).rejects.toThrow(
      /the registry is on holiday[^]*npm ci failed twice/,
    );
    expect(checkPackages(scratch()).ready).toBe(false);
    expect(existsSync(path.join(scratch(), '.federated-etl', 'installing.lock'))).toBe(false);
  });

  test('happens once for two concurrent starts', async () => {
    fakeNpm(0);
    await Promise.all([ensurePackages(scratch(), say), ensurePackages(scratch(), say)]);
    expect(calls()).toHaveLength(1);
  });

  test('takes over from a start that was killed', async () => {
    fakeNpm(0);
    write(
      path.join(scratch(), '.federated-etl', 'installing.lock'),
      JSON.stringify({ pids: [999_999_999], host: os.hostname() }),
    );
    await ensurePackages(scratch(), say);
    expect(calls()).toHaveLength(1);
  });
});
