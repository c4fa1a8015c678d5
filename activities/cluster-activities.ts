import type { Settings } from '../config/settings';
import type { Log } from '../config/log';
import { localEtl } from '../local-etl/store';
import type { Bucket } from '../storage/bucket';
import { createAddOwnName } from './add-own-name';
import { createEnterPrimary } from './enter-primary';
import { createLeavePrimary } from './leave-primary';
import { createPrimaryStatus } from './primary-status';
import { createPullCombined } from './pull-combined';
import { createPushLocalEtl } from './push-local-etl';

export interface ClusterDependencies {
  readonly settings: Settings;
  readonly bucket: Bucket;
  readonly log: Log;
  readonly now: () => Date;
  readonly heartbeat: (details: unknown) => void;
  readonly signal: () => AbortSignal;
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
    enterPrimary: createEnterPrimary({ store: place.pullStore, now: context.now }),
    primaryStatus: createPrimaryStatus(place),
    addOwnName: createAddOwnName({ store: place.store }),
  };
}

export type ClusterActivities = ReturnType<typeof createClusterActivities>;
