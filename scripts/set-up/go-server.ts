import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder';
import { startKept } from './kept-process';
import { isAlive, withLock } from './lock.cjs';

const run = promisify(execFile);

/**
 * A server program written in Go. `version` is the version that is downloaded or built if no usable program is
 * installed.
 */
export interface GoServer {
  /** Name of the executable, without `.exe`. */
  readonly name: string;
  readonly version: string;
  /** Package to pass to `go install`, without the version. */
  readonly goPackage: string;
  readonly ldflags?: string;
  /** Oldest Go version that can build the server, such as `1.25`. */
  readonly minimumGo: string;
  /**
   * Approximate number of packages that a build without any cache compiles. `coldBuild` is the duration of such a build
   * on two cores. Both only appear in progress messages.
   */
  readonly packages: number;
  readonly coldBuild: string;
  /**
   * Command lines that test the program. For each, the program must exit with code 0 and print every text in `mustSay`.
   */
  readonly probes: readonly { readonly args: readonly string[]; readonly mustSay: readonly string[] }[];
}

/** Options for the search for a program: environment variables (tests pass their own), and how to report progress. */
export interface FindOptions {
  env?: NodeJS.ProcessEnv;
  say: (line: string) => void;
  /** Interval between the progress messages of a long operation. (Default: 10 seconds) */
  progressMs?: number;
}

/** Path of a usable program, or a clause that says why there is none. */
export type Found = { path: string; problem?: undefined } | { path?: undefined; problem: string };

/**
 * Runs a program to check that it works and has the required features. Returns a clause that says what is wrong with
 * it, or undefined if it is usable.
 */
export async function probe(server: GoServer, binary: string): Promise<string | undefined> {
  for (const { args, mustSay } of server.probes) {
    try {
      const { stdout, stderr } = await run(binary, [...args], { timeout: 20_000 });
      const missing = mustSay.find((text) => !`${stdout}${stderr}`.includes(text));
      if (missing !== undefined)
        return `it is too old: \`${[server.name, ...args].join(' ')}\` lacks ${missing}`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'no such file';
      if (code === 'EACCES') return 'it is not executable';
      return `\`${[server.name, ...args].join(' ')}\` fails`;
    }
  }
  return undefined;
}

/** Returns the first usable program on the PATH. */
export async function findOnPath(server: GoServer, { env = process.env, say }: FindOptions): Promise<Found> {
  for (const folder of (env['PATH'] ?? '').split(path.delimiter).filter((entry) => entry !== '')) {
    const binary = path.join(folder, executable(server.name));
    if (!(await isExecutable(binary))) continue;
    const problem = await probe(server, binary);
    if (problem === undefined) return { path: binary };
    say(`Skipping ${binary}: ${problem}.`);
  }
  return { problem: `no usable ${server.name} on the PATH` };
}

/** Returns the path at which the program is cached, even if it is not in the cache yet. */
export function cachedBinary(server: GoServer, env: NodeJS.ProcessEnv = process.env): string {
  return path.join(cacheFolder(env), server.name, server.version, executable(server.name));
}

/** Looks for the program in the cache. Deletes an unusable program, so that the caller downloads or builds it again. */
export async function findInCache(server: GoServer, { env, say }: FindOptions): Promise<Found> {
  const binary = cachedBinary(server, env);
  if ((await stat(binary).catch(() => undefined)) === undefined) return { problem: 'not in the cache' };
  const problem = await probe(server, binary);
  if (problem === undefined) return { path: binary };
  say(`The cached ${server.name} is damaged (${problem}). Removing it: ${binary}`);
  await rm(binary, { recursive: true, force: true });
  return { problem: 'not in the cache' };
}

/**
 * Adds the program to the cache. `make` creates the program in a temporary folder and returns its path. If the program
 * is usable, it is then moved to its final path. Only one process at a time does this. The others wait and use its
 * result.
 */
