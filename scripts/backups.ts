import type { Command } from 'commander';
import { errorLines, type FederationError } from '../errors/federation-error';
import { count } from '../federation/count';
import { backupFolder, listBackups } from '../local-etl/backup';
import { formatBytes, formatTime } from '../operator/format';
import type { Bucket } from '../storage/bucket';
import { type CommandOptions, type Context, openContext } from './context';
import { print, printJson, printNote } from './output';
import { ownCluster } from './own-cluster';
import { formatTable } from './table';

/** Prints the backups of a cluster. */
export async function backups(command: Command): Promise<void> {
  const options = command.optsWithGlobals<CommandOptions & { cluster?: string; json?: true }>();
  await using context = openContext(options);
  const cluster = ownCluster(context.settings, options.cluster);
  const place = await backupPlace(context);
  const damaged: FederationError[] = [];
  const unfinished: string[] = [];
  const backups = await listBackups(place, cluster, {
    onDamaged: (error) => damaged.push(error),
    onUnfinished: (name) => unfinished.push(name),
  });
  for (const error of damaged) printNote(...errorLines(error));
  for (const name of unfinished)
    printNote(
      `${name} is not finished: a pull is making it, or was interrupted and the next one continues it. It cannot be restored.`,
    );
  if (options.json) return printJson({ cluster, place: place.label, backups, unfinished });
  const other = damaged.length + unfinished.length > 0 ? 'other ' : '';
  if (backups.length === 0) return print(`No ${other}backup of ${cluster} is in ${place.label}.`);
  const rows = backups.map(({ name, at, files, bytes }) => [name, formatTime(at), files, formatBytes(bytes)]);
  print(`${count(backups.length, 'backup')} of ${cluster} in ${place.label}.`, '');
  print(...formatTable(['backup', 'started', 'files', 'size'], rows));
}

/**
 * Opens the store that holds a cluster's backups: the backup folder in the settings, or the federation's bucket if
 * the settings name no folder.
 */
export async function backupPlace(context: Context): Promise<Bucket> {
  const { backupPath } = context.settings.localEtl;
  return backupPath === undefined ? context.bucket() : backupFolder(backupPath);
}
