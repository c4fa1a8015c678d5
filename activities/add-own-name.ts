import { addOwnNames } from '../local-etl/own-names';
import type { LocalEtl } from '../local-etl/store';

/**
 * Adds a name that the cluster's own records carry besides its id, such as a former id. Files with such records are then
 * pushed as the cluster's own.
 */
export function createAddOwnName({ store }: { readonly store: LocalEtl }) {
  return async ({ name }: { name: string }): Promise<void> => addOwnNames(store, [name]);
}
