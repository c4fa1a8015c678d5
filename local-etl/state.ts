import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { FederationError } from '../errors/federation-error';
import { allowed, ifThere, type LocalEtl } from './store';
import { writeAtomically, writeQuickly } from './write';

/**
 * Reads a state file from the volume. Returns undefined if there is none. Throws LOCAL_STATE_UNREADABLE if the content
 * does not match the schema.
 */
export async function readState<T>(
  store: LocalEtl,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const path = join(store.state, name);
  const text = await allowed(path, ifThere(readFile(path, 'utf8')));
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

/**
 * The value last read from each state file, by path. `seen` identifies the version of the file from which the value was
 * read.
 */
const latest = new Map<string, { readonly seen: string; readonly value: unknown }>();

/**
 * Like `readState`, but caches the value. Reads the file again only if it has been rewritten, by this process or
 * another.
 */
export async function readStateCached<T>(
  store: LocalEtl,
  name: string,
  schema: z.ZodType<T>,
): Promise<Readonly<T> | undefined> {
  const path = join(store.state, name);
  const stats = await allowed(path, ifThere(stat(path, { bigint: true })));
  // Every write creates a new file. So the inode number changes even if the modification time does not.
  const seen = stats === undefined ? 'none' : `${stats.ino}-${stats.mtimeNs}-${stats.size}`;
  const known = latest.get(path);
  if (known?.seen === seen) return known.value as T | undefined;
  const value = await readState(store, name, schema);
  latest.set(path, { seen, value });
  return value;
}

/**
 * Writes a state file without waiting for the disk. A crash may lose the file, so use this only for state that can be
 * computed again.
 */
export async function writeStateQuickly(store: LocalEtl, name: string, value: object): Promise<void> {
  await writeQuickly(join(store.state, name), Buffer.from(JSON.stringify(value)));
}

/** Writes a state file durably. A crash during the write leaves the previous content. */
export async function writeState(store: LocalEtl, name: string, value: object): Promise<void> {
  await writeAtomically(join(store.state, name), Buffer.from(`${JSON.stringify(value)}\n`));
}
