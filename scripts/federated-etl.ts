import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { types } from 'node:util';
import { Command, CommanderError } from 'commander';
import { programVersion } from '../config/program-version';
import { catalog } from '../errors/catalog';
import { errorLines } from '../errors/federation-error';
import { knownError } from '../errors/known-error';
import { withoutSecrets } from '../errors/secrets';
import { exitStatusOf } from '../operator/exit-status';
import { paint } from './colour';
import { printNote } from './output';

/**
 * The verbs of `federated-etl VERB`, in the order of `--help`. These modules only have the options of the verbs. What a
 * verb does is loaded when it runs.
 */
const verbs: Readonly<Record<string, () => (program: Command) => void>> = {
  run: () => (require('./verbs/run') as typeof import('./verbs/run')).registerRun,
  demo: () => (require('./verbs/demo') as typeof import('./verbs/demo')).registerDemo,
  doctor: () => (require('./verbs/doctor') as typeof import('./verbs/doctor')).registerDoctor,
  status: () => (require('./verbs/status') as typeof import('./verbs/status')).registerStatus,
  federate: () => (require('./verbs/federate') as typeof import('./verbs/federate')).registerFederate,
  runs: () => (require('./verbs/runs') as typeof import('./verbs/runs')).registerRuns,
  replay: () => (require('./verbs/replay') as typeof import('./verbs/replay')).registerReplay,
  exclude: () => (require('./verbs/exclude') as typeof import('./verbs/exclude')).registerExclude,
  include: () => (require('./verbs/exclude') as typeof import('./verbs/exclude')).registerInclude,
  cluster: () => (require('./verbs/cluster') as typeof import('./verbs/cluster')).registerCluster,
  quarantine: () => (require('./verbs/quarantine') as typeof import('./verbs/quarantine')).registerQuarantine,
  accept: () => (require('./verbs/accept') as typeof import('./verbs/accept')).registerAccept,
  generations: () =>
    (require('./verbs/generations') as typeof import('./verbs/generations')).registerGenerations,
  diff: () => (require('./verbs/diff') as typeof import('./verbs/diff')).registerDiff,
  rollback: () => (require('./verbs/rollback') as typeof import('./verbs/rollback')).registerRollback,
  verify: () => (require('./verbs/verify') as typeof import('./verbs/verify')).registerVerify,
  primary: () => (require('./verbs/primary') as typeof import('./verbs/primary')).registerPrimary,
  backups: () => (require('./verbs/backups') as typeof import('./verbs/backups')).registerBackups,
  restore: () => (require('./verbs/restore') as typeof import('./verbs/restore')).registerRestore,
  inspect: () => (require('./verbs/inspect') as typeof import('./verbs/inspect')).registerInspect,
  merge: () => (require('./verbs/merge') as typeof import('./verbs/merge')).registerMerge,
  export: () => (require('./verbs/export') as typeof import('./verbs/export')).registerExport,
  serve: () => (require('./verbs/serve') as typeof import('./verbs/serve')).registerServe,
  completion: () => (require('./verbs/completion') as typeof import('./verbs/completion')).registerCompletion,
};

/**
 * Runs the command line and sets `process.exitCode`: 0 for success, 1 for an error or a failed check, 2 for wrong
 * usage or settings, 3 if the run that the verb has waited for is partial.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const program = buildProgram();
  try {
    for (const register of loadVerbs(argv)) register(program);
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed the message of this error. If it has printed the help instead, the exit code is
      // 0.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    printNote(...explain(error, program.opts<{ verbose?: boolean }>().verbose === true));
    process.exitCode = exitStatusOf(knownError(error));
  }
}

function buildProgram(): Command {
  return new Command('federated-etl')
    .description('One cost view over many Kubecost and OpenCost clusters, through a bucket, on Temporal.')
    .version(`federated-etl ${programVersion()}`, '--version', 'print the version')
    .option(
      '--config <file>',
      'the settings file (default: FEDERATED_ETL_CONFIG, else federated-etl.yaml here)',
    )
    .option('--verbose', 'also log each step, and the stack of an error')
    .exitOverride()
    .configureOutput({
      writeErr: (text) => printNote(...text.trimEnd().split('\n')),
      // An error quotes the argument. Only a suggestion is another line.
      outputError: (text) => printNote(...text.trimEnd().split(/\n(?=\(Did you mean )/)),
    })
    .showHelpAfterError('(use --help for usage)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      '\nExit status: 0 success, 1 it failed or found a problem, 2 wrong usage or settings, 3 --wait saw a partial run.\n',
    );
}

/**
 * Loads the verbs that the command line names. Loads all verbs if it names none, because the help and the suggestions
 * for misspelled names need them. Also loads all for the verb `completion`, which lists them.
 */
function loadVerbs(argv: readonly string[]): ((program: Command) => void)[] {
  // The demo needs the test data in the checkout, so a build does not include the verb `demo`.
  const here = Object.entries(verbs).filter(([verb]) => verb !== 'demo' || existsSync(join(__dirname, verb)));
  const named = here.filter(([verb]) => argv.includes(verb));
  const needsAll = named.length === 0 || argv.includes('completion');
  return (needsAll ? here : named).map(([, load]) => load());
}

function explain(error: unknown, verbose: boolean): string[] {
  const known = knownError(error);
  const unexpected = known.code === 'INTERNAL' && known !== error;
  const [first = '', ...others] = unexpected
    ? [`INTERNAL: ${catalog.INTERNAL.means} ${known.detail}`, `  ${known.hint}`]
    : errorLines(known);
  const text = [first.replace(known.code, paint('bad', known.code, process.stderr)), ...others];
  if (!verbose) return text;
  const causes: string[] = [];
  for (let at = error; types.isNativeError(at); at = at.cause)
    causes.push(`${causes.length === 0 ? '' : 'caused by '}${withoutSecrets(at.stack ?? at.message)}`);
  return [...text, ...causes.flatMap((cause) => cause.split(/\n(?= {4}at )/))];
}
