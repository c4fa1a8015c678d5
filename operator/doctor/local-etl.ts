import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Settings } from '../../config/settings';
import { isFull, isNearlyFull, leastFree, type VolumeSpace } from '../../federation/conditions';
import { count } from '../../federation/count';
import { hasFiles, listWindowFiles } from '../../local-etl/list';
import { type PassedOver, PassedOverPlaces } from '../../local-etl/passed-over';
import { primaryState } from '../../local-etl/primary';
import { localEtl } from '../../local-etl/store';
import type { ProbeOperation } from '../../storage/probe-bucket';
import { formatBytes } from '../format';
import { type Check, failed } from './check';
import { checkFileSystem } from './file-system';

const check = 'local ETL';
const mostPlaces = 10;

/** Checks the folders that this cluster's roles use, and describes the machine. */
export async function checkLocalEtl({ roles, localEtl: local }: Settings): Promise<Check[]> {
  const checks: Check[] = [];
  const used = roles.federatedCluster || roles.primaryCluster;
  if (!used) {
    const detail = 'Neither a Federated Cluster nor a Primary Cluster: nothing is read or written here.';
    checks.push({ check, subject: local.path, outcome: 'not needed', detail });
  } else {
    checks.push(...(await checkFolder(local.path, 'localEtl.path', roles.federatedCluster)));
    if (roles.primaryCluster && local.pullPath !== local.path)
      checks.push(...(await checkFolder(local.pullPath, 'localEtl.pullPath', false)));
    if (roles.primaryCluster && local.backupPath !== undefined)
      checks.push(await checkAccess(local.backupPath, 'localEtl.backupPath'));
    if (checks[0]?.outcome === 'ok') checks.push(...(await checkFileSystem(check, local.path)));
    if (roles.federatedCluster && checks[0]?.outcome === 'ok')
      checks.push(...(await countWindows(local.path)));
  }
  checks.push(describeMachine(used ? await findVolume(local.path) : undefined));
  return checks;
}

/**
 * The bucket operations that a primary needs for the backup of its local ETL. `why` says why the other operations are
 * not needed.
 */
export interface BackupNeed {
  readonly operations: readonly ProbeOperation[];
  readonly why: string;
}

/**
 * Determines whether the next pull will back up the local ETL to the bucket. If this cannot be determined, assumes that
 * it will.
 */
export async function backupNeed({ roles, localEtl: local }: Settings): Promise<BackupNeed> {
  if (!roles.primaryCluster) return { operations: [], why: 'This is not a Primary Cluster.' };
  if (local.backupPath !== undefined)
    return { operations: [], why: 'The local ETL is saved in localEtl.backupPath.' };
  const store = localEtl(local.pullPath);
  const [state, isThere] = await Promise.all([
    primaryState(store).catch(() => undefined),
    hasFiles(store).catch(() => true),
  ]);
  if (state?.backup !== undefined && state.backup !== '')
    return { operations: ['list', 'read'], why: `The local ETL was saved as ${state.backup}.` };
  if (state?.backup === '' || !isThere)
    return { operations: [], why: 'The cluster has no local ETL to back up.' };
  return {
    operations: ['list', 'write', 'head', 'read', 'delete', 'conditional create'],
    why: 'Saving the local ETL never does this.',
  };
}

/**
 * Checks a folder. A missing folder fails the check only if `needed` is true. Otherwise, the primary creates the folder
 * when it starts.
 */
async function checkFolder(path: string, setting: string, needed: boolean): Promise<Check[]> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined || needed) return [await checkAccess(path, setting)];
  const detail = `It does not exist yet (${setting}).`;
  return [
    {
      check,
      subject: path,
      outcome: 'ok',
      detail: `${detail} A primary creates it when it starts.`,
    },
  ];
}

/**
 * Checks read and write access to a folder. Even a cluster that only pushes needs write access, because it stores its
 * state in the folder's `.federated-etl`.
 */
