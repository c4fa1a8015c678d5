import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/durations';

/** The options that `--wait` and `--timeout` add to a verb. */
export interface WaitOptions {
  readonly wait?: true;
  /** Aborted when the time given by `--timeout` is over. The time starts when the verb starts. */
  readonly timeout?: AbortSignal;
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
