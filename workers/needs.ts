import type { Client } from '@temporalio/client';
import type { Log } from '../config/log';
import { knownError } from '../errors/known-error';
import { promptly } from '../operator/promptly';
import { openWorkflow } from './open-workflow';
import { repeat } from './repeat';

/**
 * Something in Temporal that a role needs, and that Temporal may lose: a person may terminate a workflow or delete the
 * schedule, a server may lose its data, and a namespace may be restored from a backup.
 */
export interface Need {
  /** Name for log lines, such as `the schedule federation`. */
  readonly what: string;
  /**
   * Creates the need if it is absent. Returns whether it was absent, or a sentence about what was lost with it. Never
   * changes an existing one.
   */
  restore(): Promise<boolean | string>;
}

/**
 * Returns the need for a workflow that never ends. `start` must be harmless if the workflow turns out to be running. It
 * may return a sentence about what was lost.
 */
export function workflowNeed(client: Client, workflowId: string, start: () => Promise<string | void>): Need {
  return {
    what: `the workflow ${workflowId}`,
    restore: async () => {
      if ((await openWorkflow(client, workflowId)) !== undefined) return false;
      return (await start()) ?? true;
    },
  };
}

const everyMs = 2 * 60_000;
const answerWithinMs = 10_000;

/**
 * Checks the needs of a process every two minutes, and restores those that are absent. Returns a function that stops
 * this.
 */
export function keepNeeds(client: Client, needs: readonly Need[], log: Log): () => void {
  const restore = restorer(client, needs, log);
  return repeat(everyMs, restore);
}

/**
 * Returns a function that restores whatever is absent, and logs one line about what it restored. If something cannot be
 * restored, logs the reason, but only once while the reason stays the same.
 */
export function restorer(client: Client, needs: readonly Need[], log: Log): () => Promise<void> {
  let known: ReadonlySet<string> = new Set();
  return async () => {
    const restored: string[] = [];
    const losses: string[] = [];
    const reasons = new Map<string, string[]>();
    for (const need of needs) {
      try {
        const absent = await promptly(client, answerWithinMs, () => need.restore());
        if (absent !== false) restored.push(need.what);
        if (typeof absent === 'string') losses.push(absent);
      } catch (error) {
        const { code, detail, hint } = knownError(error);
        const reason = `${code}: ${detail} ${hint}`;
        reasons.set(reason, [...(reasons.get(reason) ?? []), need.what]);
      }
    }
    if (restored.length > 0) {
      log.warn(
        { event: 'temporal.restored', what: restored },
        [`Temporal had lost ${list(restored)}: created again.`, ...losses].join(' '),
      );
    }
    for (const [reason, what] of reasons) {
      log[known.has(reason) ? 'debug' : 'warn'](
        { event: 'temporal.not-restored', what, reason },
        `It is unknown whether Temporal still has ${list(what)}: ${reason}`,
      );
    }
    known = new Set(reasons.keys());
  };
}

function list(what: readonly string[]): string {
  return what.length < 2 ? what.join('') : `${what.slice(0, -1).join(', ')} and ${what.at(-1)}`;
}
