import { formatSpan } from '../operator/format';
import type { ScheduleState } from '../operator/read-schedule';

/**
 * Says how long a primary has been waiting for its own windows, and when the next federation will be, because the
 * primary cannot continue before it. Returns the part of a sentence that follows the word `waiting`.
 */
export function describeWaiting(
  since: string | undefined,
  schedule: ScheduleState | 'absent' | undefined,
  now: Date,
): string {
  const waited = since === undefined ? '' : ` for ${formatSpan(now.getTime() - Date.parse(since))}`;
  if (schedule === undefined) return waited;
  const next = schedule === 'absent' ? undefined : schedule.nextRun;
  if (next === undefined) return `${waited}; no federation is due`;
  const left = formatSpan(Math.max(0, Date.parse(next) - now.getTime()));
  return `${waited}; goes on after the next federation at the earliest, in ${left}`;
}
