import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../errors/federation-error';
import { ownValue } from '../etl/own-value';

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
 * empty one. Throws LOCAL_ETL_REFUSED if the folder of the state is a link.
 */
export async function requireLocalEtl(store: LocalEtl): Promise<void> {
  const stats = await allowed(store.root, ifThere(stat(store.root)));
  if (stats?.isDirectory()) return requireNoLink(store.state);
  throw new FederationError('LOCAL_ETL_MISSING', {
    subject: { key: store.root },
    detail: `The folder of the local ETL store does not exist: ${store.root}.`,
  });
}

/**
 * Throws LOCAL_ETL_REFUSED if a folder of the store is a link. Links below the store's folder are never followed,
 * because they may lead out of it.
 */
export async function requireNoLink(folder: string): Promise<void> {
  const stats = await ifThere(lstat(folder));
  if (stats?.isSymbolicLink() !== true) return;
  throw new FederationError('LOCAL_ETL_REFUSED', {
    subject: { key: folder },
    detail: `${folder} is a link, and links in the local ETL are not followed.`,
    hint: 'Mount the volume where the link is, or set localEtl.path to a folder that has a real folder of this name.',
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

const noPermission = 'This process lacks the permission';
const diskFault = 'The disk or the file system reports an error';

/** Descriptions of the errors that mean that a volume is not readable, not writable, or full. Keyed by error code. */
const refusals: Readonly<Record<string, string>> = {
  EACCES: noPermission,
  EPERM: noPermission,
  EROFS: 'The volume is mounted read-only',
  EIO: diskFault,
  ESTALE: 'The volume is no longer connected',
  ENOTCONN: 'The volume is no longer connected',
  ENOSPC: 'The volume has no space left',
  EDQUOT: 'The quota of the volume is exhausted',
};

/** Waits for `work`. If it fails with one of the errors in `refusals`, throws LOCAL_ETL_REFUSED with the path. */
export async function allowed<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refusalOf(path, error);
  }
}

/**
 * Returns LOCAL_ETL_REFUSED for the errors in `refusals`. Returns any other error unchanged. The detail names the path,
 * because `status` and the log show only the detail of a failed push or pull.
 */
export function refusalOf(path: string, error: unknown): unknown {
  const code = systemCode(error);
  const why = code === undefined ? undefined : ownValue(refusals, code);
  if (code === undefined || why === undefined) return error;
  return new FederationError('LOCAL_ETL_REFUSED', {
    subject: { key: path },
    detail: `${describeRefusal(why, code)}: ${path}.`,
    cause: error,
  });
}

/**
 * Returns why a single file or folder cannot be read, although the rest of the volume may be readable. Returns
 * undefined for errors that concern the whole volume, and for all other errors.
 */
export function whyUnreadable(error: unknown): string | undefined {
  const code = systemCode(error);
  const why = code === undefined ? undefined : ownValue(refusals, code);
  if (code === undefined || why === undefined) return undefined;
  return why === noPermission || why === diskFault ? `${describeRefusal(why, code)}.` : undefined;
}

function describeRefusal(why: string, code: string): string {
  return `${why} (${code}, as user ${process.geteuid?.() ?? 'unknown'})`;
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
