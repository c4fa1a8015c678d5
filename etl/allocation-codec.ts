import { bool, type Codec, embedded, f64, list, map, optional, since, str, struct } from './codec';
import type {
  Allocation,
  AllocationProperties,
  GPUAllocation,
  LbAllocation,
  PVAllocation,
  PVEntry,
  PVKey,
  RawAllocationOnlyData,
} from './model';
import { time, window } from './time-codec';
import { allocationVersions } from './versions';

const properties = struct<AllocationProperties>(allocationVersions, {
  cluster: str,
  node: str,
  container: str,
  controller: str,
  controllerKind: str,
  namespace: str,
  pod: str,
  services: list(str),
  providerID: str,
  labels: map(str),
  annotations: map(str),
  namespaceLabels: since(17, map(str), null),
  namespaceAnnotations: since(17, map(str), null),
});

const pvKey = embedded(struct<PVKey>(allocationVersions, { cluster: str, name: str }));

const pvAllocation = struct<PVAllocation>(allocationVersions, {
  byteHours: f64,
  cost: f64,
  providerID: since(20, str, ''),
});

const lbAllocation = struct<LbAllocation>(allocationVersions, {
  service: str,
  cost: f64,
  private: bool,
  ip: since(19, str, ''),
  hours: since(21, f64, 0),
});

const rawAllocationOnly = struct<RawAllocationOnlyData>(allocationVersions, {
  cpuCoreUsageMax: f64,
  ramBytesUsageMax: f64,
  gpuUsageMax: since(23, optional(f64), null),
});

const gpuAllocation = struct<GPUAllocation>(allocationVersions, {
  gpuDevice: str,
  gpuModel: str,
  gpuUUID: str,
  isGpuShared: optional(bool),
  gpuUsageAverage: optional(f64),
  gpuRequestAverage: optional(f64),
});

/** A text that no other pair of cluster and name has. */
export function pvIdentity(key: PVKey): string {
  return `${key.cluster.length}:${key.cluster}${key.name}`;
}

const pvEntry: Codec<PVEntry> = (() => {
  const value = optional(embedded(pvAllocation));
  return {
    shape: { kind: 'pair', of: [pvKey, value] },
    least: pvKey.least + value.least,
    read: (reader) => ({ key: pvKey.read(reader), value: value.read(reader) }),
    write: (writer, entry) => {
      pvKey.write(writer, entry.key);
      value.write(writer, entry.value);
    },
  };
})();

/** A map whose keys are structures: read like a list of pairs; of a repeated key the later one stands. */
const pvs: Codec<PVEntry[] | null> = (() => {
  const entries = list(pvEntry);
  return {
    ...entries,
    read: (reader) => {
      const read = entries.read(reader);
      if (read === null || read.length < 2) return read;
      return [...new Map(read.map((entry) => [pvIdentity(entry.key), entry])).values()];
    },
  };
})();

/** An Allocation with its version byte, without flag or compatibility word. */
export const allocation: Codec<Allocation> = struct<Allocation>(allocationVersions, {
  name: str,
  properties: optional(embedded(properties)),
  window,
  start: time,
  end: time,
  cpuCoreHours: f64,
  cpuCoreRequestAverage: f64,
  cpuCoreUsageAverage: f64,
  cpuCost: f64,
  cpuCostAdjustment: f64,
  gpuHours: f64,
  gpuCost: f64,
  gpuCostAdjustment: f64,
  networkTransferBytes: f64,
  networkReceiveBytes: f64,
  networkCost: f64,
  networkCrossZoneCost: since(16, f64, 0),
  networkCrossRegionCost: since(16, f64, 0),
  networkInternetCost: since(16, f64, 0),
  networkCostAdjustment: f64,
  loadBalancerCost: f64,
  loadBalancerCostAdjustment: f64,
  pvs,
  pvCostAdjustment: f64,
  ramByteHours: f64,
  ramBytesRequestAverage: f64,
  ramBytesUsageAverage: f64,
  ramCost: f64,
  ramCostAdjustment: f64,
  sharedCost: f64,
  externalCost: f64,
  rawAllocationOnly: optional(embedded(rawAllocationOnly)),
  loadBalancers: since(18, map(optional(embedded(lbAllocation))), null),
  deprecatedGpuRequestAverage: since(22, f64, 0),
  deprecatedGpuUsageAverage: since(22, f64, 0),
  gpuAllocation: since(23, optional(embedded(gpuAllocation)), null),
  cpuCoreLimitAverage: since(24, f64, 0),
  ramBytesLimitAverage: since(24, f64, 0),
  networkNatGatewayEgressCost: since(25, f64, 0),
  networkNatGatewayIngressCost: since(25, f64, 0),
});

/** The highest codec version of an allocation and its parts, windows aside. */
export function allocationVersion(record: Allocation): number {
  let highest = Math.max(
    record.version,
    record.properties?.version ?? 0,
    record.rawAllocationOnly?.version ?? 0,
    record.gpuAllocation?.version ?? 0,
  );
  for (const { key, value } of record.pvs ?? []) {
    highest = Math.max(highest, key.version, value?.version ?? 0);
  }
  for (const balancer of record.loadBalancers?.values() ?? []) {
    highest = Math.max(highest, balancer?.version ?? 0);
  }
  return highest;
}
