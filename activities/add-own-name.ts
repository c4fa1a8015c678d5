import { addOwnNames } from '../local-etl/own-names';
import type { LocalEtl } from '../local-etl/store';

/**
 * Remembers a name that the cluster's own records carry besides its id, such as one that it had before: files with such
 * records are its own, and pushed.
 */
export function createAddOwnName({ store }: { readonly store: LocalEtl }) {
  return async ({ name }: { name: string }): Promise<void> => addOwnNames(store, [name]);
}
