import type { Client } from '@temporalio/client';
import type { Log } from '../config/log';
import { withHint } from '../errors/hints';
import { knownError } from '../errors/known-error';
import type { Condition, Finding } from '../federation/conditions';
import { promptly } from '../operator/promptly';
import type { Conditions } from './conditions';
import { openWorkflow } from './open-workflow';
import { repeat } from './repeat';

/**
 * Something in Temporal that a role needs, and that Temporal may lose: a person may terminate a workflow or delete the
 * schedule, a server may lose its data, and a namespace may be restored from a backup.
 */
export interface Need {
  /** Name for log lines, such as `the schedule federation`. */
  readonly what: string;
  /** The condition that depends on this need. */
  readonly condition: Pick<Condition, 'role' | 'name'>;
  /**
   * Creates the needed workflow, schedule or registration if it is missing. Never changes an existing one. Returns
   * false if it was not missing; otherwise true, or a sentence about what was lost.
   */
  restore(): Promise<boolean | string>;
  /** Returns the finding for `condition` after the last `restore`. (Default: the condition holds) */
  found?(): Finding;
}

/**
 * Returns the need for a workflow that never ends. `start` starts the workflow, and must do no harm if the workflow is
 * already running. `start` may return a sentence about what was lost.
 */
export function workflowNeed(
  client: Client,
  condition: Need['condition'],
  workflowId: string,
  start: () => Promise<string | void>,
): Need {
  return {
    condition,
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
 * Checks the needs of a process now and every two minutes, and restores those that are missing. Returns a function that
 * stops these checks.
 */
export function keepNeeds(
  client: Client,
  needs: readonly Need[],
  log: Log,
  conditions: Conditions,
): () => void {
  const restore = restorer(client, needs, log, conditions);
  return repeat(everyMs, restore, { atOnce: true });
}

/**
 * Returns a function that restores all missing needs, and logs in one line which ones were missing. If a need cannot be
 * restored, logs the reason. The same reason is logged as a warning only the first time. The function also updates the
 * conditions that depend on the needs.
 */
export function restorer(
  client: Client,
  needs: readonly Need[],
  log: Log,
  conditions: Conditions,
): () => Promise<void> {
  let known: ReadonlySet<string> = new Set();
  return async () => {
    const restored: string[] = [];
    const losses: string[] = [];
    const reasons = new Map<string, string[]>();
    const findings = new Map<Need, Finding>();
    for (const need of needs) {
      try {
        const absent = await promptly(client, answerWithinMs, () => need.restore());
        if (absent !== false) restored.push(need.what);
        if (typeof absent === 'string') losses.push(absent);
        findings.set(need, need.found?.() ?? { holds: 'yes' });
      } catch (error) {
        const known = knownError(error);
        const { code } = known;
        const reason = withHint(known);
        const isAway = code === 'TEMPORAL_UNAVAILABLE' && need.condition.name !== 'temporal';
        findings.set(
          need,
          isAway
            ? { holds: 'unknown' }
            : { holds: 'no', reason: `It is unknown whether Temporal still has ${need.what}. ${reason}` },
        );
        reasons.set(reason, [...(reasons.get(reason) ?? []), need.what]);
      }
    }
    judgeNeeds(conditions, findings);
    if (restored.length > 0) {
      conditions.reportAgain();
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

/** Updates the conditions. A condition holds only if all needs that it depends on exist. */
function judgeNeeds(conditions: Conditions, findings: ReadonlyMap<Need, Finding>): void {
  const of = ({ condition: { role, name } }: Need) => `${role}.${name}`;
  for (const [, found] of Map.groupBy(findings, ([need]) => of(need))) {
    const worst = (['no', 'unknown', 'yes'] as const).flatMap((holds) =>
      found.filter(([, finding]) => finding.holds === holds),
    );
    const [first] = worst;
    if (first !== undefined) conditions.found(first[0].condition.role, first[0].condition.name, first[1]);
  }
}

function list(what: readonly string[]): string {
  return what.length < 2 ? what.join('') : `${what.slice(0, -1).join(', ')} and ${what.at(-1)}`;
}
