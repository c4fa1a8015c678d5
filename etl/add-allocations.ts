import { pvIdentity } from './allocation-codec';
import type { ByteString } from './byte-string';
import { earlier, later, minutesBetween } from './instant';
import { kept } from './merge-parts';
import { expandWindow } from './merge-window';
import type {
  Allocation,
  AllocationProperties,
  GPUAllocation,
  LbAllocation,
  PVAllocation,
  PVEntry,
} from './model';

/** From this version on a record has a gpuAllocation; version 22 has two plain averages instead. */
const gpuPartsSince = 23;

/** Fields that are added up. */
const sums = [
  'cpuCoreHours',
  'cpuCost',
  'cpuCostAdjustment',
  'gpuHours',
  'gpuCost',
  'gpuCostAdjustment',
  'networkTransferBytes',
  'networkReceiveBytes',
  'networkCost',
  'networkCrossZoneCost',
  'networkCrossRegionCost',
  'networkInternetCost',
  'networkCostAdjustment',
  'loadBalancerCost',
  'loadBalancerCostAdjustment',
  'pvCostAdjustment',
  'ramByteHours',
  'ramCost',
  'ramCostAdjustment',
  'sharedCost',
  'externalCost',
  'networkNatGatewayEgressCost',
  'networkNatGatewayIngressCost',
] as const satisfies (keyof Allocation)[];

/** Fields that are averaged by minutes. */
const averages = [
  'cpuCoreRequestAverage',
  'cpuCoreUsageAverage',
  'cpuCoreLimitAverage',
  'ramBytesRequestAverage',
  'ramBytesUsageAverage',
  'ramBytesLimitAverage',
] as const satisfies (keyof Allocation)[];

/** An average over the time of both; 0 when that time is nothing. */
type Average = (a: number, b: number) => number;

/**
 * Adds allocation `b` to `a`, which was met first, as OpenCost's Allocation.Add does; section 3 of the merge rules
 * in docs/design/etl-format.md has every row. Neither is changed. The result is of the higher version of the two.
 */
export function addAllocations(a: Allocation, b: Allocation): Allocation {
  const start = earlier(a.start, b.start);
  const end = later(a.end, b.end);
  const minutes = minutesBetween(start, end);
  const minutesA = minutesBetween(a.start, a.end);
  const minutesB = minutesBetween(b.start, b.end);
  const average: Average = (x, y) => (minutes > 0 ? (x * minutesA + y * minutesB) / minutes : 0);

  const version = Math.max(a.version, b.version);
  const gpu = addGpus(gpuOf(a, version), gpuOf(b, version), minutes > 0 ? average : null);
  const pair = version === gpuPartsSince - 1;
  const sum: Allocation = {
    ...a,
    version,
    properties: mergeProperties(a.properties, b.properties),
    window: expandWindow(a.window, b.window),
    start,
    end,
    pvs: addVolumes(a.pvs, b.pvs),
    loadBalancers: addBalancers(a.loadBalancers, b.loadBalancers),
    rawAllocationOnly: null,
    deprecatedGpuRequestAverage: pair ? (gpu?.gpuRequestAverage ?? 0) : 0,
    deprecatedGpuUsageAverage: pair ? (gpu?.gpuUsageAverage ?? 0) : 0,
    gpuAllocation: pair ? null : gpu,
  };
  for (const field of sums) sum[field] = a[field] + b[field];
  for (const field of averages) sum[field] = average(a[field], b[field]);
  return sum;
}

