import { readFile } from 'node:fs/promises';
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

/** Remembers what can be found out again: a crash may lose it. */
export async function rememberForSpeed(store: LocalEtl, name: string, value: object): Promise<void> {
  await writeQuickly(join(store.memory, name), Buffer.from(JSON.stringify(value)));
}

/** Remembers on the volume; a crash leaves what was remembered before. */
export async function remember(store: LocalEtl, name: string, value: object): Promise<void> {
  await writeAtomically(join(store.memory, name), Buffer.from(`${JSON.stringify(value)}\n`));
}
