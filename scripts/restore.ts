import type { Command } from 'commander';
import type { Roles } from '../config/settings';
import { count } from '../federation/count';
import { primaryState } from '../local-etl/primary';
import { restoreBackup, type RestoreSummary } from '../local-etl/restore';
import { localEtl } from '../local-etl/store';
import { backupPlace } from './backups';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';
import { ownCluster } from './own-cluster';
import { nothingChanged } from './show-dry-run';

interface RestoreOptions extends CommandOptions {
  readonly cluster?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Restores a local ETL from a backup. */
export async function restore(name: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<RestoreOptions>();
  await using context = openContext(options);
  const { localEtl: local, roles } = context.settings;
  const cluster = ownCluster(context.settings, options.cluster);
  const { dryRun = false, json } = options;
  const store = localEtl(local.pullPath);
  const changes: { path: string; change: 'restore' | 'remove' }[] = [];
  const summary = await restoreBackup({
    store,
    place: await backupPlace(context),
    cluster,
    name,
    isPrimary: roles.primaryCluster,
    dryRun,
    onChange: (path, change) => changes.push({ path, change }),
  });
  if (summary.postponed.length > 0) process.exitCode = 1;
  if (json) return printJson({ cluster, backup: name, ...summary, ...(dryRun && { changes }) });
  if (dryRun) {
    for (const { path, change } of changes) print(`would ${change} ${path}`);
    showPostponed(summary);
    return print(
      `${count(summary.restored, 'file')} to restore, ${summary.salvaged} of them to salvage first, ${summary.removed} to remove, ${summary.unchanged} unchanged. ${nothingChanged}`,
    );
  }
  const { restored, unchanged, removed, salvaged } = summary;
  print(`Restored ${count(restored, 'file')} of ${name} to ${store.root}; ${unchanged} unchanged.`);
  if (removed > 0) print(`Removed ${count(removed, 'pulled file')} that it does not contain.`);
  if (salvaged > 0) print(`Salvaged ${count(salvaged, 'newer file')} in ${store.state}/salvaged.`);
  showPostponed(summary);
  const { leftAt } = await primaryState(store);
  for (const line of describeNext(roles, leftAt !== undefined)) print(line);
}

function showPostponed({ postponed }: RestoreSummary): void {
  for (const { path, why } of postponed) print(`Not restored: ${path}: ${why}`);
  if (postponed.length > 0) print('Run the command again once these files are complete.');
}

/** Returns sentences that say what the cluster's workers do next with the restored files. */
function describeNext({ federatedCluster }: Roles, left: boolean): string[] {
  return [
    ...(left
      ? [
          'No pull overwrites the restored files until `federated-etl primary enter`; the next pull then backs them up first.',
        ]
      : []),
    ...(federatedCluster
      ? ['The next push uploads the restored files, also over newer ones in the bucket.']
      : []),
  ];
}
