import type { Settings } from '../config/settings';
import type { Log } from '../config/log';
import { localEtl } from '../local-etl/store';
import type { Bucket } from '../storage/bucket';
import { createEnterPrimary } from './enter-primary';
import { createLeavePrimary } from './leave-primary';
import { createPrimaryStatus } from './primary-status';
import { createPullCombined } from './pull-combined';
import { createPushLocalEtl } from './push-local-etl';

export interface ClusterDependencies {
  readonly settings: Settings;
  readonly bucket: Bucket;
  readonly log: Log;
  now(): Date;
  heartbeat(details: unknown): void;
  signal(): AbortSignal;
}

/** What touches a cluster's volume, and so happens where the volume is: on the cluster's own queue. */
export function createClusterActivities({ settings, bucket, ...context }: ClusterDependencies) {
  const { clusterId: cluster, localEtl: local, roles } = settings;
  const place = {
    ...context,
    cluster,
    store: localEtl(local.path),
    pullStore: localEtl(local.pullPath),
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
    leavePrimary: createLeavePrimary({ ...place, own: bucket }),
    enterPrimary: createEnterPrimary({ store: place.pullStore }),
    primaryStatus: createPrimaryStatus(place),
  };
}

export type ClusterActivities = ReturnType<typeof createClusterActivities>;
