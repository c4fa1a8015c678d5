import type { Pulled } from './pulled';
import type { Pusher } from './pusher';
import { readSteadily, sha256 } from './read';
import type { Stamp } from './replace';
import { salvage } from './salvage';
import { type LocalEtl, localPath } from './store';

/** Where the bytes of a file are safe that is about to be replaced. */
export type Secured =
  | { readonly kind: 'gone' }
  /** They may not be replaced now: somebody is writing them, or they cannot be read. */
  | { readonly kind: 'busy' }
  /** They were pulled, are in the cluster's folder, or in the backup. */
  | { readonly kind: 'safe'; readonly stamp: Stamp }
  | { readonly kind: 'pushed'; readonly stamp: Stamp }
  | { readonly kind: 'salvaged'; readonly stamp: Stamp; readonly copy: string; readonly why: string };

export interface SecureDependencies {
  store: LocalEtl;
  pulled: Pulled;
  /** Of a cluster that is federated too; without it nothing is pushed. */
  pusher?: Pusher;
  /** Whether the backup has these bytes. */
  isBackedUp: (digest: string) => Promise<boolean>;
}

/** An incomplete file may be one that is being written; older ones are only broken. */
const beingWrittenMs = 60_000;

/** Sees to it that no bytes are lost with a local file. The caller holds the window's lock. */
export async function secure(deps: SecureDependencies, path: string): Promise<Secured> {
  const read = await readSteadily(localPath(deps.store, path));
  if (read.kind === 'gone') return { kind: 'gone' };
  if (read.kind !== 'read') return { kind: 'busy' };
  const { bytes, stamp } = read;
  const digest = sha256(bytes);
  if (await deps.pulled.has(digest)) return { kind: 'safe', stamp };
  let why = 'This cluster is not federated, so the file could not be pushed.';
  if (deps.pusher !== undefined) {
    const outcome = await deps.pusher.pushRead(path, read, digest);
    switch (outcome.kind) {
      case 'uploaded':
        return { kind: 'pushed', stamp };
      case 'unchanged':
      case 'pulled':
        return { kind: 'safe', stamp };
      case 'incomplete':
        if (Date.now() - stamp.mtimeMs < beingWrittenMs) return { kind: 'busy' };
    }
    why = outcome.why;
  }
  if (await deps.isBackedUp(digest)) return { kind: 'safe', stamp };
  return { kind: 'salvaged', stamp, copy: await salvage(deps.store, path, bytes), why };
}
