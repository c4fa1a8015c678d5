import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 50;

type Ending = Pick<ChildProcess, 'exitCode' | 'signalCode' | 'stdout' | 'stderr'>;

/** Limits of a wait. */
export interface WaitLimits {
  /** Time after which the wait ends in vain. It is long, because a busy machine may be slow. */
  readonly patienceMs?: number;
  /** A process whose end also ends the wait, because what is awaited cannot happen without it. */
  readonly process?: Ending | undefined;
  /** Returns what this process has written. It becomes part of the error. */
  readonly output?: () => string;
}

/**
 * Calls `look` repeatedly until it returns a value other than undefined and false. Returns that value. If `look`
 * throws, tries again. If a limit is reached, throws an error. Its `cause` is the error that the last call of `look`
 * threw, if any.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { patienceMs = 180_000, process, output = () => '' }: WaitLimits = {},
): Promise<T> {
  let lastError: unknown;
  for (const deadline = Date.now() + patienceMs; ; await sleep(lookEveryMs)) {
    // Look once more after the end of the process: it may have been the last thing that the process did.
    const ended = process && endOf(process);
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    const cause = { cause: lastError };
    if (ended !== undefined)
      throw new Error(`Waited in vain for ${what}: the process ended with ${ended}.\n${output()}`, cause);
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`, cause);
  }
}

/** Returns the exit code of a process, or the signal that ended it, once all of its output has been read. */
function endOf({ exitCode, signalCode, stdout, stderr }: Ending): string | undefined {
  const isRead = [stdout, stderr].every((stream) => stream?.closed ?? true);
  return isRead ? (signalCode ?? exitCode?.toString()) : undefined;
}
