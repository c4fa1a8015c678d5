import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { checkPackages } from '../../scripts/set-up/packages.cjs';
import { runs } from '../etl/run-counts';
import { expand, parseDockerfile, type Step } from './dockerfile';

/**
 * The image that results from the steps of the Dockerfile: its root folder, and settings such as its environment
 * variables.
 */
export interface Image {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string;
  readonly stopSignal: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

const checkout = path.join(__dirname, '../..');

/**
 * Runs the steps of the Dockerfile as plain commands. The root of each stage is a folder below `scratch`. Skips the
 * stage `base`, because its step changes the base image, which does not exist here.
 */
export async function buildImage(
  scratch: string,
  buildArgs: Readonly<Record<string, string>>,
): Promise<Image> {
  const { args, stages } = parseDockerfile(await readFile(path.join(checkout, 'Dockerfile'), 'utf8'));
  const values = new Map([...args, ...Object.entries(buildArgs)]);
  const env: Record<string, string> = {};
  const labels: Record<string, string> = {};
  const last: Record<string, string> = {};
  for (const { name, steps } of stages) {
    if (name === 'base') continue;
    const root = path.join(scratch, name);
    await mkdir(root);
    let workdir = '/';
    for (const step of steps) {
      const { instruction, rest } = step;
      if (instruction === 'WORKDIR') await mkdir(path.join(root, (workdir = rest)), { recursive: true });
      else if (instruction === 'COPY') await copy(step, scratch, root, workdir);
      else if (instruction === 'RUN') await run(step, path.join(root, workdir), Object.fromEntries(values));
      else if (instruction === 'ENV') assign(env, expand(rest, values));
      else if (instruction === 'LABEL') assign(labels, expand(rest, values).replaceAll('"', ''));
      else if (instruction !== 'ARG') last[instruction] = rest;
    }
    last['WORKDIR'] = workdir;
  }
  const words = (instruction: string) => JSON.parse(last[instruction] ?? '[]') as string[];
  return {
    root: path.join(scratch, 'final'),
    env,
    labels,
    workdir: last['WORKDIR'] ?? '/',
    user: last['USER'] ?? '',
    stopSignal: last['STOPSIGNAL'] ?? '',
    entrypoint: words('ENTRYPOINT'),
    cmd: words('CMD'),
  };
}

async function copy({ flags, rest }: Step, scratch: string, root: string, workdir: string): Promise<void> {
  const sources = rest.split(' ');
  const to = path.resolve('/', workdir, sources.pop() ?? '');
  const [from] = flags.map((flag) => flag.replace('--from=', ''));
  if (from === 'base') return;
  for (const source of sources) {
    if (from === undefined && source === '.') {
      for (const name of await sentToTheEngine())
        await put(path.join(checkout, name), path.join(root, to, name));
      continue;
    }
    const file = from === undefined ? path.join(checkout, source) : path.join(scratch, from, source);
    if (from !== undefined && (await stat(file)).isDirectory()) {
      await mkdir(path.join(root, to), { recursive: true });
      await linkAll(
        (await readdir(file)).map((name) => path.join(file, name)),
        path.join(root, to),
      );
      continue;
    }
    const intoFolder = rest.endsWith('/') && (await stat(file)).isFile();
    await put(file, path.join(root, to, intoFolder ? path.basename(file) : ''));
  }
}

async function put(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await cp(from, to, { recursive: true });
}

/**
 * Returns the files that .dockerignore does not exclude. Supports only a .dockerignore that first excludes everything,
 * and then lists the names to include.
 */
async function sentToTheEngine(): Promise<string[]> {
  const lines = (await readFile(path.join(checkout, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [first, ...others] = lines;
  if (first !== '*' || others.some((line) => !/^![\w.-]+$/.test(line)))
    throw new Error('.dockerignore has more than names');
  return others.map((line) => line.slice(1));
}

/** The step that installs the packages. */
const installation = 'npm ci --ignore-scripts --no-audit --no-fund';

/**
 * Runs a step of the Dockerfile. In a quick test run, does not install the packages, but links those that are already
 * installed in the checkout.
 */
async function run({ rest }: Step, cwd: string, args: Record<string, string>): Promise<void> {
  const quick = runs(true, false) && checkPackages(checkout).ready;
  if (quick && rest === installation) return linkPackages(path.join(cwd, 'node_modules'));
  const child = spawn('sh', ['-c', rest], {
    cwd,
    // Clear NODE_ENV, which Jest sets, so that it does not affect the build.
    env: { ...process.env, NODE_ENV: '', ...args },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${rest} ended with ${String(code)}:\n${Buffer.concat(output).toString()}`);
}

/** Creates a folder with the installed packages of the checkout. */
async function linkPackages(to: string): Promise<void> {
  const from = path.join(checkout, 'node_modules');
  const names = (await readdir(from)).filter((name) => name !== '.cache');
  await mkdir(to);
  await linkAll(
    names.map((name) => path.join(from, name)),
    to,
  );
}

/**
 * Puts files and folders into a folder, as hard links where the file system can have them. `cp` is much faster at this
 * than Node.
 */
async function linkAll(sources: readonly string[], to: string): Promise<void> {
  const copy = (...options: string[]) => promisify(execFile)('cp', [...options, ...sources, `${to}/`]);
  // Another file system, or a `cp` that cannot link.
  await copy('-a', '--link').catch(() => copy('-a'));
}

function assign(to: Record<string, string>, assignment: string): void {
  const at = assignment.indexOf('=');
  to[assignment.slice(0, at)] = assignment.slice(at + 1);
}
