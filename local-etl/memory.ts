import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { FederationError } from '../errors/federation-error';
import { ifThere, type LocalEtl } from './store';
import { writeAtomically, writeQuickly } from './write';

/** Reads what is remembered on the volume under a name; undefined when nothing is. */
export async function recall<T>(store: LocalEtl, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const path = join(store.memory, name);
  const text = await ifThere(readFile(path, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new FederationError('LOCAL_STATE_UNREADABLE', {
      subject: { key: path },
      detail: `The file is not what was written: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

/** By path: what was read last, of which file. */
const latest = new Map<string, { readonly seen: string; readonly value: unknown }>();

/** The same for what is asked again and again: read only when it was remembered anew, by whatever process. */
export async function recallLatest<T>(
  store: LocalEtl,
  name: string,
  schema: z.ZodType<T>,
): Promise<Readonly<T> | undefined> {
  const path = join(store.memory, name);
  const stats = await ifThere(stat(path, { bigint: true }));
  // A new file each time it is written: its inode changes where the clock is too coarse.
  const seen = stats === undefined ? 'none' : `${stats.ino}-${stats.mtimeNs}-${stats.size}`;
  const known = latest.get(path);
  if (known?.seen === seen) return known.value as T | undefined;
  const value = await recall(store, name, schema);
  latest.set(path, { seen, value });
  return value;
}

/** Remembers what can be found out again: a crash may lose it. */
export async function rememberForSpeed(store: LocalEtl, name: string, value: object): Promise<void> {
  await writeQuickly(join(store.memory, name), Buffer.from(JSON.stringify(value)));
}

/** Remembers on the volume; a crash leaves what was remembered before. */
export async function remember(store: LocalEtl, name: string, value: object): Promise<void> {
  await writeAtomically(join(store.memory, name), Buffer.from(`${JSON.stringify(value)}\n`));
}
