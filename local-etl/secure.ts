import type { Pulled } from './pulled';
import type { Pusher } from './pusher';
import { readSteadily, sha256 } from './read';
import type { Stamp } from './replace';
import { salvage } from './salvage';
import { type LocalEtl, localPath } from './store';

/** Result of `secure`: whether and how the content of a file was preserved before its replacement. */
export type Secured =
  | { readonly kind: 'gone' }
  /** The file must not be replaced now: it is being written, or cannot be read. */
  | { readonly kind: 'busy'; readonly why: string }
  /** No copy was needed: the content was pulled, or it is already in the cluster's folder or in the backup. */
  | { readonly kind: 'safe'; readonly stamp: Stamp }
  | { readonly kind: 'pushed'; readonly stamp: Stamp }
  | { readonly kind: 'salvaged'; readonly stamp: Stamp; readonly copy: string; readonly why: string };

export interface SecureDependencies {
  store: LocalEtl;
  pulled: Pulled;
  /**
   * Pushes the files to the bucket. If undefined, nothing is pushed, because the cluster is not a Federated Cluster.
   */
  pusher?: Pusher;
  /** Returns true if the backup contains a file with this digest. */
  isBackedUp: (digest: string) => Promise<boolean>;
}

/**
 * Time for which an incomplete file counts as still being written, in milliseconds after its last change. After that,
 * the file counts as broken.
 */
const beingWrittenMs = 60_000;

/**
 * Ensures that the content of a local file is not lost when the file is replaced. The caller must hold the window's
 * lock.
 */
export async function secure(deps: SecureDependencies, path: string): Promise<Secured> {
  const read = await readSteadily(localPath(deps.store, path));
  if (read.kind === 'gone') return { kind: 'gone' };
  if (read.kind !== 'read') return { kind: 'busy', why: read.why };
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
        if (Date.now() - stamp.mtimeMs < beingWrittenMs) return { kind: 'busy', why: outcome.why };
    }
    why = outcome.why;
  }
  if (await deps.isBackedUp(digest)) return { kind: 'safe', stamp };
  return { kind: 'salvaged', stamp, copy: await salvage(deps.store, path, bytes), why };
}
