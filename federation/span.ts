import { z } from 'zod';

/** A time span `[start, end)` in unix seconds. */
export const spanSchema = z.object({ start: z.number().int(), end: z.number().int() });
export type Span = z.infer<typeof spanSchema>;
