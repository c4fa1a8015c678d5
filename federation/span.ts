import { z } from 'zod';

/** A time span `[start, end)` in unix seconds. */
export const spanSchema = z.object({ start: z.number().int(), end: z.number().int() });
export type Span = z.infer<typeof spanSchema>;

/** Returns whether a window overlaps a time span. Any window overlaps an undefined span, which has no limits. */
export function overlaps(window: Span, span: Span | undefined): boolean {
  return span === undefined || (window.start < span.end && window.end > span.start);
}
