/** The conditions that each role has: what has to hold so that the role works well. */
export const conditionsOfRoles = {
  federatedCluster: ['temporal', 'store', 'freshness', 'disk'],
  federator: ['temporal', 'schedule', 'roster', 'store', 'freshness'],
  primaryCluster: ['temporal', 'roster', 'store', 'freshness', 'export', 'disk'],
} as const;

/** A role that a process can have, as named in the settings. */
export type RoleName = keyof typeof conditionsOfRoles;
export type ConditionName = (typeof conditionsOfRoles)[RoleName][number];

/** Whether something holds that a role needs. */
export interface Condition {
  readonly role: RoleName;
  readonly name: ConditionName;
  readonly holds: 'yes' | 'no' | 'unknown';
  /**
   * If the condition does not hold: why, in a sentence. If it holds: a note, such as `none is configured`; usually
   * undefined.
   */
  readonly reason?: string;
  /** Time at which `holds` took on its current value, in RFC 3339 format. */
  readonly since: string;
}

/** The result of one check of a condition. */
export type Finding =
  | { readonly holds: 'yes'; readonly reason?: string }
  | { readonly holds: 'no'; readonly reason: string }
  | { readonly holds: 'unknown' };

/**
 * A condition. `doubt` is set if the last check found another value than `holds`, and no second check has confirmed
 * that value yet. See `judge`.
 */
export interface Judged extends Condition {
  readonly doubt?: { readonly holds: Finding['holds']; readonly since: string };
}

/** Returns the conditions of the given roles before the first check. All of them are unknown. */
export function unjudged(roles: readonly RoleName[], now: string): Judged[] {
  return roles.flatMap((role) =>
    conditionsOfRoles[role].map((name) => ({ role, name, holds: 'unknown' as const, since: now })),
  );
}

/**
 * Returns a condition as it is after a check. One check is enough to make it hold. It stops holding, or becomes
 * unknown, only after two checks in a row with the same result, so that one failed call changes nothing.
 */
export function judge(before: Judged, found: Finding, now: string): Judged {
  const { role, name } = before;
  const { holds } = found;
  const since =
    before.holds === holds ? before.since : before.doubt?.holds === holds ? before.doubt.since : now;
  if (before.holds !== holds && holds !== 'yes' && before.doubt?.holds !== holds)
    return { ...before, doubt: { holds, since: now } };
  const reason = 'reason' in found ? found.reason : undefined;
  return { role, name, holds, ...(reason !== undefined && { reason: oneLine(reason) }), since };
}

/** Returns a condition as it is reported, which is without `doubt`. */
export function conditionOf({ doubt: _, ...condition }: Judged): Condition {
  return condition;
}

const longestReason = 500;

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > longestReason ? `${line.slice(0, longestReason - 1)}…` : line;
}

/**
 * Parses the conditions that a process reports. Ignores everything in the message that is not a valid condition.
 * Returns each condition of each role at most once, so the result is small even if the message is large.
 */
export function parseConditions(message: unknown): Condition[] {
  const parsed = new Map<string, Condition>();
  for (const one of Array.isArray(message) ? (message as unknown[]) : []) {
    if (typeof one !== 'object' || one === null) continue;
    const { role, name, holds, reason, since } = one as Record<string, unknown>;
    if (typeof role !== 'string' || !Object.hasOwn(conditionsOfRoles, role)) continue;
    const names: readonly unknown[] = conditionsOfRoles[role as RoleName];
    if (!names.includes(name) || (holds !== 'yes' && holds !== 'no' && holds !== 'unknown')) continue;
    if (typeof since !== 'string' || Number.isNaN(Date.parse(since))) continue;
    parsed.set(`${role}.${name as string}`, {
      role: role as RoleName,
      name: name as ConditionName,
      holds,
      ...(typeof reason === 'string' && { reason: oneLine(reason) }),
      since: since.slice(0, 40),
    });
  }
  return [...parsed.values()];
}

/**
 * Judges whether an action that has to succeed regularly, such as a push, has succeeded recently enough.
 *
 * @param last time of the last success or, before the first success, the time from which to count; undefined if unknown
 * @param limitMs the maximum time since `last`
 * @param what the start of the reason, such as `No push`
 * @param why a sentence about the last failure; undefined if there was none or it is unknown
 */
export function judgeFreshness(
  {
    last,
    limitMs,
    what,
    why,
  }: {
    readonly last: number | undefined;
    readonly limitMs: number;
    readonly what: string;
    readonly why?: string | undefined;
  },
  now: number,
): Finding {
  if (last === undefined) return { holds: 'unknown' };
  if (now - last <= limitMs) return { holds: 'yes' };
  const sentence = `${what} has succeeded since ${new Date(last).toISOString()}.`;
  return { holds: 'no', reason: why === undefined ? sentence : `${sentence} ${why}` };
}

/**
 * Returns the maximum time since the last success of an action that is repeated every `everyMs`: three intervals, but
 * at least `leastMs`. All times are in milliseconds.
 */
export function freshFor(everyMs: number, leastMs: number): number {
  return Math.max(3 * everyMs, leastMs);
}

/** The space of a volume, in bytes. */
export interface VolumeSpace {
  readonly size: number;
  readonly free: number;
}

const enoughBytes = 512 * 2 ** 20;

/** Returns whether a volume is nearly full: less than a twentieth of it is free, and less than 512 MiB. */
export function isNearlyFull({ size, free }: VolumeSpace): boolean {
  return free < leastFree(size);
}

/** Returns whether a volume has no room even for the files in which Federated ETL keeps its state. */
export function isFull({ free }: VolumeSpace): boolean {
  return free < 2 ** 20;
}

/** Returns how many bytes of a volume of this size must be free. */
export function leastFree(size: number): number {
  return Math.min(size / 20, enoughBytes);
}
