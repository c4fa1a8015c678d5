import { z } from 'zod';
import { isWindowId, type WindowId } from '../etl/window';
import { digestSchema, type Generation } from './generation';
import { windowEntries } from './generation-entry';

/** A published file, described by the object that it is a copy of and by the version of the copy. */
export const publishedWindowSchema = z.object({
  fingerprint: digestSchema,
  digest: digestSchema,
  /** Version that the store returned for the copy. Empty while the copy is announced but not yet written. */
  version: z.string(),
});
export type PublishedWindow = z.infer<typeof publishedWindowSchema>;

/** The files that publishing wrote to `combined/etl/bingen/`. Files that this record does not name were never ours. */
export const publishedSchema = z.object({
  format: z.literal(1),
  /** Number of the generation that all files are from, once publishing has ended. */
  generation: z.number().int().nonnegative(),
  /** The published files, by WindowId. */
  windows: z.record(z.string(), publishedWindowSchema),
});
export type Published = z.infer<typeof publishedSchema>;

/** The steps that bring the published files in line with a generation. */
export interface PublishingSteps {
  /** Windows to copy. */
  readonly copy: readonly WindowId[];
  /** Windows to remove: they were published once and are not in the generation. */
  readonly remove: readonly WindowId[];
  /** Windows whose files are right. */
  readonly unchanged: readonly WindowId[];
}

/**
 * Compares the record of publishing, the existing files and the generation. A file is right if it still has the version
 * that was written as a copy of the window's object. If anything has touched it since, it is copied again.
 *
 * @param there the versions of the existing files, by WindowId
 */
export function publishingSteps(
  published: Published | undefined,
  there: ReadonlyMap<string, string>,
  generation: Pick<Generation, 'windows'>,
): PublishingSteps {
  const copy: WindowId[] = [];
  const unchanged: WindowId[] = [];
  for (const [window, { fingerprint, digest }] of windowEntries(generation.windows)) {
    const now = published?.windows[window];
    const inLine =
      now?.fingerprint === fingerprint &&
      now.digest === digest &&
      now.version !== '' &&
      there.get(window) === now.version;
    (inLine ? unchanged : copy).push(window);
  }
  const remove = Object.keys(published?.windows ?? {})
    .filter(isWindowId)
    .filter((window) => generation.windows[window] === undefined);
  return { copy, remove, unchanged };
}
