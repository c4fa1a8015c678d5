import { addOwnNames } from '../local-etl/own-names';
import type { LocalEtl } from '../local-etl/store';

/**
 * Records another name under which the cluster's own records may be stored, such as a former cluster id. Files with
 * such records then count as the cluster's own and are pushed.
 */
export function createAddOwnName({ store }: { readonly store: LocalEtl }) {
  return async ({ name }: { name: string }): Promise<void> => addOwnNames(store, [name]);
}
