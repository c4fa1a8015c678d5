import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { loadTypescript } from '../servers/load-typescript';

/**
 * Runs command lines in one separate process. Returns the packages that it has loaded. This cannot be observed in the
 * test's own process, because Jest has its own module registry.
 */
async function loadedBy(...commandLines: readonly string[][]): Promise<string[]> {
  const script = `
    const { main } = require('./scripts/federated-etl.ts');
    const run = async () => {
      for (const args of JSON.parse(process.argv[1])) await main(args);
      const packages = Object.keys(require.cache).flatMap(
        (file) => /node_modules.((?:@[^/\\\\]+.)?[^/\\\\]+)/.exec(file)?.[1] ?? [],
      );
      process.send([...new Set(packages)].sort(), () => process.disconnect());
    };
    run();`;
  const child = spawn(process.execPath, [...loadTypescript, '--eval', script, JSON.stringify(commandLines)], {
    cwd: join(__dirname, '../..'),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const [packages] = (await once(child, 'message')) as [string[]];
  // A checkout loads this to compile the sources.
  return packages.filter((name) => name !== 'esbuild');
}

const verbs = [
  'run demo doctor status federate runs replay exclude include quarantine accept generations diff rollback verify',
  'backups restore inspect merge export serve completion',
].flatMap((names) => names.split(' ').map((name) => [name]));

const nested = [
  'cluster remove',
  'cluster restore',
  'quarantine drop',
  'primary status',
  'primary enter',
].map((verb) => verb.split(' '));

test('help, the version, completion and wrong usage load no package but those for options', async () => {
  const loaded = await loadedBy(
    ['--help'],
    ['--version'],
    ['completion', 'bash'],
    ['stats'],
    ['diff', 'newest'],
    ['exclude', 'cluster-3', '--timeout', 'soon'],
    ...[...verbs, ...nested].map((verb) => [...verb, '--help']),
  );
  expect(loaded).toEqual(['commander', 'ms']);
});

test('a verb on local files loads no package of Temporal, of the stores or of the settings', async () => {
  const loaded = await loadedBy(['merge', 'missing', '--out', 'missing']);
  expect(loaded).toEqual(['commander', 'ms']);
});
