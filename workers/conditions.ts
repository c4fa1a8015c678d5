import {
  type Condition,
  type ConditionName,
  conditionOf,
  type Finding,
  judge,
  type Judged,
  type RoleName,
  unjudged,
} from '../federation/conditions';

/** Keeps the conditions of the roles of a process. Every check of a condition passes its result to `found`. */
export class Conditions {
  private readonly judged: Map<string, Judged>;
  private report: () => void = () => undefined;

  constructor(
    roles: readonly RoleName[],
    private readonly now: () => Date = () => new Date(),
  ) {
    const unknown = unjudged(roles, now().toISOString());
    this.judged = new Map(unknown.map((one) => [`${one.role}.${one.name}`, one]));
  }

  /** Records the result of a check. Does nothing if the process does not have this role. */
  found(role: RoleName, name: ConditionName, finding: Finding): void {
    const key = `${role}.${name}`;
    const before = this.judged.get(key);
    if (before === undefined) return;
    const after = judge(before, finding, this.now().toISOString());
    this.judged.set(key, after);
    if (before.holds !== after.holds || before.reason !== after.reason) this.report();
  }

  /**
   * Has all conditions reported again, although they have not changed. Call this after Temporal has lost earlier
   * reports.
   */
  reportAgain(): void {
    this.report();
  }

  /** From now on, calls `report` whenever a condition or its reason has changed, and when `reportAgain` is called. */
  onChange(report: () => void): void {
    this.report = report;
  }

  /** Returns the conditions of the process, or only those of one role. */
  current(asked?: string): Condition[] {
    return [...this.judged.values()]
      .filter(({ role }) => asked === undefined || role === asked)
      .map(conditionOf);
  }
}
