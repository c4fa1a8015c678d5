import type { Pulled } from './pulled';
import type { Pusher } from './pusher';
import { readSteadily, sha256 } from './read';
import type { Stamp } from './replace';
import { salvage } from './salvage';
import { type LocalEtl, localPath } from './store';

/** How the bytes of a file were secured before its replacement. */
export type Secured =
  | { readonly kind: 'gone' }
  /** The file must not be replaced now: it is being written, or cannot be read. */
  | { readonly kind: 'busy' }
  /** No copy was needed: the bytes were pulled, or the cluster's folder or the backup has them. */
  | { readonly kind: 'safe'; readonly stamp: Stamp }
  | { readonly kind: 'pushed'; readonly stamp: Stamp }
  | { readonly kind: 'salvaged'; readonly stamp: Stamp; readonly copy: string; readonly why: string };

export interface SecureDependencies {
  store: LocalEtl;
  pulled: Pulled;
  /** Pushes the files, if the cluster is also a Federated Cluster. If undefined, nothing is pushed. */
  pusher?: Pusher;
  /** Whether the backup has a file with this digest. */
  isBackedUp: (digest: string) => Promise<boolean>;
}

/** An incomplete file that was changed within this time may still be being written. After that, it counts as broken. */
const beingWrittenMs = 60_000;

/** Ensures that no bytes are lost when a local file is replaced. The caller must hold the window's lock. */
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
