import { type FederationError, isFederationError } from '../errors/federation-error';
import { withHint } from '../errors/hints';
import type { RoleName } from '../federation/conditions';

/** Remembers which activities of a role failed last because a volume was full, read-only or not permitted. */
export class VolumeRefusals {
  private readonly reasons = new Map<RoleName, Map<object, string>>();

  /** Returns why the last run of an activity of this role was refused by a volume; undefined if none was. */
  reason(role: RoleName): string | undefined {
    const [first] = this.reasons.get(role)?.values() ?? [];
    return first;
  }

  /** Returns the same activity, whose outcome is recorded for `role`. */
  observed<Args extends unknown[], Result>(
    role: RoleName,
    activity: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<Result> {
    const own = this.reasons.get(role) ?? new Map<object, string>();
    this.reasons.set(role, own);
    return async (...args) => {
      try {
        const result = await activity(...args);
        own.delete(activity);
        return result;
      } catch (error) {
        if (isRefusal(error)) own.set(activity, withHint(error));
        else own.delete(activity);
        throw error;
      }
    };
  }
}

function isRefusal(error: unknown): error is FederationError {
  return (
    isFederationError(error, 'LOCAL_ETL_REFUSED') ||
    (isFederationError(error, 'QUERY_NO_ROOM') && error.subject.setting === 'query.path')
  );
}
