import { z } from 'zod';
import type { ClusterId } from '../etl/cluster-id';
import type { Contribution } from '../etl/contribution';
import { digestSchema, quarantinedSourceSchema } from './generation';
import { clusterIdSchema, decisionSchema, seenSchema, windowIdSchema } from './ids';

/** Where one cluster's records are in a merged object, and what is needed to extract them. Created by etl/. */
export const contributionSchema = z.object({
  id: z.string(),
  records: z.number().int().nonnegative(),
  entries: z.number().int().nonnegative(),
  offset: z.number().int().nonnegative(),
  length: z.number().int().nonnegative(),
  altered: z.array(z.number().int()),
  changed: z.array(z.number().int()),
  rest: z.string(),
  marksOmitted: z.boolean(),
}) satisfies z.ZodType<Contribution>;

/** A cluster's source in a merged window. */
export const provenanceSourceSchema = z.object({
  cluster: clusterIdSchema,
  /** The source's version as it was listed, or `absent`. */
  seen: seenSchema,
  /** `used`, `kept:<version>`, `refused:<code>` or `accepted`. */
  decision: decisionSchema,
  /** Undefined if the cluster contributed nothing. */
  contribution: contributionSchema.optional(),
});
export type ProvenanceSource = z.infer<typeof provenanceSourceSchema>;

/** The inputs of a merged window. The provenance is written after the object: if it exists, the object is finished. */
export const provenanceSchema = z.object({
  format: z.literal(1),
  fingerprint: digestSchema,
  window: windowIdSchema,
  digest: digestSchema,
  size: z.number().int().nonnegative(),
  /** The sources, sorted by the bytes of the cluster ids. */
  sources: z.array(provenanceSourceSchema),
  quarantined: z.array(quarantinedSourceSchema),
});
export type Provenance = z.infer<typeof provenanceSchema>;

/** Lists the clusters with a contribution: either records in the object, or a good window without records. */
export function contributors(provenance: Provenance): ClusterId[] {
  return provenance.sources
    .filter((source) => source.contribution !== undefined)
    .map((source) => source.cluster);
}

/** Counts the clusters whose source, or the decision on it, differs from the previous object. */
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
