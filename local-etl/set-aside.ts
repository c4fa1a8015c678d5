import { mkdir, opendir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256 } from './read';
import { ifThere, type LocalEtl } from './store';
import { writeAtomically } from './write';

/** A cost-model that keeps building where nobody pushes would otherwise fill the volume. */
const keptPerFile = 3;

/**
 * Keeps what a file holds that is about to be replaced and whose bytes are nowhere else, below `set-aside/` on the same
 * volume, where a person finds it: the last few contents of each file. Returns where.
 */
export async function setAside(store: LocalEtl, path: string, bytes: Uint8Array): Promise<string> {
  const base = join(store.state, 'set-aside', ...path.split('/'));
  const kept = `${base}~${sha256(bytes).slice(0, 12)}`;
  await mkdir(dirname(kept), { recursive: true });
  await writeAtomically(kept, bytes);
  const others = await keptOf(base);
  for (const old of others.slice(0, -keptPerFile)) await rm(old.path, { force: true });
  return kept;
}

async function keptOf(base: string): Promise<{ path: string; mtimeMs: number }[]> {
  const kept: { path: string; mtimeMs: number }[] = [];
  for await (const { name } of await opendir(dirname(base))) {
    const path = join(dirname(base), name);
    const stats = name.startsWith(`${basename(base)}~`) ? await ifThere(stat(path)) : undefined;
    if (stats !== undefined) kept.push({ path, mtimeMs: stats.mtimeMs });
  }
  return kept.sort((a, b) => a.mtimeMs - b.mtimeMs);
}
