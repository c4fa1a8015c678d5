import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import { localEtl } from '../local-etl/store';
import type { QueryEngine } from '../query/engine';
import type { IngestSummary } from '../query/ingest';
import type { Bucket } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';
import { createAddOwnName } from './add-own-name';
import { createEnterPrimary } from './enter-primary';
import { createExportCombined } from './export-combined';
import { createIngestCombined, type IngestDependencies } from './ingest-combined';
import { createLeavePrimary } from './leave-primary';
import { createPrimaryStatus } from './primary-status';
import { createPullCombined } from './pull-combined';
import { createPushLocalEtl } from './push-local-etl';
import type { ReadThreads } from './threads/read-threads';

export interface ClusterDependencies {
  readonly settings: Settings;
  readonly bucket: Bucket;
  readonly log: Log;
  /** Limits how much memory all pushes and pulls of the cluster together use for file contents. */
  readonly budget: MemoryBudget;
  readonly now: () => Date;
  readonly heartbeat: (details: unknown) => void;
  readonly signal: () => AbortSignal;
  /**
   * The query engine of a primary, and the threads that read files for it. Undefined if the cluster is not a primary.
   */
  readonly query?: { readonly engine: QueryEngine; readonly threads: ReadThreads };
}

/**
 * Creates the activities that need a cluster's volume. They run on the cluster's own task queue, served by the process
 * that has the volume mounted.
 */
export function createClusterActivities({ settings, bucket, query, ...context }: ClusterDependencies) {
  const { clusterId: cluster, localEtl: local, roles } = settings;
  const place = {
    ...context,
    cluster,
    store: localEtl(local.path),
    pullStore: localEtl(local.pullPath),
    shrinkage: settings.federator.shrinkage.shrinkage,
    ...(local.backupPath === undefined ? {} : { backupPath: local.backupPath }),
  };
  return {
    pushLocalEtl: createPushLocalEtl({ ...place, bucket }),
    pullCombined: createPullCombined({
      ...place,
      combined: bucket,
      own: bucket,
      federated: roles.federatedCluster,
    }),
    ingestCombined:
      query === undefined
        ? () => Promise.resolve(nothingIngested)
        : ingestAndExport(
            { ...context, ...query, combined: bucket, store: place.pullStore },
            settings,
            bucket,
          ),
    leavePrimary: createLeavePrimary({ ...place, own: bucket }),
    enterPrimary: createEnterPrimary({ store: place.pullStore, now: context.now }),
    primaryStatus: createPrimaryStatus(place),
    addOwnName: createAddOwnName({ store: place.store }),
  };
}

/**
 * Ingests a generation, then exports the served windows if the settings enable exports. Windows that are already
 * exported are not written again.
 */
function ingestAndExport(
  deps: IngestDependencies,
  settings: Settings,
  bucket: Bucket,
): ReturnType<typeof createIngestCombined> {
  const ingest = createIngestCombined(deps);
  const exportCombined = createExportCombined({ ...deps, bucket, format: settings.export.format });
  return async (input) => {
    const summary = await ingest(input);
    if (settings.export.enabled) await exportCombined();
    return summary;
  };
}

/** The result of an ingest on a cluster that is not a primary. */
const nothingIngested: IngestSummary = { files: 0, ingested: 0, rows: 0 };

export type ClusterActivities = ReturnType<typeof createClusterActivities>;
