import { z } from 'zod';

/** A span of time in unix seconds, `[start, end)`. */
export const spanSchema = z.object({ start: z.number().int(), end: z.number().int() });
export type Span = z.infer<typeof spanSchema>;

/** The request of a run. A replay is a new run of the same request. */
export const requestSchema = z.object({
  trigger: z.enum(['schedule', 'person', 'push', 'replay']),
  /** The reason that the requester gave. */
  why: z.string().optional(),
  /** Only windows that overlap this span are merged; undefined: all windows. */
  windows: spanSchema.optional(),
  /** Merge the windows again even if nothing has changed and the merged objects exist. */
  force: z.boolean().optional(),
  /** Look at every window and quarantined source again. Windows that have been merged already are not merged again. */
  full: z.boolean().optional(),
  /** Commit even if a federator with another membership committed last. */
  takeOver: z.boolean().optional(),
  /** Id of the run that this one repeats. */
  replayOf: z.string().optional(),
  /** Time of the request, RFC 3339. */
  at: z.string(),
});
export type FederationRequest = z.infer<typeof requestSchema>;

export const runOutcomes = ['complete', 'partial', 'nothing', 'failed', 'cancelled'] as const;
export type RunOutcome = (typeof runOutcomes)[number];

const calls = z.number().int().nonnegative();

/** The report of a run: how it ended, and what it did. */
export const reportSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  /** Run id that Temporal gave the execution of the workflow. */
  workflowRunId: z.string(),
  /** `partial`: sources are quarantined, or a step after the commit failed. `nothing`: there was no input. */
  outcome: z.enum(runOutcomes),
  /** Start of the run, RFC 3339. `endedAt` has the same format. */
  startedAt: z.string(),
  endedAt: z.string(),
  /** Number of the generation that the run committed, or found up to date. */
  generation: z.number().int().nonnegative().optional(),
  /** Number of included clusters. */
  clusters: z.number().int(),
  /** Ids of the excluded clusters; if there are many, only the first of them. */
  excluded: z.array(z.string()),
  windows: z.object({
    all: z.number().int(),
    planned: z.number().int(),
    merged: z.number().int(),
    /** Number of planned windows that had been merged already. */
    reused: z.number().int(),
    removed: z.number().int(),
  }),
  /** Number of quarantined sources of included clusters. */
  quarantined: z.number().int(),
  /** Steps after the commit that failed; the next run repeats them. */
  unfinished: z.array(z.string()),
  /** Number of calls to the store, by verb, until this report was written. */
  calls: z.object({
    list: calls,
    head: calls,
    get: calls,
    put: calls,
    create: calls,
    copy: calls,
    delete: calls,
  }),
  /** Warnings about the store, one sentence each; undefined if there are none. */
  warnings: z.array(z.string()).optional(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
export type FederationReport = z.infer<typeof reportSchema>;

/** Returns the number of items, and as many of the first items as fit into a Temporal payload. */
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
