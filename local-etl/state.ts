import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { FederationError, isFederationError } from '../errors/federation-error';
import { allowed, ifThere, type LocalEtl, systemCode } from './store';
import { createOnce, removeFile, writeAtomically, writeQuickly } from './write';

/**
 * Reads a state file from the volume. Returns undefined if there is none. If the content does not match the schema,
 * restores the file from its copy. Throws LOCAL_STATE_UNREADABLE if there is no good copy.
 */
export async function readState<T>(
  store: LocalEtl,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const path = join(store.state, name);
  try {
    return await parsed(path, schema);
  } catch (error) {
    if (isRefusal(error)) throw error;
    const copy = await parsed(copyOf(path), schema).catch(() => undefined);
    if (copy === undefined) throw damaged(path, error);
    mended.add(path);
    // If the file cannot be restored now, the next reader tries again.
    await writeAtomically(path, textOf(copy)).catch(() => undefined);
    return copy;
  }
}

/** Paths of the state files that were restored from their copies, and that `takeMended` has not returned yet. */
const mended = new Set<string>();

/** Returns the paths of the state files that were restored from their copies since the last call. */
export function takeMended({ state }: LocalEtl): string[] {
  const found = [...mended].filter((path) => dirname(path) === state);
  for (const path of found) mended.delete(path);
  return found;
}

async function parsed<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await allowed(path, ifThere(readFile(path, 'utf8')));
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}

/** Returns whether an error means that the file may not be read. In this case, its content may be undamaged. */
function isRefusal(error: unknown): boolean {
  return isFederationError(error, 'LOCAL_ETL_REFUSED') && systemCode(error.cause) !== 'EIO';
}

function damaged(path: string, error: unknown): FederationError {
  return new FederationError('LOCAL_STATE_UNREADABLE', {
    subject: { key: path },
    detail: `${path} is damaged, and there is no good copy of it.`,
    cause: error,
  });
}

function copyOf(path: string): string {
  return path.replace(/\.json$/, '.copy.json');
}

function textOf(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
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

/**
 * Writes a state file durably, then a copy of it, from which `readState` restores the file if it is damaged. A crash
 * during the write leaves the previous content.
 */
export async function writeState(store: LocalEtl, name: string, value: object): Promise<void> {
  const path = join(store.state, name);
  await writeAtomically(path, textOf(value));
  await writeAtomically(copyOf(path), textOf(value));
}

/** Creates a state file and its copy. Returns false if the file exists. */
export async function createState(store: LocalEtl, name: string, value: object): Promise<boolean> {
  const path = join(store.state, name);
  const isFirst = await createOnce(path, textOf(value));
  if (isFirst) await writeAtomically(copyOf(path), textOf(value));
  return isFirst;
}

/** Removes a state file and its copy. Does nothing if they do not exist. */
export async function removeState(store: LocalEtl, name: string): Promise<void> {
  const path = join(store.state, name);
  await removeFile(path);
  await removeFile(copyOf(path));
}
