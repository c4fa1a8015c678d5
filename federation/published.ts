import { z } from 'zod';
import { isWindowId, type WindowId } from '../etl/window';
import { digestSchema, type Generation } from './generation';
import { windowEntries } from './generation-entry';

/** A published file: the object that it is a copy of, and the version of the copy. */
export const publishedWindowSchema = z.object({
  fingerprint: digestSchema,
  digest: digestSchema,
  /** The version that the store returned for the copy. Empty while the copy is announced but not yet written. */
  version: z.string(),
});
export type PublishedWindow = z.infer<typeof publishedWindowSchema>;

/** The files that publishing wrote to `combined/etl/bingen/`. Files that it does not name were never ours. */
export const publishedSchema = z.object({
  format: z.literal(1),
  /** The generation of all files, once publishing has ended. */
  generation: z.number().int().nonnegative(),
  /** By WindowId. */
  windows: z.record(z.string(), publishedWindowSchema),
});
export type Published = z.infer<typeof publishedSchema>;

/** The steps that bring the published files in line with a generation. */
export interface PublishingSteps {
  /** To copy. */
  readonly copy: readonly WindowId[];
  /** Published once, and not in the generation. */
  readonly remove: readonly WindowId[];
  /** Those whose files are right. */
  readonly unchanged: readonly WindowId[];
}

/**
 * Compares the record of publishing, the files that exist and the generation. A file is right if it is the version that
 * was written as a copy of the window's object; one that anything touched since is copied again.
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
