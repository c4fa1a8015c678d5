import type { Client } from '@temporalio/client';

/** State of the schedule that starts federations. */
export interface ScheduleState {
  /**
   * Interval between two runs, in milliseconds. Undefined if a person has changed the schedule to another kind of rule.
   */
  readonly everyMs?: number;
  /** Time of the next run, in RFC 3339 format. Undefined if none is due, for example while the schedule is paused. */
  readonly nextRun?: string;
  /**
   * Set while the schedule is paused. Contains the note of the person who paused it, because Temporal stores nothing
   * else about a pause.
   */
  readonly paused?: { readonly note: string };
}

/** Reads the state of the schedule. Returns `absent` if there is no schedule. */
export async function readSchedule(client: Client, scheduleId: string): Promise<ScheduleState | 'absent'> {
  try {
    const { state, info, spec } = await client.schedule.getHandle(scheduleId).describe();
    const everyMs = spec.intervals?.[0]?.every;
    const [next] = info.nextActionTimes;
    return {
      ...(typeof everyMs === 'number' && { everyMs }),
      ...(next !== undefined && !state.paused && { nextRun: next.toISOString() }),
      ...(state.paused && { paused: { note: state.note ?? '' } }),
    };
  } catch (error) {
    const { ScheduleNotFoundError } = await import('@temporalio/client');
    if (error instanceof ScheduleNotFoundError) return 'absent';
    throw error;
  }
}

/** Returns a text that says that the schedule is paused, with the note of the person who paused it. */
export function describePause({ note }: { readonly note: string }): string {
  return note === '' ? 'paused, without a note' : `paused: ${note.replace(/\.$/, '')}`;
}

/** Returns the command that ends a pause. */
export function unpauseCommand(scheduleId: string): string {
  return `temporal schedule toggle --schedule-id ${scheduleId} --unpause`;
}
