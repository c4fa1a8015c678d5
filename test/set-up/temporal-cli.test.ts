import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isFederationError } from '../../errors/federation-error';
import { cachedBinary, type Found } from '../../scripts/set-up/go-server';
import { findTemporal, type FoundTemporal, temporalCli } from '../../scripts/set-up/temporal-cli';
import { program, scratchFolder, temporalLines, write } from './scratch';

const scratch = scratchFolder();

/**
 * Returns an environment in which this machine's Go and Temporal CLI cannot be found. Its PATH contains only `chmod`,
 * `sleep` and the fake programs of the test.
 */
function world(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  for (const tool of ['chmod', 'sleep']) program(onPath(tool), `exec /bin/${tool} "$@"`);
  return { PATH: path.join(scratch(), 'path'), XDG_CACHE_HOME: path.join(scratch(), 'cache'), ...more };
}

const onPath = (name: string): string => path.join(scratch(), 'path', name);
const unreachable = (): Promise<Found> => Promise.resolve({ problem: 'no network' });

async function find(
  env: NodeJS.ProcessEnv,
  download: (options: object, folder: string) => Promise<Found> = unreachable,
): Promise<{ found: FoundTemporal; said: string }> {
  const said: string[] = [];
  const found = await findTemporal({ env, download, say: (line) => void said.push(line), progressMs: 50 });
  return { found, said: said.join('\n') };
}

/** Writes a fake Go command that pretends to build a Temporal CLI. */
function go(version: string, ...install: string[]): void {
  program(
    onPath('go'),
    `case "$1" in`,
    `  version) echo "go version go${version} linux/amd64" ;;`,
    `  env) [ "$2" = GOFLAGS ] && echo "-mod=vendor -modcacherw"; [ "$2" = GOTOOLCHAIN ] && echo local; true ;;`,
    `  install)`,
    ...install,
    `esac`,
  );
}
const built = [
  `echo "go: downloading example.com/module v1.0.0" >&2`,
  `echo "example.com/module/package" >&2`,
  `echo "$GOFLAGS|$*" > "$GOBIN/../../seen"`,
  `printf '#!/bin/sh\\n' > "$GOBIN/temporal"`,
  ...temporalLines.map((line) => `printf '%s\\n' '${line}' >> "$GOBIN/temporal"`),
  `chmod +x "$GOBIN/temporal"`,
];

describe('finding a Temporal server', () => {
  test('uses the first of address, TEMPORAL_CLI, PATH, cache, download, go install', async () => {
    const env = world();
    const cached = cachedBinary(temporalCli, env);
    const chosen = program(path.join(scratch(), 'chosen', 'my-temporal'), ...temporalLines);
    go('1.26.8', ...built);
    expect((await find(env)).found).toEqual({ kind: 'binary', path: cached, from: 'go install' });
    expect((await find(env)).found).toEqual({ kind: 'binary', path: cached, from: 'cache' });
    program(onPath('temporal'), ...temporalLines);
    expect((await find(env)).found).toEqual({ kind: 'binary', path: onPath('temporal'), from: 'PATH' });
    const withCli = { ...env, TEMPORAL_CLI: chosen };
    expect((await find(withCli)).found).toEqual({ kind: 'binary', path: chosen, from: 'TEMPORAL_CLI' });
    const withAddress = { ...withCli, TEMPORAL_ADDRESS: 'temporal:7233' };
    expect((await find(withAddress)).found).toEqual({ kind: 'address', address: 'temporal:7233' });
  });

  test('ignores TEMPORAL_ADDRESS if a separate server is requested', async () => {
    program(onPath('temporal'), ...temporalLines);
    const env = world({ TEMPORAL_ADDRESS: 'temporal:7233' });
    const found = await findTemporal({ env, useAddress: false, say: () => undefined });
    expect(found).toMatchObject({ kind: 'binary', from: 'PATH' });
  });

  test('skips unusable programs, and reports why', async () => {
    program(onPath('temporal'), 'echo "an old one without that flag"');
    write(path.join(scratch(), 'not-executable'), '');
    const env = world({ TEMPORAL_CLI: path.join(scratch(), 'not-executable') });
    go('1.26.8', ...built);
    const { found, said } = await find(env);
    expect(found).toMatchObject({ from: 'go install' });
    expect(said).toContain('not-executable is unusable: it is not executable. Looking elsewhere.');
    expect(said).toContain(
      `Skipping ${onPath('temporal')}: it is too old: \`temporal server start-dev --help\` lacks --db-filename`,
    );
  });

  test('replaces a damaged entry of the cache', async () => {
    const env = world();
    write(cachedBinary(temporalCli, env), 'half a file');
    go('1.26.8', ...built);
    const { found, said } = await find(env);
    expect(found).toMatchObject({ from: 'go install' });
    expect(said).toContain('The cached temporal is damaged');
  });

  test('replaces an entry of the cache that is a folder', async () => {
    const env = world();
    write(path.join(cachedBinary(temporalCli, env), 'stray'), '');
    go('1.26.8', ...built);
    expect((await find(env)).found).toMatchObject({ from: 'go install' });
  });

  test('removes what a killed process left half-finished', async () => {
    const env = world();
    const home = path.dirname(path.dirname(cachedBinary(temporalCli, env)));
    const leftover = write(path.join(home, 'making-999999999-abc', 'temporal'), '');
    go('1.26.8', ...built);
    await find(env);
    expect(existsSync(leftover)).toBe(false);
  });

  test('uses the download if there is one', async () => {
    const env = world();
    const { found } = await find(env, (_, folder) =>
      Promise.resolve({ path: program(path.join(folder, 'temporal'), ...temporalLines) }),
    );
    expect(found).toEqual({ kind: 'binary', path: cachedBinary(temporalCli, env), from: 'download' });
  });

  test('builds the pinned version, without the flags that would prevent it, and shows progress', async () => {
    const env = world();
    go('1.26.8', ...built.slice(0, 2), 'sleep 0.3', ...built.slice(2));
    const { said } = await find(env);
    const home = path.dirname(path.dirname(cachedBinary(temporalCli, env)));
    const seen = readFileSync(path.join(path.dirname(home), 'seen'), 'utf8');
    expect(seen).toMatch(/^-buildvcs=false -modcacherw\|install -v -ldflags .*\/cmd\/temporal@v1\.5\.1\n$/);
    expect(said).toMatch(
      /… \d+ s: 1 modules downloaded, 1 of at most \d+ packages compiled, now example.com\/module\/package/,
    );
  });

  test.each<[string, () => void, RegExp]>([
    ['without Go', () => undefined, /go install: Go is not installed/],
    ['with an old Go', () => go('1.20.1'), /Go 1\.25 or newer is required, this is 1\.20/],
    [
      'if the build fails',
      () => go('1.26.8', 'echo "no space left" >&2; exit 1'),
      /failed:\n +no space left/,
    ],
  ])('explains what to install %s', async (_, prepare, reason) => {
    prepare();
    const error: unknown = await find(world()).catch((thrown: unknown) => thrown);
    if (!isFederationError(error, 'SERVER_NOT_FOUND')) throw error;
    expect(error.detail).toMatch(reason);
    expect(error.detail).toContain('Download: no network.');
    expect(error.hint).toMatch(
      /install the Temporal CLI[^]*TEMPORAL_CLI[^]*install Go 1\.25[^]*TEMPORAL_ADDRESS/,
    );
  });
});
