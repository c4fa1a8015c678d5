import { opendir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256 } from './read';
import { ifThere, type LocalEtl } from './store';
import { writeAtomically } from './write';

/**
 * Number of salvaged copies kept per file. If a cluster does not push, a copy is salvaged each time its cost-model
 * rebuilds the file and a pull replaces it. Without a limit, the copies would fill the volume.
 */
const salvagedPerFile = 3;

/**
 * Saves the content of a file that is about to be replaced and has no other copy. Returns the path of the new copy, in
 * `salvaged/` on the same volume. Keeps only the newest three copies of each file.
 */
export async function salvage(store: LocalEtl, path: string, bytes: Uint8Array): Promise<string> {
  const base = join(store.state, 'salvaged', ...path.split('/'));
  const copy = `${base}~${sha256(bytes).slice(0, 12)}`;
  await writeAtomically(copy, bytes);
  const copies = await copiesOf(base);
  for (const old of copies.slice(0, -salvagedPerFile)) await rm(old.path, { force: true });
  return copy;
}

async function copiesOf(base: string): Promise<{ path: string; mtimeMs: number }[]> {
  const copies: { path: string; mtimeMs: number }[] = [];
  for await (const { name } of await opendir(dirname(base))) {
    const path = join(dirname(base), name);
    const stats = name.startsWith(`${basename(base)}~`) ? await ifThere(stat(path)) : undefined;
    if (stats !== undefined) copies.push({ path, mtimeMs: stats.mtimeMs });
  }
  return copies.sort((a, b) => a.mtimeMs - b.mtimeMs);
}
