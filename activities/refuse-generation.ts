import type { Log } from '../config/log';
import { sentence } from '../errors/hints';
import type { ClusterId } from '../etl/cluster-id';
import { findDiscontinuity } from '../federation/continuity';
import type { Generation } from '../federation/generation';
import { primaryState, type PullRefusal, updatePrimary } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';
import type { BucketReader } from '../storage/bucket';
import { ancestorsIn } from './identify-federation';

export interface RefusalDependencies {
  readonly combined: BucketReader;
  readonly cluster: ClusterId;
  readonly log: Log;
}

/**
 * Checks that the newest generation continues the generation that was pulled to the volume. Returns undefined if it
 * does, or if a person has accepted the federation of the newest generation. Otherwise, this is a different bucket, or
 * the bucket was emptied or restored to an earlier state. The function then saves the reason on the volume, logs the
 * reason unless the last pull had the same reason, and returns it. The pull must then change nothing.
 */
export async function refuseGeneration(
  { combined, cluster, log }: RefusalDependencies,
  store: LocalEtl,
  newest: Generation | undefined,
  signal: AbortSignal,
): Promise<PullRefusal | undefined> {
  const { known, accepts, refused: before } = await primaryState(store);
  const isAccepted = accepts !== undefined && newest?.federation === accepts;
  const wrong =
    known === undefined || isAccepted
      ? undefined
      : await findDiscontinuity(known, newest, ancestorsIn(combined, { signal }));
  if (wrong === undefined) {
    if (before !== undefined) await updatePrimary(store, { refused: undefined });
    return undefined;
  }
  const refused: PullRefusal = { ...wrong, hint: hintFor(newest) };
  if (before?.code === refused.code && before.detail === refused.detail) return refused;
  await updatePrimary(store, { refused });
  log.error(
    { event: 'primary.refused', cluster, code: refused.code },
    `Primary pulls nothing, and serves what it has: ${sentence(refused.detail)} ${refused.hint}`,
  );
  return refused;
}

function hintFor(newest: Generation | undefined): string {
  const check = 'Check that the bucket is mounted, and its name in federated-store.yaml.';
  return newest === undefined
    ? `${check} If the federation really begins again, wait for its first generation; the next pull then says how to take it.`
    : `${check} If this is the right bucket, run \`federated-etl primary enter --accept-federation ${newest.federation}\`; the next pull then replaces what this cluster serves.`;
}
