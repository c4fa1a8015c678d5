import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../config/durations';
import { pipelines } from '../../etl/window';
import { parseSpan } from '../parse-options';

/** The option `--dry-run`, which several verbs share. */
export const dryRunOption = ['--dry-run', 'show what would change; changes nothing'] as const;

/** The option `--cluster` of verbs that are about one cluster. The default is the cluster in the settings. */
export const clusterOption = [
  '--cluster <id>',
  'the cluster (default: the cluster of the settings)',
] as const;

/** Returns the option `--pipeline`, which is for files whose path does not name the pipeline. */
export function pipelineOption(): Option {
  return new Option(
    '--pipeline <pipeline>',
    'the pipeline of the file, if its path does not name it',
  ).choices(pipelines);
}

/** Adds the argument and the options that the verbs `accept` and `quarantine drop` have in common. */
export function withDecideOptions(verb: Command): Command {
  return verb
    .argument('<cluster>', 'the id of the cluster')
    .option(
      '--window <start,end>',
      'only windows that overlap this span, in unix seconds or RFC 3339',
      parseSpan,
    )
    .addOption(new Option('--pipeline <pipeline>', 'only this pipeline').choices(pipelines))
    .option('--reason <text>', 'the reason, recorded with the decision')
    .option('--yes', 'do not ask')
    .option('--wait', 'wait until it is committed; exit status 1 if it is not, 3 if the run is partial')
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON');
}

/** The option `--timeout`, which also turns on `--wait`. */
export function timeoutOption(): Option {
  return new Option(
    '--timeout <duration>',
    'wait, but at most this long, such as 10m; then the exit status is 1, and the run goes on',
  )
    .argParser(parseTimeout)
    .implies({ wait: true });
}

const longest = '24d';

function parseTimeout(text: string): AbortSignal {
  const ms = parseDuration(text);
  // If a Node timer is set to 2^31 milliseconds (almost 25 days) or more, it ends at once.
  if (ms === undefined || ms < 1 || ms > (parseDuration(longest) ?? 0))
    throw new InvalidArgumentError(`A duration such as 30s, 10m or 2h is expected, of at most ${longest}.`);
  return AbortSignal.timeout(ms);
}
