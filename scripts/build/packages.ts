import { existsSync, readdirSync, statSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { changedLines, leftOutDependencies, leftOutEndings, leftOutFiles } from './left-out';

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

type Lock = Readonly<Record<string, LockedPackage>>;

/**
 * Returns the folders of all packages that the program needs at run time, sorted. Each folder is written as in
 * package-lock.json, for example `node_modules/a/node_modules/b`.
 */
export async function packagesThatRun(root: string): Promise<string[]> {
  const text = await readFile(path.join(root, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Lock };
  const found = new Set<string>();
  const unused = new Set(
    Object.entries(leftOutDependencies).flatMap(([from, names]) => names.map((name) => `${from} ${name}`)),
  );
  const visit = (from: string) => {
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } =
      packages[from] ?? {};
    const optional = (name: string) =>
      optionalDependencies?.[name] !== undefined || peerDependenciesMeta?.[name]?.optional === true;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      if (leftOutDependencies[packageName(from)]?.includes(name)) {
        unused.delete(`${packageName(from)} ${name}`);
        continue;
      }
      const at = resolveFrom(packages, from, name);
      if (at !== undefined && existsSync(path.join(root, at))) {
        if (found.has(at)) continue;
        found.add(at);
        visit(at);
      } else if (!optional(name)) {
        throw new Error(`${from || 'the project'} needs ${name}, which is not installed; run npm ci`);
      }
    }
  };
  visit('');
  refuse(unused, 'dependencies');
  return [...found].sort();
}

/** Copies packages into the built folder, except for files that are never loaded and binaries for other platforms. */
export async function copyPackages(root: string, to: string, packages: readonly string[]): Promise<void> {
  for (const at of packages) {
    const from = path.join(root, at);
    const nested = path.join(from, 'node_modules');
    const files = (leftOutFiles[packageName(at)] ?? []).map((file) => path.join(from, file));
    refuse(
      files.filter((file) => !existsSync(file)),
      'files',
    );
    const left = new Set([...files, ...otherPlatforms(from, at), nested]);
    await cp(from, path.join(to, at), {
      recursive: true,
      filter: (file) => !left.has(file) && !(leftOutEndings.includes(path.extname(file)) && isFile(file)),
    });
  }
  for (const { file, from, to: replacement } of changedLines) {
    const target = path.join(to, file);
    const lines = (await readFile(target, 'utf8')).split('\n');
    refuse(lines.filter((line) => line === from).length === 1 ? [] : [`${file}: ${from}`], 'changed lines');
    await writeFile(target, lines.map((line) => (line === from ? replacement : line)).join('\n'));
  }
}

/**
 * Returns the folders of a package that contain native builds for other platforms. Only `@temporalio/core-bridge` has
 * such folders: it ships with the builds for all platforms and chooses one when it is loaded.
 */
function otherPlatforms(from: string, at: string): string[] {
  if (packageName(at) !== '@temporalio/core-bridge') return [];
  const releases = path.join(from, 'releases');
  const [arch, system] = [archs[process.arch], systems[process.platform]];
  const own = `${arch}-${system}`;
  const all = readdirSync(releases);
  refuse(all.includes(own) ? [] : [own], 'native builds');
  return all.filter((release) => release !== own).map((release) => path.join(releases, release));
}

const archs: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
const systems: Readonly<Record<string, string>> = {
  linux: 'unknown-linux-gnu',
  darwin: 'apple-darwin',
  win32: 'pc-windows-msvc',
};

/**
 * Returns the folder from which the package in the folder `from` loads the package `name`. Searches as Node does: first
 * inside `from`, then in each parent folder.
 */
function resolveFrom(packages: Lock, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const at = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[at] !== undefined) return at;
    if (folder === '') return undefined;
  }
}

/** Returns the name of the package that is installed in a folder. */
export function packageName(at: string): string {
  return at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function isFile(file: string): boolean {
  return statSync(file).isFile();
}

function refuse(wrong: Iterable<string>, list: string): void {
  const [...entries] = wrong;
  if (entries.length > 0)
    throw new Error(`left-out.ts is out of date (${list}), not found: ${entries.join(', ')}`);
}
