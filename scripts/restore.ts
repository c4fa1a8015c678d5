import type { Command } from 'commander';
import { count } from '../federation/count';
import { restoreBackup } from '../local-etl/restore';
import { localEtl } from '../local-etl/store';
import { backupPlace } from './backups';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';

/** Adds the verb `restore` to the command line. */
export function registerRestore(program: Command): void {
  program
    .command('restore')
    .argument('<backup>', 'the name of the backup, as `federated-etl backups` lists it')
    .description('restore the local ETL from a backup; run it where the volume is mounted')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl primary leave\n  federated-etl restore 2026-11-20T00-00-00-000Z\n',
    )
    .action(async (name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { json?: true }>();
      await using context = openContext(options);
      const { clusterId: cluster, localEtl: local } = context.settings;
      const store = localEtl(local.pullPath);
      const summary = await restoreBackup({ store, place: await backupPlace(context), cluster, name });
      if (options.json) return printJson({ cluster, backup: name, ...summary });
      const { restored, unchanged, removed, salvaged } = summary;
      print(`Restored ${count(restored, 'file')} of ${name} to ${store.root}; ${unchanged} unchanged.`);
      if (removed > 0) print(`Removed ${count(removed, 'pulled file')} that it does not contain.`);
      if (salvaged > 0) print(`Salvaged ${count(salvaged, 'newer file')} in ${store.state}/salvaged.`);
    });
}
