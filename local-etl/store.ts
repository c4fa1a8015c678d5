import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../errors/federation-error';

/** The local ETL store of one cluster: the folder that its cost-model builds into. */
export interface LocalEtl {
  /** The ETL folder itself. */
  readonly root: string;
  /** Where the window files lie, as `<pipeline>/<resolution>/<start>-<end>`. */
  readonly bingen: string;
  /** Federated ETL's state of this volume, kept on it. */
  readonly state: string;
}

/** The store in a folder, which need not exist yet. */
export function localEtl(root: string): LocalEtl {
  return { root, bingen: join(root, 'bingen'), state: join(root, '.federated-etl') };
}

/** Throws LOCAL_ETL_MISSING when the folder is not there: an unmounted volume must not look like an empty one. */
export async function requireLocalEtl(store: LocalEtl): Promise<void> {
  const stats = await ifThere(stat(store.root));
  if (stats?.isDirectory()) return;
  throw new FederationError('LOCAL_ETL_MISSING', {
    subject: { key: store.root },
    detail: 'The folder of the local ETL store does not exist.',
  });
}

/** Where a window file lies; `path` is the one below `bingen/`. */
export function localPath(store: LocalEtl, path: string): string {
  return join(store.bingen, ...path.split('/'));
}

/** The code of a system error (`ENOENT`), if it is one. */
export function systemCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** What a volume says to somebody who may not use it as it is. */
const refusals: Readonly<Record<string, string>> = {
  EACCES: 'This process may not do that there',
  EPERM: 'This process may not do that there',
  EROFS: 'The volume is mounted read-only',
  ENOSPC: 'There is no space left on the volume',
  EDQUOT: 'The quota of the volume is used up',
};

/** Awaits; LOCAL_ETL_REFUSED, which names the path, where the volume does not allow it. */
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

/** Awaits; undefined when the file or folder is not there. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
