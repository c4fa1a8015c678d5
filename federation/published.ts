import { z } from 'zod';
import { ownValue } from '../etl/own-value';
import { isWindowId, type WindowId } from '../etl/window';
import { digestSchema, type Generation } from './generation';
import { windowEntries } from './generation-entry';

/** A published file: the merged object that it is a copy of, and the version of the copy. */
export const publishedWindowSchema = z.object({
  fingerprint: digestSchema,
  digest: digestSchema,
  /** Version that the store returned for the copy. Empty if the file is recorded here but has not been copied yet. */
  version: z.string(),
});
export type PublishedWindow = z.infer<typeof publishedWindowSchema>;

/**
 * Record of the files that publishing has written to `combined/etl/bingen/`. Any other file there was written by
 * something else.
 */
export const publishedSchema = z.object({
  format: z.literal(1),
  /**
   * Number of the published generation. While publishing is in progress, some files may belong to another generation.
   */
  generation: z.number().int().nonnegative(),
  /** The published files, keyed by WindowId. */
  windows: z.record(z.string(), publishedWindowSchema),
});
export type Published = z.infer<typeof publishedSchema>;

/** The steps that make the published files match a generation. */
export interface PublishingSteps {
  /** Windows whose merged object has to be copied. */
  readonly copy: readonly WindowId[];
  /** Windows whose published file has to be removed, because the generation does not have the window. */
  readonly remove: readonly WindowId[];
  /** Windows whose published files are up to date. */
  readonly unchanged: readonly WindowId[];
}

/**
 * Compares the published files with a generation, and returns what publishing has to do. A file is up to date if it is
 * a copy of the window's merged object and still has the version of that copy. If something else has overwritten the
 * file, the merged object is copied again.
 *
 * @param published the record of earlier publishing
 * @param there the versions of the existing files, keyed by WindowId
 */
export function publishingSteps(
  published: Published | undefined,
  there: ReadonlyMap<string, string>,
  generation: Pick<Generation, 'windows'>,
): PublishingSteps {
  const copy: WindowId[] = [];
  const unchanged: WindowId[] = [];
  for (const [window, { fingerprint, digest }] of windowEntries(generation.windows)) {
    const now = ownValue(published?.windows, window);
    const inLine =
      now?.fingerprint === fingerprint &&
      now.digest === digest &&
      now.version !== '' &&
      there.get(window) === now.version;
    (inLine ? unchanged : copy).push(window);
  }
  const remove = Object.keys(published?.windows ?? {})
    .filter(isWindowId)
    .filter((window) => ownValue(generation.windows, window) === undefined);
  return { copy, remove, unchanged };
}
