import { z } from 'zod';
import type { ClusterId } from '../etl/cluster-id';
import type { Contribution } from '../etl/contribution';
import { digestSchema, quarantinedSourceSchema } from './generation';
import { clusterIdSchema, decisionSchema, seenSchema, windowIdSchema } from './ids';
import { measureSchema } from './measure';

/**
 * Position of one cluster's records in a merged object, and what is needed to extract them. `etl/contribution.ts`
 * describes the fields.
 */
export const contributionSchema = z.object({
  id: z.string(),
  measure: measureSchema,
  names: z.array(z.string()),
  entries: z.number().int().nonnegative(),
  offset: z.number().int().nonnegative(),
  length: z.number().int().nonnegative(),
  altered: z.array(z.number().int()),
  changed: z.array(z.number().int()),
  rest: z.string(),
  marksOmitted: z.boolean(),
}) satisfies z.ZodType<Contribution>;

/** A cluster's source for a merged window, and how it was merged. */
export const provenanceSourceSchema = z.object({
  cluster: clusterIdSchema,
  /** Version of the file in the listing, or `absent`. */
  seen: seenSchema,
  /** `used`, `kept:<version>`, `refused:<code>` or `accepted`. The type `Decision` explains them. */
  decision: decisionSchema,
  /** Position of the cluster's records in the merged object; undefined if the cluster contributed nothing. */
  contribution: contributionSchema.optional(),
});
export type ProvenanceSource = z.infer<typeof provenanceSourceSchema>;

/**
 * Provenance of a merged window: the sources that it was merged from. The provenance is written after the merged
 * object, so if the provenance exists, the object is complete.
 */
export const provenanceSchema = z.object({
  format: z.literal(1),
  fingerprint: digestSchema,
  window: windowIdSchema,
  digest: digestSchema,
  size: z.number().int().nonnegative(),
  /** The sources, in byte order of the cluster ids. */
  sources: z.array(provenanceSourceSchema),
  quarantined: z.array(quarantinedSourceSchema),
});
export type Provenance = z.infer<typeof provenanceSchema>;

/**
 * Lists the clusters that contributed to a merged window. This includes clusters whose files were good but had no
 * records.
 */
export function contributors(provenance: Provenance): ClusterId[] {
  return provenance.sources
    .filter((source) => source.contribution !== undefined)
    .map((source) => source.cluster);
}

/** Counts the clusters whose source version or decision has changed since the previous merge of the window. */
export function changedSources(
  before: Pick<Provenance, 'sources'> | undefined,
  now: readonly Pick<ProvenanceSource, 'cluster' | 'seen' | 'decision'>[],
): number {
  const text = ({ seen, decision }: Pick<ProvenanceSource, 'seen' | 'decision'>) =>
    JSON.stringify([seen, decision]);
  const old = new Map(before?.sources.map((source) => [source.cluster, text(source)]));
  const changed = now.filter((source) => old.get(source.cluster) !== text(source)).length;
  const present = new Set(now.map((source) => source.cluster));
  return changed + [...old.keys()].filter((cluster) => !present.has(cluster)).length;
}
