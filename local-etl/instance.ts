import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { FederationError, isFederationError } from '../errors/federation-error';
import { createState, readState, writeState } from './state';
import { type LocalEtl, requireLocalEtl } from './store';

const fileName = 'instance.json';
const instanceSchema = z.object({ format: z.literal(1), instance: z.string().min(1) });

/**
 * Returns the random id of this volume. The id distinguishes volumes whose clusters are configured with the same
 * cluster id by mistake. It is created only once, even if several processes ask for it at the same time.
 */
export async function instanceOf(store: LocalEtl): Promise<string> {
  await requireLocalEtl(store);
  const known = await readState(store, fileName, instanceSchema);
  if (known !== undefined) return known.instance;
  const made = { format: 1, instance: randomUUID() };
  const first = await createState(store, fileName, made);
  return first ? made.instance : instanceOf(store);
}

const startName = 'start.json';
const startSchema = z.object({ format: z.literal(1), start: z.string().min(1) });

/**
 * Stores a new random id, the start id, on the volume. Call it when a process starts on the volume. The federator uses
 * start ids to notice a cloned volume: a clone has the same instance id as the original, but after the first start on
 * the clone, their start ids differ. Processes that share a volume share its start id.
 */
export async function noteStart(store: LocalEtl): Promise<void> {
  await writeState(store, startName, { format: 1, start: randomUUID() });
}

/** Returns the id of the last start on this volume. Returns undefined if there is none, or if its file is damaged. */
export async function lastStart(store: LocalEtl): Promise<string | undefined> {
  try {
    return (await readState(store, startName, startSchema))?.start;
  } catch (error) {
    // The start id is needed only to notice a clone, so a damaged file must not prevent a push. The next start replaces
    // the file.
    if (isFederationError(error, 'LOCAL_STATE_UNREADABLE')) return undefined;
    throw error;
  }
}

/**
 * Throws DUPLICATE_CLUSTER_ID unless this volume's id is `expected`, which is the volume id that the cluster's workflow
 * has recorded.
 */
export async function requireInstance(store: LocalEtl, cluster: string, expected: string): Promise<void> {
  const found = await instanceOf(store);
  if (found === expected) return;
  throw new FederationError('DUPLICATE_CLUSTER_ID', {
    subject: { cluster, key: store.root },
    detail: `This volume is ${found}, but the cluster's data comes from volume ${expected}.`,
  });
}
