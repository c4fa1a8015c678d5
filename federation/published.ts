import { z } from 'zod';
import { isWindowId, type WindowId } from '../etl/window';
import { digestSchema, type Generation } from './generation';
import { windowEntries } from './generation-entry';

/** A published file: the merged object that it was copied from, and the version of the copy. */
export const publishedWindowSchema = z.object({
  fingerprint: digestSchema,
  digest: digestSchema,
  /** Version that the store returned for the copy. Empty if the file is recorded here but has not been copied yet. */
  version: z.string(),
});
export type PublishedWindow = z.infer<typeof publishedWindowSchema>;

/**
 * The files that publishing wrote to `combined/etl/bingen/`. It did not write any file that this record does not name.
 */
export const publishedSchema = z.object({
  format: z.literal(1),
  /** Number of the generation that all files are from, once publishing has ended. */
  generation: z.number().int().nonnegative(),
  /** The published files, by WindowId. */
  windows: z.record(z.string(), publishedWindowSchema),
});
export type Published = z.infer<typeof publishedSchema>;

/** The steps after which the published files match a generation. */
export interface PublishingSteps {
  /** Windows to copy. */
  readonly copy: readonly WindowId[];
  /** Windows to remove: they were published once and are not in the generation. */
  readonly remove: readonly WindowId[];
  /** Windows whose published files are up to date. */
  readonly unchanged: readonly WindowId[];
}

/**
 * Finds out what to publish, from the record of earlier publishing, the existing files and the generation. A file is up
 * to date if it still has the version that was written as a copy of the window's object. If anything has written the
 * file since, it is copied again.
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
