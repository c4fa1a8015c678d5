import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/durations';

/** What `--wait` and `timeoutOption` add to the options of a verb. */
export interface WaitOptions {
  readonly wait?: true;
  /** Aborted when the verb has waited for as long as `--timeout` allows. The time starts with the verb. */
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
  // Node's timers end at once if they are set to more than 2^31 milliseconds, which are almost 25 days.
  if (ms === undefined || ms < 1 || ms > (parseDuration(longest) ?? 0))
    throw new InvalidArgumentError(`A duration such as 30s, 10m or 2h is expected, of at most ${longest}.`);
  return AbortSignal.timeout(ms);
}
