import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../errors/federation-error';

/** The local ETL store of one cluster: the folder that its cost-model builds into. */
export interface LocalEtl {
  /** The ETL folder itself. */
  readonly root: string;
  /** Folder of the window files, as `<pipeline>/<resolution>/<start>-<end>`. */
  readonly bingen: string;
  /** Folder of Federated ETL's own state, on the same volume. */
  readonly state: string;
}

/** Returns the store in a folder, which need not exist yet. */
export function localEtl(root: string): LocalEtl {
  return { root, bingen: join(root, 'bingen'), state: join(root, '.federated-etl') };
}

/** Throws LOCAL_ETL_MISSING if the folder does not exist: an unmounted volume must not look like an empty one. */
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

/** System errors that mean that a volume refuses access or space, with a description of each. */
const refusals: Readonly<Record<string, string>> = {
  EACCES: 'This process lacks the permission',
  EPERM: 'This process lacks the permission',
  EROFS: 'The volume is mounted read-only',
  ENOSPC: 'The volume has no space left',
  EDQUOT: 'The quota of the volume is exhausted',
};

/** Awaits `work`. Throws LOCAL_ETL_REFUSED, which names the path, if the volume refuses access or space. */
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

/** Awaits `work`. Returns undefined if the file or folder does not exist. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
