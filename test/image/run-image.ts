import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { chmod, chown, copyFile, cp, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Image } from './build-image';

/** A program that was started in the image. It may have ended already. */
export interface Running {
  /** Returns the output so far: stdout and stderr together. */
  output(): string;
  /** Resolves to the program's exit status when it ends, or to `null` if a signal ended it. */
  readonly ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  readonly process: ChildProcess;
}

export interface RunOptions {
  /** A local folder that the program sees at the same path. The image's user must be able to write to it. */
  readonly volume?: string;
}

/** Substitute for a container engine: runs programs in the image. */
export interface Engine {
  readonly name: string;
  start(args: readonly string[], options?: RunOptions): Running;
}

/**
 * Prepares an engine that runs programs in the image.
 *
 * If the tests run as root on Linux and may create namespaces, the engine works almost like a real container engine:
 * - The program sees a read-only root file system with the files of the image, but with the libraries of this machine
 *   instead of those of the base image.
 * - The program has its own mount namespace, and its own process namespace, in which it is process 1.
 * - The program runs as the image's user, without capabilities.
 *
 * Otherwise, the program runs as the user who runs the tests, directly from the folder with the image's files. The
 * subfolder `app` is made read-only.
 */
export async function prepareEngine(image: Image): Promise<Engine> {
  const node = path.join(image.root, 'usr/local/bin/node');
  await mkdir(path.dirname(node), { recursive: true });
  await copyFile(process.execPath, node);
  await chmod(node, 0o755);
  return canIsolate() ? isolatedEngine(image) : plainEngine(image);
}

function canIsolate(): boolean {
  const attempt = ['--mount', '--pid', '--fork', 'setpriv', '--no-new-privs', 'true'];
  return process.getuid?.() === 0 && spawnSync('unshare', attempt).status === 0;
}

/**
 * Folders that the base image would contain. The base image does not exist here, so the program sees this machine's
 * folders instead.
 */
const fromHere = ['/bin', '/lib', '/lib64', '/usr/bin', '/usr/lib', '/usr/lib64'];

async function isolatedEngine(image: Image): Promise<Engine> {
  const folders = [];
  for (const folder of fromHere.filter((one) => existsSync(one))) {
    const inside = path.join(image.root, folder);
    if (lstatSync(folder).isSymbolicLink()) await cp(folder, inside, { verbatimSymlinks: true });
    else {
      await mkdir(inside, { recursive: true });
      folders.push(folder);
    }
  }
  for (const folder of ['proc', 'dev', 'tmp'])
    await mkdir(path.join(image.root, folder), { recursive: true });
  // Arguments of the script: root, volume (or an empty string), user and group, working folder, and then the command.
  const script = [
    'root=$1 volume=$2 user=$3 workdir=$4; shift 4',
    'mount --bind "$root" "$root"',
    ...folders.map(
      (folder) => `mount --bind ${folder} "$root${folder}"; mount -o remount,bind,ro "$root${folder}"`,
    ),
    'mount -o remount,bind,ro "$root"',
    'mount --rbind /dev "$root/dev"',
    'mount -t proc proc "$root/proc"',
    'mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"',
    'if [ -n "$volume" ]; then mkdir -p "$root$volume"; mount --bind "$volume" "$root$volume"; fi',
    'exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" /usr/bin/env -C "$workdir" "$@"',
  ].join('\n');
  return {
    name: 'isolated',
    start: (args, { volume = '' } = {}) => {
      const command = [...image.entrypoint, ...(args.length > 0 ? args : image.cmd)];
      const child = spawn(
        'unshare',
        [
          ...['--mount', '--pid', '--fork', '--kill-child'],
          ...['sh', '-eu', '-c', script, 'sh', image.root, volume, image.user, image.workdir],
          ...command,
        ],
        { env: { ...image.env }, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      // Send the signal to the program itself. It is the only child of `unshare`, and process 1 in its namespace.
      return observe(child, (name) => {
        const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
        process.kill(Number(children.trim().split(' ')[0]), name);
      });
    },
  };
}

async function plainEngine(image: Image): Promise<Engine> {
  await makeReadOnly(path.join(image.root, 'app'));
  const inside = (word: string) => (word.startsWith('/') ? path.join(image.root, word) : word);
  return {
    name: 'plain',
    start: (args) => {
      const [program = '', ...words] = image.entrypoint.map(inside);
      const child = spawn(program, [...words, ...(args.length > 0 ? args : image.cmd)], {
        cwd: path.join(image.root, image.workdir),
        env: { ...image.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return observe(child, (name) => child.kill(name));
    },
  };
}

/** Makes the image's user the owner of a folder and everything in it. Does nothing unless the tests run as root. */
export async function giveToUser(image: Image, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const [user = 0, group = 0] = image.user.split(':').map(Number);
  const entries = await readdir(folder, { recursive: true });
  for (const name of ['', ...entries]) await chown(path.join(folder, name), user, group);
}

/** Makes all subfolders of a folder writable, so that files in them can be changed or removed. */
export async function makeWritable(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (entry.isDirectory()) await chmod(path.join(entry.parentPath, entry.name), 0o755);
  }
}

async function makeReadOnly(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  for (const entry of entries.reverse()) {
    await chmod(path.join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444);
  }
  await chmod(folder, 0o555);
}

function observe(child: ChildProcess, signal: Running['signal']): Running {
  const output: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk));
  return {
    output: () => Buffer.concat(output).toString(),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }),
    signal,
    process: child,
  };
}
