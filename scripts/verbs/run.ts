import type { Command } from 'commander';

export function registerRun(program: Command): void {
  program
    .command('run')
    .description("run this cluster's roles until SIGINT or SIGTERM")
    .addHelpText('after', '\nExample:\n  federated-etl run --config cluster-4.yaml\n')
    .action(async (_options: unknown, command: Command) => {
      const { run } = require('../run') as typeof import('../run');
      await run(command);
    });
}
