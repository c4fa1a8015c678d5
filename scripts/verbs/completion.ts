import { Argument, type Command } from 'commander';
import { completionScript, shells } from '../completion/script';
import { readVerbs } from '../completion/verbs';
import { print } from '../output';

/** Adds the verb `completion` to the command line. */
export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .description('print a script with which a shell completes verbs, options and their values')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl completion bash > /etc/bash_completion.d/federated-etl\n' +
        '  federated-etl completion zsh > "${fpath[1]}/_federated-etl"\n' +
        '  federated-etl completion fish > ~/.config/fish/completions/federated-etl.fish\n',
    )
    .action((shell: (typeof shells)[number]) =>
      print(...completionScript(shell, readVerbs(program)).split('\n')),
    );
}
