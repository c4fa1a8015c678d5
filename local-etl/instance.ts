import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { FederationError } from '../errors/federation-error';
import { createState, readState } from './state';
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
