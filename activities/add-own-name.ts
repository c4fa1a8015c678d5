import { addOwnNames } from '../local-etl/own-names';
import type { LocalEtl } from '../local-etl/store';

/**
 * Adds a name, such as a former cluster id, by which the cluster recognizes its own records. Files whose records
 * contain this name then count as the cluster's own and are pushed.
 */
export function createAddOwnName({ store }: { readonly store: LocalEtl }) {
  return async ({ name }: { name: string }): Promise<void> => addOwnNames(store, [name]);
}