async function checkAccess(path: string, setting: string): Promise<Check> {
  try {
    if (!(await stat(path)).isDirectory()) {
      const detail = `It is not a folder (${setting}).`;
      return { check, subject: path, outcome: 'failed', detail, todo: `Correct ${setting}.` };
    }
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return {
      check,
      subject: path,
      outcome: 'ok',
      detail: `It can be read and written (${setting}).`,
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const todo = `Mount its volume, or correct ${setting}.`;
      return {
        check,
        subject: path,
        outcome: 'failed',
        detail: `It does not exist (${setting}).`,
        todo,
      };
    }
    const who = process.getuid === undefined ? 'this process' : `user ${process.getuid()}`;
    const todo =
      code === 'EROFS'
        ? 'Mount the volume writable: Federated ETL keeps its state there.'
        : `Give ${who} read and write access: Federated ETL keeps its state there.`;
    return {
      check,
      subject: path,
      outcome: 'failed',
      detail: `It cannot be used: ${code} (${setting}).`,
      todo,
    };
  }
}

async function countWindows(path: string): Promise<Check[]> {
  const counts = new Map<string, number>();
  const passedOver = new PassedOverPlaces();
  try {
    for await (const { ref } of listWindowFiles(localEtl(path), { passOver: passedOver.add })) {
      const kind = `${ref.pipeline} ${ref.resolution}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  } catch (error) {
    return [failed(check, 'windows', error)];
  }
  return [describeWindows(counts), ...describePassedOver(passedOver)];
}

function describePassedOver({ unreadable, links }: PassedOverPlaces): Check[] {
  const who = process.getuid === undefined ? 'this process' : `user ${process.getuid()}`;
  return [
    ...passedOverCheck('unreadable', unreadable, `If the cost-model writes there, let ${who} read it.`),
    ...passedOverCheck('links', links, 'Replace each link with the folder or file that it leads to.'),
  ];
}

function passedOverCheck(subject: string, places: readonly PassedOver[], todo: string): Check[] {
  const [first] = places;
  if (first === undefined) return [];
  const named = places.slice(0, mostPlaces).map(({ path }) => path);
  const more = places.length > mostPlaces ? `, and ${places.length - mostPlaces} more` : '';
  const detail = `Passed over: ${named.join(', ')}${more}. ${first.why} The rest is pushed.`;
  return [{ check, subject, outcome: 'warning', detail, todo }];
}

function describeWindows(counts: ReadonlyMap<string, number>): Check {
  if (counts.size > 0) {
    const detail = [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, number]) => `${kind}: ${count(number, 'file')}`);
    return { check, subject: 'windows', outcome: 'ok', detail: `${detail.join(', ')}.` };
  }
  return {
    check,
    subject: 'windows',
    outcome: 'warning',
    detail: 'There are no window files, so there is nothing to push.',
    todo: 'Check that the cost-model builds ETL files, and that localEtl.path is the folder that contains `bingen`.',
  };
}

interface Volume extends VolumeSpace {
  /** The existing folder whose volume it is. */
  readonly at: string;
}

/** Finds the volume of a folder, or, if the folder does not exist, that of the nearest folder above it that does. */
async function findVolume(path: string): Promise<Volume | undefined> {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bavail, blocks, bsize } = await statfs(at);
      return { at, size: blocks * bsize, free: bavail * bsize };
    } catch {
      if (at === dirname(at)) return undefined;
    }
  }
}

/** Describes the machine. A nearly full volume of the local ETL is a warning, and a full one is a failure. */
export function describeMachine(volume: Volume | undefined): Check {
  const node = `Node ${process.version} on ${process.platform} ${process.arch}`;
  if (volume === undefined) return { check, subject: 'machine', outcome: 'ok', detail: `${node}.` };
  const { at, size, free } = volume;
  const detail = `${node}; ${formatBytes(free)} of ${formatBytes(size)} are free at ${at}.`;
  if (!isNearlyFull(volume)) return { check, subject: 'machine', outcome: 'ok', detail };
  const todo = `Enlarge the volume, or free space: at least ${formatBytes(leastFree(size))} must be free.`;
  return { check, subject: 'machine', outcome: isFull(volume) ? 'failed' : 'warning', detail, todo };
}
