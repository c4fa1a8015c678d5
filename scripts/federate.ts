import { type Command, InvalidArgumentError } from 'commander';
import type { FederationRequest } from '../federation/run';
import { startFederation } from '../operator/start-federation';
import type { FederationSummary } from '../workflows/federation';
import { openContext, type CommandOptions, type Context } from './context';
import { dryRun } from './dry-run';
import { showFederation } from './federation-progress';
import { print, printJson } from './output';
import { stopOnSignals } from './stop-on-signals';

interface FederateOptions extends CommandOptions {
  readonly wait?: true;
  readonly dryRun?: true;
  readonly window?: { start: number; end: number };
  readonly force?: true;
  readonly full?: true;
  readonly takeOver?: true;
  readonly json?: true;
}

/** Adds the verb `federate` to the program. */
export function registerFederate(program: Command): void {
  program
    .command('federate')
    .description('start a federation now, behind one that runs')
    .option('--wait', 'wait until it has ended; exit status 1 when it fails')
    .option('--dry-run', 'show what it would do, without writing anything')
    .option(
      '--window <start,end>',
      'only windows that overlap this span: unix seconds or RFC 3339',
      parseSpan,
    )
    .option('--force', 'merge the windows again, though nothing changed')
    .option('--full', 'look at every window and every refused source again')
    .option('--take-over', 'commit although another federator with another membership committed last')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl federate --wait\n  federated-etl federate --force --window 2026-11-14T00:00:00Z,2026-11-15T00:00:00Z\n',
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<FederateOptions>();
      await using context = openContext(options);
      const request = requestOf(options);
      if (options.dryRun) await dryRun(context, request, options.json === true);
      else await startAndTell(context, request, { wait: options.wait === true, json: options.json === true });
    });
}

/** Starts a federation as a person and says how to follow it, or follows it to its end. */
export async function startAndTell(
  context: Context,
  request: FederationRequest,
  { wait, json }: { wait: boolean; json: boolean },
): Promise<void> {
  const { client } = await context.temporal();
  const run = await startFederation(client, context.settings.temporal.idPrefix, request);
  if (!wait) {
    if (json) printJson({ run });
    else print(`${run} is started. Follow it in the Temporal UI, or with \`federated-etl runs\`.`);
    return;
  }
  const say = json ? () => undefined : print;
  const summary: FederationSummary = await showFederation(client, run, say, stopOnSignals(context.log));
  if (json) printJson(summary);
}

function requestOf(options: FederateOptions): FederationRequest {
  return {
    trigger: 'person',
    at: new Date().toISOString(),
    ...(options.window === undefined ? {} : { windows: options.window }),
    ...(options.force === undefined ? {} : { force: true }),
    ...(options.full === undefined ? {} : { full: true }),
    ...(options.takeOver === undefined ? {} : { takeOver: true }),
  };
}

/** The option parser of `--window START,END`, in whole unix seconds or RFC 3339. */
export function parseSpan(text: string): { start: number; end: number } {
  const [start, end, ...more] = text.split(',').map(parseMoment);
  if (start === undefined || end === undefined || more.length > 0 || start >= end) {
    throw new InvalidArgumentError('It takes START,END, of which START is the earlier.');
  }
  return { start, end };
}

function parseMoment(text: string): number | undefined {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const milliseconds = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}
