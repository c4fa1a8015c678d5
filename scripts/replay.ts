import type { Command } from 'commander';
import { readRuns } from '../operator/runs';
import { replayRequest } from '../operator/start-federation';
import type { Bucket } from '../storage/bucket';
import { type CommandOptions, openContext } from './context';
import { startAndShow } from './federate';
import { print } from './output';

interface ReplayOptions extends CommandOptions {
  readonly failed?: true;
  readonly wait?: true;
  readonly json?: true;
}

/** Adds the verb `replay` to the command line. */
export function registerReplay(program: Command): void {
  program
    .command('replay')
    .argument('[runs...]', 'the runs to replay, as `federated-etl runs` names them')
    .description(
      'start failed federations again: new runs of the same requests, planned against the bucket as it is now',
    )
    .option('--failed', 'replay every run that failed since the last one that committed')
    .option('--wait', 'wait for each to end before starting the next')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl replay federation-2026-11-20T21:35:27Z --wait\n  federated-etl replay --failed\n',
    )
    .action(async (named: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ReplayOptions>();
      if ((named.length === 0) !== (options.failed === true)) {
        command.error('error: name the runs to replay, or say --failed', { exitCode: 2 });
      }
      await using context = openContext(options);
      const bucket = await context.bucket();
      const runs = options.failed ? await failedSinceTheLastCommit(bucket) : named;
      if (runs.length === 0) print('No run failed since the last one that committed.');
      for (const run of runs) await replay(run);

      async function replay(run: string): Promise<void> {
        await startAndShow(context, await replayRequest(bucket, run), {
          wait: options.wait === true,
          json: options.json === true,
        });
      }
    });
}

/**
 * Number of recent runs that `--failed` examines. If even more runs have failed in a row, replaying them would not
 * help, because the cause of the failures persists.
 */
const mostRuns = 100;

/**
 * Returns the runs that failed after the last run that committed, oldest first. The run that committed has merged
 * everything that was pushed before it. So earlier failures need no replay.
 */
async function failedSinceTheLastCommit(bucket: Bucket): Promise<string[]> {
  const newestFirst = await readRuns(bucket, mostRuns);
  const committed = newestFirst.findIndex(({ outcome }) => outcome === 'complete' || outcome === 'partial');
  const since = committed === -1 ? newestFirst : newestFirst.slice(0, committed);
  return since
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ run }) => run)
    .reverse();
}
