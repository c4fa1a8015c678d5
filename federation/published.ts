import { z } from 'zod';
import { digestSchema, type Generation } from './generation';

/** A published file: which object it is a copy of, and the version of the copy. */
export const publishedWindowSchema = z.object({
  fingerprint: digestSchema,
  digest: digestSchema,
  /** As the store answered the copy. Empty while the file is announced and not yet written. */
  version: z.string(),
});
export type PublishedWindow = z.infer<typeof publishedWindowSchema>;

/** What lies in `combined/etl/bingen/` by our doing. Files that it does not name were never ours. */
export const publishedSchema = z.object({
  format: z.literal(1),
  /** The generation that all files are of, once publishing ended. */
  generation: z.number().int().nonnegative(),
  /** By WindowId. */
  windows: z.record(z.string(), publishedWindowSchema),
});
export type Published = z.infer<typeof publishedSchema>;

/** What brings the published files in line with a generation. */
export interface PublishingSteps {
  /** To be copied, by WindowId. */
  readonly copy: readonly string[];
  /** Ours once, and of no window of the generation. */
  readonly remove: readonly string[];
  /** Files that are as they should be. */
  readonly unchanged: readonly string[];
}

/**
 * Compares what was published, what is there and what should be. A file is as it should be when it is the version that
 * was written as a copy of the window's object: whatever touched it since is put right.
 *
 * @param there by WindowId, the version of the file that lies there
 */
export function publishingSteps(
  published: Published | undefined,
  there: ReadonlyMap<string, string>,
  generation: Pick<Generation, 'windows'>,
): PublishingSteps {
  const copy: string[] = [];
  const unchanged: string[] = [];
  for (const [window, { fingerprint, digest }] of Object.entries(generation.windows)) {
    const now = published?.windows[window];
    const inLine =
      now?.fingerprint === fingerprint &&
      now.digest === digest &&
      now.version !== '' &&
      there.get(window) === now.version;
    (inLine ? unchanged : copy).push(window);
  }
  const remove = Object.keys(published?.windows ?? {}).filter(
    (window) => generation.windows[window] === undefined,
  );
  return { copy, remove, unchanged };
}