export async function addToCache(
  server: GoServer,
  options: FindOptions,
  make: (folder: string) => Promise<Found>,
): Promise<Found> {
  const binary = cachedBinary(server, options.env);
  const home = path.dirname(path.dirname(binary));
  try {
    await mkdir(path.dirname(binary), { recursive: true });
  } catch (error) {
    return { problem: `the cache folder cannot be created: ${(error as Error).message}` };
  }
  const onWait = (holder: string): void =>
    options.say(`Waiting for ${holder}, which is installing ${server.name}…`);
  return withLock(path.join(home, `${server.version}.lock`), { onWait }, async () => {
    const already = await findInCache(server, options);
    if (already.path !== undefined) return already;
    await removeLeftovers(home);
    const folder = await mkdtemp(path.join(home, `making-${process.pid}-`));
    try {
      const made = await make(folder);
      if (made.path === undefined) return made;
      const problem = await probe(server, made.path);
      if (problem !== undefined) return { problem: `the result is unusable: ${problem}` };
      await rename(made.path, binary);
      return { path: binary };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Builds the program with `go install` in a folder, and reports progress. */
export async function goInstall(server: GoServer, options: FindOptions, folder: string): Promise<Found> {
  const { say, progressMs = 10_000 } = options;
  const env = await buildEnvironment(options.env ?? process.env, folder);
  const unusable = await checkGo(server, env);
  if (unusable !== undefined) return { problem: unusable };

  const target = `${server.goPackage}@v${server.version}`;
  say(
    `Building ${server.name} ${server.version} with go install (about ${server.coldBuild} the first time)…`,
  );
  const started = Date.now();
  const tail: string[] = [];
  let downloaded = 0;
  let compiled = 0;
  let now = '';
  const onLine = (line: string): void => {
    tail.push(line);
    if (tail.length > 20) tail.shift();
    if (line.startsWith('go: downloading ')) downloaded += 1;
    else if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) compiled += 1;
    else return;
    now = line.replace('go: ', '');
  };
  const args = ['install', '-v', ...(server.ldflags ? ['-ldflags', server.ldflags] : []), target];
  const build = await startKept('go', args, { env, cwd: folder, onLine, remove: [folder] });
  const timer = setInterval(() => {
    const done = `${downloaded} modules downloaded, ${compiled} of at most ${server.packages} packages compiled`;
    say(`  … ${elapsed(started)}: ${done}${now ? `, now ${now}` : ''}`);
  }, progressMs);
  const { code } = await build.exited.finally(() => clearInterval(timer));
  if (code !== 0) return { problem: `\`go install ${target}\` failed:\n    ${tail.join('\n    ')}` };
  say(`Built ${server.name} ${server.version} in ${elapsed(started)}.`);
  return { path: path.join(folder, executable(server.name)) };
}

/**
 * Returns the environment variables for running Go: those of the user, without settings that would break the build of a
 * third-party module.
 */
async function buildEnvironment(env: NodeJS.ProcessEnv, folder: string): Promise<NodeJS.ProcessEnv> {
  const scratch = path.join(folder, 'go-tmp');
  await mkdir(scratch, { recursive: true });
  const flags = await goSetting('GOFLAGS', env);
  const harmless = flags
    .split(/\s+/)
    .filter((flag) => flag !== '' && !/^--?(mod|o|race|cover|json|n|x)\b/.test(flag));
  // Never set GOFLAGS to an empty string: Go would then use the value that the user saved with `go env -w`. Remove GOOS
  // and GOARCH: `go install` refuses to cross-compile if GOBIN is set.
  const { GOOS: _os, GOARCH: _arch, ...rest } = env;
  return {
    ...rest,
    GOFLAGS: ['-buildvcs=false', ...harmless].join(' '),
    GOWORK: 'off',
    GOBIN: folder,
    GOTMPDIR: scratch,
  };
}

/** Returns why the installed Go cannot build the server, or undefined if it can. */
async function checkGo(server: GoServer, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const version = await run('go', ['version'], { env, timeout: 60_000 }).then(
    ({ stdout }) => /go(\d+\.\d+)/.exec(stdout)?.[1],
    () => undefined,
  );
  if (version === undefined) return 'Go is not installed';
  if (!isOlder(version, server.minimumGo)) return undefined;
  // A Go that is too old may still work: since version 1.21, Go downloads a newer toolchain if its settings allow that.
  const mayFetch =
    !isOlder(version, '1.21') && !/^(local|path|go[\d.]+)$/.test(await goSetting('GOTOOLCHAIN', env));
  return mayFetch ? undefined : `Go ${server.minimumGo} or newer is required, this is ${version}`;
}

async function goSetting(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  return run('go', ['env', name], { env, timeout: 60_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}

/** Deletes temporary folders that other processes left behind because they were killed. */
async function removeLeftovers(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = /^making-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(path.join(home, name), { recursive: true, force: true });
  }
}

async function isExecutable(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return false;
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

/** Returns the time since `started` (in milliseconds since 1970) as text, such as `42 s` or `3 min 5 s`. */
export function elapsed(started: number): string {
  const seconds = Math.round((Date.now() - started) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
