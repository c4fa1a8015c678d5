import type { RoleName } from '../federation/conditions';
import type { BucketReader } from '../storage/bucket';
import type { StorageCall } from '../storage/with-metrics';
import type { Conditions } from './conditions';
import { lookAtDisks, type WrittenFolder } from './disk-condition';
import { repeat } from './repeat';
import type { RoleContext } from './role';
import { StoreCalls } from './store-condition';

const everyMs = 60_000;

/** Judges the conditions of a process that do not need Temporal: the store and the disk. */
export interface LocalLook {
  /** Takes note of a call to the store. */
  storageCalled(call: StorageCall): void;
  /** Looks once at the store and the volumes. */
  look(bucket: BucketReader): Promise<void>;
  /** Looks now and once a minute. Returns a function that stops this. */
  keep(bucket: BucketReader): () => void;
}

/** Returns what judges the store and the disk for the roles that the settings give the process. */
export function localLook(settings: RoleContext['settings'], conditions: Conditions): LocalLook {
  const { clusterId, localEtl, query } = settings;
  const roles = (Object.keys(settings.roles) as RoleName[]).filter((role) => settings.roles[role]);
  const stores = roles.map((role) => ({ role, calls: new StoreCalls(role, clusterId) }));
  const local: WrittenFolder = { setting: 'localEtl.path', folder: localEtl.path };
  const disks = {
    federatedCluster: [local],
    primaryCluster: [local, { setting: 'query.path', folder: query.path }],
  };
  const look = async (bucket: BucketReader) => {
    await Promise.all([
      ...stores.map(async ({ role, calls }) => conditions.found(role, 'store', await calls.look(bucket))),
      ...(['federatedCluster', 'primaryCluster'] as const)
        .filter((role) => settings.roles[role])
        .map(async (role) => conditions.found(role, 'disk', await lookAtDisks(disks[role]))),
    ]);
  };
  return {
    storageCalled: (call) => stores.forEach(({ calls }) => calls.called(call)),
    look,
    keep: (bucket) => repeat(everyMs, () => look(bucket), { atOnce: true }),
  };
}
