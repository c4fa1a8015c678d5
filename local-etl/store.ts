import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../errors/federation-error';

/** The local ETL folder of one cluster, in which the cost-model of the cluster builds ETL files. */
export interface LocalEtl {
  /** Path of the ETL folder. */
  readonly root: string;
  /** Folder of the window files, whose paths are `<pipeline>/<resolution>/<start>-<end>`. */
  readonly bingen: string;
  /** Folder for the state of Federated ETL itself, on the same volume. */
  readonly state: string;
}

/** Returns the paths of the ETL store in a folder. The folder need not exist yet. */
export function localEtl(root: string): LocalEtl {
  return { root, bingen: join(root, 'bingen'), state: join(root, '.federated-etl') };
}

/**
 * Throws LOCAL_ETL_MISSING if the store's folder does not exist, because an unmounted volume must not look like an
 * empty one.
 */
export async function requireLocalEtl(store: LocalEtl): Promise<void> {
  const stats = await ifThere(stat(store.root));
  if (stats?.isDirectory()) return;
  throw new FederationError('LOCAL_ETL_MISSING', {
    subject: { key: store.root },
    detail: 'The folder of the local ETL store does not exist.',
  });
}

/** Returns the absolute path of a window file; `path` is relative to `bingen/`. */
export function localPath(store: LocalEtl, path: string): string {
  return join(store.bingen, ...path.split('/'));
}

/** Returns the code of a system error, such as `ENOENT`, or undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Descriptions of the errors that mean that a volume is not readable, not writable, or full. Keyed by error code. */
const refusals: Readonly<Record<string, string>> = {
  EACCES: 'This process lacks the permission',
  EPERM: 'This process lacks the permission',
  EROFS: 'The volume is mounted read-only',
  ENOSPC: 'The volume has no space left',
  EDQUOT: 'The quota of the volume is exhausted',
};

/** Waits for `work`. If it fails with one of the errors in `refusals`, throws LOCAL_ETL_REFUSED with the path. */
export async function allowed<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = systemCode(error);
    const why = code === undefined ? undefined : refusals[code];
    if (why === undefined) throw error;
    throw new FederationError('LOCAL_ETL_REFUSED', {
      subject: { key: path },
      detail: `${why} (${code}, as user ${process.getuid?.() ?? 'unknown'}).`,
      cause: error,
    });
  }
}

/** Waits for `work`. Returns undefined if the file or folder does not exist. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
