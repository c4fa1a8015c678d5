import type { Log } from '../config/log';
import type { ClusterId } from '../etl/cluster-id';
import { takeMended } from '../local-etl/state';
import type { LocalEtl } from '../local-etl/store';

/** Logs which state files were damaged and have been restored. */
export function logMended(
  { log, cluster }: { readonly log: Log; readonly cluster: ClusterId },
  store: LocalEtl,
): void {
  for (const file of takeMended(store))
    log.warn(
      { event: 'state.mended', cluster, file },
      `${file} was damaged; it was restored from its copy. Check the disk`,
    );
}
