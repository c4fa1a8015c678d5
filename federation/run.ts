import { z } from 'zod';
import { changeSchema, type Decided, describeChange } from './change';
import { spanSchema } from './span';

/** The request for a run. A replay is a new run with the same request. */
export const requestSchema = z.object({
  trigger: z.enum(['schedule', 'person', 'push', 'replay']),
  /** The person who requested the run, as `name@host`; undefined if no person requested it. */
  by: z.string().optional(),
  /** The reason that the requester gave. */
  why: z.string().optional(),
  /** Limits the run to windows that overlap this span. If undefined, the run has no such limit. */
  windows: spanSchema.optional(),
  /** Whether to merge windows again even if nothing has changed and their merged objects exist. */
  force: z.boolean().optional(),
  /**
   * Whether to list the whole bucket, to check every selected window, and to read every quarantined source again,
   * except dropped ones. A window whose merged object is still right is not merged again; with `force`, it is.
   */
  full: z.boolean().optional(),
  /** Whether to commit even if there is a conflict with the federator that made the last commit. */
  takeOver: z.boolean().optional(),
  /** Number of the generation to start from instead of the newest one. Set it if the newest generation is damaged. */
  from: z.number().int().positive().optional(),
  /** Whether to end the hold that a rollback has put on the federation. */
  resume: z.boolean().optional(),
  /** Whether to begin a new federation if the bucket does not contain the federation that the roster knows. */
  newFederation: z.boolean().optional(),
  /** A person's decision that the run commits. */
  change: changeSchema.optional(),
  /** Id of the run that this one repeats. */
  replayOf: z.string().optional(),
  /** Time of the request, in RFC 3339 format. */
  at: z.string(),
});
export type FederationRequest = z.infer<typeof requestSchema>;

/**
 * Returns who requested a run, why and when. If no person requested the run, `by` is what triggered it, such as
 * `schedule`.
 */
export function decidedBy({
  by,
  why,
  at,
  trigger,
}: Pick<FederationRequest, 'by' | 'why' | 'at' | 'trigger'>): Decided {
  return { by: by ?? trigger, reason: why ?? '', at };
}

/** Describes a person's decision in a request, in a few words. Returns undefined if the request only asks for a run. */
export function describeDecision({
  change,
  resume,
  from,
  newFederation,
  takeOver,
}: Pick<FederationRequest, 'change' | 'resume' | 'from' | 'newFederation' | 'takeOver'>): string | undefined {
  const what = [
    ...(change === undefined ? [] : [describeChange(change)]),
    ...(resume === true ? ['resume'] : []),
    ...(from === undefined ? [] : [`go on from generation ${from}`]),
    ...(newFederation === true ? ['begin a new federation'] : []),
    ...(takeOver === true ? ['take over'] : []),
  ];
  return what.length === 0 ? undefined : what.join(', ');
}

export const runOutcomes = ['complete', 'partial', 'nothing', 'on-hold', 'failed', 'cancelled'] as const;
export type RunOutcome = (typeof runOutcomes)[number];

const calls = z.number().int().nonnegative();

/** The report of a run: how it ended, and what it did. */
export const reportSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  /** Temporal's run id of the workflow execution. */
  workflowRunId: z.string(),
  /**
   * `partial`: the generation has quarantined sources, or a step after the commit failed. `nothing`: there was no file
   * to merge, or every cluster is excluded. `on-hold`: a rollback keeps runs from committing.
   */
  outcome: z.enum(runOutcomes),
  /** Time when the run started, in RFC 3339 format. `endedAt` has the same format. */
  startedAt: z.string(),
  endedAt: z.string(),
  /** Number of the generation that the run committed, or that the run found to be up to date. */
  generation: z.number().int().nonnegative().optional(),
  /** Number of included clusters. */
  clusters: z.number().int(),
  /** Ids of the excluded clusters. A long list is shortened. */
  excluded: z.array(z.string()),
  windows: z.object({
    all: z.number().int(),
    planned: z.number().int(),
    merged: z.number().int(),
    /** Number of planned windows whose merged object already existed. */
    reused: z.number().int(),
    removed: z.number().int(),
  }),
  /** Number of quarantined sources of included clusters. */
  quarantined: z.number().int(),
  /** Number of sources that lost a large part of their data but were merged, because their windows were still young. */
  shrunk: z.number().int(),
  /** One sentence for each cluster whose records contain names of other clusters; undefined if there are none. */
  nameConflicts: z.array(z.string()).optional(),
  /** Steps that failed after the commit. The next run repeats them. */
  unfinished: z.array(z.string()),
  /** Number of calls to the store up to the time of this report, by operation, and number of bytes read and written. */
  calls: z.object({
    list: calls,
    head: calls,
    get: calls,
    put: calls,
    create: calls,
    copy: calls,
    delete: calls,
    bytesRead: calls,
    bytesWritten: calls,
  }),
  /** Warnings about the store, one sentence each; undefined if there are none. */
  warnings: z.array(z.string()).optional(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
export type FederationReport = z.infer<typeof reportSchema>;

/**
 * Shortens a list so that it fits into a Temporal payload. Returns the total number of items, and the first items: at
 * most `mostItems`, with at most `mostLength` characters altogether.
 */
export function shorten(
  items: readonly string[],
  mostItems = 50,
  mostLength = 4_000,
): { count: number; ids: string[] } {
  const ids: string[] = [];
  let length = 0;
  for (const item of items.slice(0, mostItems)) {
    length += item.length;
    if (length > mostLength) break;
    ids.push(item);
  }
  return { count: items.length, ids };
}