function mergeProperties(
  a: AllocationProperties | null,
  b: AllocationProperties | null,
): AllocationProperties | null {
  if (a === null || b === null) return null;
  const samePod =
    a.cluster === b.cluster &&
    a.node === b.node &&
    a.namespace === b.namespace &&
    a.pod === b.pod &&
    a.container === b.container;
  // The unmounted volumes of a namespace carry no labels of it; the other side may.
  const namespaceFrom = a.container === '__unmounted__' ? b : a;
  const sameNamespace = a.namespace === b.namespace;
  return {
    version: Math.max(a.version, b.version),
    cluster: kept(a.cluster, b.cluster),
    node: kept(a.node, b.node),
    container: kept(a.container, b.container),
    controller: samePod ? oneController(a.controller, b.controller) : kept(a.controller, b.controller),
    controllerKind: kept(a.controllerKind, b.controllerKind),
    namespace: kept(a.namespace, b.namespace),
    pod: kept(a.pod, b.pod),
    services: null,
    providerID: kept(a.providerID, b.providerID),
    labels: null,
    annotations: null,
    namespaceLabels: sameNamespace ? namespaceFrom.namespaceLabels : null,
    namespaceAnnotations: sameNamespace ? namespaceFrom.namespaceAnnotations : null,
  };
}

/** One pod has one controller: the one that is named, else the smaller name. */
function oneController(a: ByteString, b: ByteString): ByteString {
  if (a === '' || b === '') return a === '' ? b : a;
  return a < b ? a : b;
}

function addVolumes(a: PVEntry[] | null, b: PVEntry[] | null): PVEntry[] | null {
  if (b === null) return a;
  const sum = new Map<string, PVEntry>();
  for (const entry of a ?? []) {
    if (entry.value !== null) sum.set(pvIdentity(entry.key), entry);
  }
  for (const { key, value } of b) {
    if (value === null) continue;
    const id = pvIdentity(key);
    const own = sum.get(id);
    sum.set(
      id,
      own === undefined || own.value === null
        ? // OpenCost takes such a volume over without its provider id.
          { key, value: { ...value, providerID: '' } }
        : {
            key: { ...own.key, version: Math.max(own.key.version, key.version) },
            value: addVolume(own.value, value),
          },
    );
  }
  return [...sum.values()];
}

function addVolume(a: PVAllocation, b: PVAllocation): PVAllocation {
  return {
    version: Math.max(a.version, b.version),
    byteHours: a.byteHours + b.byteHours,
    cost: a.cost + b.cost,
    providerID: kept(a.providerID, b.providerID),
  };
}

type Balancers = Map<ByteString, LbAllocation | null>;

function addBalancers(a: Balancers | null, b: Balancers | null): Balancers | null {
  if (b === null) return a;
  const sum: Balancers = new Map();
  for (const [key, value] of a ?? []) {
    if (value !== null) sum.set(key, value);
  }
  for (const [key, value] of b) {
    if (value === null) continue;
    const own = sum.get(key);
    sum.set(
      key,
      own
        ? {
            ...own,
            version: Math.max(own.version, value.version),
            cost: own.cost + value.cost,
            hours: own.hours + value.hours,
          }
        : // OpenCost takes such a balancer over as public and without its address.
          { ...value, private: false, ip: '' },
    );
  }
  return sum;
}

/** The GPU part of a record, made of the two averages of version 22 where it has only those. */
function gpuOf(record: Allocation, resultVersion: number): GPUAllocation | null {
  if (record.version !== gpuPartsSince - 1) return record.gpuAllocation;
  if (record.deprecatedGpuRequestAverage === 0 && record.deprecatedGpuUsageAverage === 0) return null;
  return {
    version: resultVersion,
    gpuDevice: '',
    gpuModel: '',
    gpuUUID: '',
    isGpuShared: null,
    gpuUsageAverage: record.deprecatedGpuUsageAverage,
    gpuRequestAverage: record.deprecatedGpuRequestAverage,
  };
}

/** `average` is null when the minutes of the result are nothing. */
function addGpus(
  a: GPUAllocation | null,
  b: GPUAllocation | null,
  average: Average | null,
): GPUAllocation | null {
  if (a === null) return b;
  const both = (x: number | null, y: number | null | undefined) =>
    average === null || (x === null && (y ?? null) === null) ? null : average(x ?? 0, y ?? 0);
  return {
    ...a,
    version: Math.max(a.version, b?.version ?? 0),
    gpuUsageAverage: both(a.gpuUsageAverage, b?.gpuUsageAverage),
    gpuRequestAverage: both(a.gpuRequestAverage, b?.gpuRequestAverage),
  };
}
