import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import { localEtl } from '../local-etl/store';
import type { QueryEngine } from '../query/engine';
import type { IngestSummary } from '../query/ingest';
import type { Bucket } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';
import { createAddOwnName } from './add-own-name';
import { createEnterPrimary } from './enter-primary';
import { createExportCombined, type ExportSummary } from './export-combined';
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
  /** Version of this program. */
  readonly program: string;
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
    ...(query === undefined
      ? noQueries
      : answering({ ...context, ...query, combined: bucket, store: place.pullStore }, settings, bucket)),
    leavePrimary: createLeavePrimary({ ...place, own: bucket }),
    enterPrimary: createEnterPrimary({ store: place.pullStore, now: context.now }),
    primaryStatus: createPrimaryStatus(place),
    addOwnName: createAddOwnName({ store: place.store }),
  };
}

/** The result of an ingest. */
export interface Ingested extends IngestSummary {
  /** True if the settings ask for an export of the ingested data. */
  readonly exports?: true;
}

/** The result of an export by a primary. */
export interface ExportedGeneration extends ExportSummary {
  readonly generation?: number;
}

interface QueryActivities {
  ingestCombined(input: { readonly generation: number }): Promise<Ingested>;
  /** Exports the windows that are served. Windows that are already exported are not written again. */
  exportCombined(): Promise<ExportedGeneration>;
}

/** Creates the activities that a primary needs to answer queries and to export its windows. */
function answering(deps: IngestDependencies, settings: Settings, bucket: Bucket): QueryActivities {
  const ingest = createIngestCombined(deps);
  const exportServed = createExportCombined({ ...deps, bucket, format: settings.export.format });
  return {
    ingestCombined: async (input) => ({
      ...(await ingest(input)),
      ...(settings.export.enabled && { exports: true }),
    }),
    exportCombined: async () => {
      const summary = await exportServed();
      return { generation: deps.engine.state().generation, ...summary };
    },
  };
}

/** The same activities on a cluster that is not a primary. */
const noQueries: QueryActivities = {
  ingestCombined: () => Promise.resolve({ files: 0, ingested: 0, rows: 0 }),
  exportCombined: () => Promise.resolve({ windows: 0, written: 0, unchanged: 0, removed: 0 }),
};

export type ClusterActivities = ReturnType<typeof createClusterActivities>;
