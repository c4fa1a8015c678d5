import type { Command } from 'commander';
import type { MergeOptions } from '../merge';
import { pipelineOption } from './shared-options';

/** Adds the verb `merge` to the command line. The verb reads and writes only local files. */
export function registerMerge(program: Command): void {
  program
    .command('merge')
    .description('merge ETL files of one window into one, as a federation does')
    .argument(
      '<files...>',
      'ETL files of one pipeline and window; where records collide, earlier files come first',
    )
    .requiredOption('--out <file>', 'the merged file; replaced atomically')
    .addOption(pipelineOption())
    .addHelpText(
      'after',
      [
        '',
        'Example:',
        '  federated-etl merge --out merged cluster-1/allocations/1d/1794614400-1794700800 \\',
        '    cluster-2/allocations/1d/1794614400-1794700800',
        '',
      ].join('\n'),
    )
    .action(async (files: string[], options: MergeOptions) => {
      const { merge } = require('../merge') as typeof import('../merge');
      await merge(files, options);
    });
}
