import type { Finding, RoleName } from '../federation/conditions';
import type { BucketReader } from '../storage/bucket';
import type { StorageCall } from '../storage/with-metrics';
import type { Conditions } from './conditions';
import { lookAtDisks, type WrittenFolder } from './disk-condition';
import { repeat } from './repeat';
import type { RoleContext } from './role';
import { StoreCalls } from './store-condition';
import { VolumeRefusals } from './volume-refusals';

const everyMs = 60_000;

/** Checks those conditions of a process that do not depend on Temporal: `store` and `disk`. */
export interface LocalLook {
  /** What the volumes refused to the activities of this process. */
  readonly refusals: VolumeRefusals;
  /** Records the outcome of a call to the store. */
  storageCalled(call: StorageCall): void;
  /** Records why the process does not use the present content of the store's file; undefined if it does. */
  storeKept(why: string | undefined): void;
  /** Checks the store and the volumes once. */
  look(bucket: BucketReader): Promise<void>;
  /** Checks the store and the volumes now and once a minute. Returns a function that stops these checks. */
  keep(bucket: BucketReader): () => void;
}

/** Returns the checks of the store and the disk for the roles that the process has according to its settings. */
export function localLook(settings: RoleContext['settings'], conditions: Conditions): LocalLook {
  const { clusterId, localEtl, query } = settings;
  const roles = (Object.keys(settings.roles) as RoleName[]).filter((role) => settings.roles[role]);
  const stores = roles.map((role) => ({ role, calls: new StoreCalls(role, clusterId) }));
  const local: WrittenFolder = { setting: 'localEtl.path', folder: localEtl.path };
  const disks = {
    federatedCluster: [local],
    primaryCluster: [local, { setting: 'query.path', folder: query.path }],
  };
  const refusals = new VolumeRefusals();
  let kept: string | undefined;
  const lookAtStore = async (calls: StoreCalls, bucket: BucketReader): Promise<Finding> => {
    const found = await calls.look(bucket);
    return found.holds === 'yes' && kept !== undefined ? { ...found, reason: kept } : found;
  };
  // A volume can look usable, and still be too small for the next file.
  const lookAtVolumes = async (role: 'federatedCluster' | 'primaryCluster'): Promise<Finding> => {
    const found = await lookAtDisks(disks[role]);
    const reason = refusals.reason(role);
    return found.holds === 'yes' && reason !== undefined ? { holds: 'no', reason } : found;
  };
  const look = async (bucket: BucketReader) => {
    await Promise.all([
      ...stores.map(async ({ role, calls }) =>
        conditions.found(role, 'store', await lookAtStore(calls, bucket)),
      ),
      ...(['federatedCluster', 'primaryCluster'] as const)
        .filter((role) => settings.roles[role])
        .map(async (role) => conditions.found(role, 'disk', await lookAtVolumes(role))),
    ]);
  };
  return {
    refusals,
    storageCalled: (call) => stores.forEach(({ calls }) => calls.called(call)),
    storeKept: (why) => (kept = why),
    look,
    keep: (bucket) => repeat(everyMs, () => look(bucket), { atOnce: true }),
  };
}
