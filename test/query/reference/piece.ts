import { type ByteString, displayText } from '../../../etl/byte-string';
import type { Instant } from '../../../etl/instant';
import type { Allocation, StringMap } from '../../../etl/model';
import { type GpuUse, type LoadBalancerUse, type PersistentVolumeUse } from '../../../query/answer';
import { type Measure, measures } from '../../../query/measures';

/** All properties of an allocation. The byte strings of the file are converted to JavaScript strings. */
export interface PieceProperties {
  cluster: string;
  node: string;
  container: string;
  controller: string;
  controllerKind: string;
  namespace: string;
  pod: string;
  providerID: string;
  services: readonly string[];
  labels: ReadonlyMap<string, string>;
  annotations: ReadonlyMap<string, string>;
  namespaceLabels: ReadonlyMap<string, string>;
  namespaceAnnotations: ReadonlyMap<string, string>;
}

/**
 * One allocation, or several that were merged into one. The reference implementation works with allocations in this
 * form.
 */
export interface Piece {
  /** Name of the allocation, or of the group into which allocations were merged. */
  readonly name: string;
  /** Properties of each allocation that was merged into this piece. */
  readonly members: readonly PieceProperties[];
  readonly start: number;
  readonly end: number;
  readonly numbers: Readonly<Record<Measure, number>>;
  readonly pvs: ReadonlyMap<string, PersistentVolumeUse>;
  readonly balancers: ReadonlyMap<string, LoadBalancerUse>;
  readonly gpu: GpuUse | null;
  readonly raw: { cpuCoreUsageMax: number; ramByteUsageMax: number; gpuUsageMax: number | null } | null;
}

/** Returns all properties. Those that are missing from `known` are empty. */
export function someProperties(known: Partial<PieceProperties>): PieceProperties {
  return {
    cluster: '',
    node: '',
    container: '',
    controller: '',
    controllerKind: '',
    namespace: '',
    pod: '',
    providerID: '',
    services: [],
    labels: new Map(),
    annotations: new Map(),
    namespaceLabels: new Map(),
    namespaceAnnotations: new Map(),
    ...known,
  };
}

/** Returns all measures. Those that are missing from `known` are 0. */
export function someNumbers(known: Partial<Record<Measure, number>>): Record<Measure, number> {
  const zeros = Object.fromEntries(measures.map((measure) => [measure, 0])) as Record<Measure, number>;
  return { ...zeros, ...known };
}

/** Converts an allocation, as read from a file, to a piece. */
export function pieceOf(record: Allocation): Piece {
  const pvs = volumesOf(record);
  const numbers = numbersOf(record, [...pvs.values()]);
  return {
    name: displayText(record.name),
    members: [propertiesOf(record)],
    start: secondsOf(record.start),
    end: secondsOf(record.end),
    numbers,
    pvs,
    balancers: balancersOf(record),
    gpu: gpuOf(record, numbers),
    raw: record.rawAllocationOnly && {
      cpuCoreUsageMax: record.rawAllocationOnly.cpuCoreUsageMax,
      ramByteUsageMax: record.rawAllocationOnly.ramBytesUsageMax,
      gpuUsageMax: record.rawAllocationOnly.gpuUsageMax,
    },
  };
}

/**
 * Returns the properties of the first allocation in a piece. Before grouping, each piece contains a single allocation.
 */
export function firstMember(piece: Piece): PieceProperties {
  const [first] = piece.members;
  if (first === undefined) throw new Error(`${piece.name} has no members`);
  return first;
}

/** Returns whether a piece is a volume or load balancer that no pod uses. */
export function isUnmounted(piece: Piece): boolean {
  return firstMember(piece).container === '__unmounted__';
}

/** Returns whether a piece is an idle record that was already in the file. */
export function isStoredIdle(piece: Piece): boolean {
  return piece.name.includes('__idle__');
}

/** Computes the total cost, including all adjustments. */
export function totalCost({ numbers }: { numbers: Readonly<Record<Measure, number>> }): number {
  return (
    numbers.cpuCost +
    numbers.cpuCostAdjustment +
    numbers.gpuCost +
    numbers.gpuCostAdjustment +
    numbers.ramCost +
    numbers.ramCostAdjustment +
    numbers.pvCost +
    numbers.pvCostAdjustment +
    numbers.networkCost +
    numbers.networkCostAdjustment +
    numbers.loadBalancerCost +
    numbers.loadBalancerCostAdjustment +
    numbers.sharedCost +
    numbers.externalCost
  );
}

/** Copies a piece with all adjustments set to 0. */
export function withoutAdjustments(piece: Piece): Piece {
  const numbers = someNumbers({
    ...piece.numbers,
    cpuCostAdjustment: 0,
    gpuCostAdjustment: 0,
    ramCostAdjustment: 0,
    pvCostAdjustment: 0,
    networkCostAdjustment: 0,
    loadBalancerCostAdjustment: 0,
  });
  return { ...piece, numbers };
}

/** Converts an instant to Unix seconds, with a fraction. */
export function secondsOf(instant: Instant): number {
  return instant.seconds + instant.nanos / 1e9;
}

/** Converts the keys and values of a map from byte strings to JavaScript strings. */
export function textMap(map: StringMap | null): Map<string, string> {
  return new Map([...(map ?? [])].map(([key, value]) => [displayText(key), displayText(value)]));
}

function propertiesOf({ properties }: Allocation): PieceProperties {
  if (properties === null) return someProperties({});
  return {
    cluster: displayText(properties.cluster),
    node: displayText(properties.node),
    container: displayText(properties.container),
    controller: displayText(properties.controller),
    controllerKind: displayText(properties.controllerKind),
    namespace: displayText(properties.namespace),
    pod: displayText(properties.pod),
    providerID: displayText(properties.providerID),
    services: (properties.services ?? []).map(displayText),
    labels: textMap(properties.labels),
    annotations: textMap(properties.annotations),
    namespaceLabels: textMap(properties.namespaceLabels),
    namespaceAnnotations: textMap(properties.namespaceAnnotations),
  };
}

function numbersOf(record: Allocation, pvs: readonly PersistentVolumeUse[]): Record<Measure, number> {
  return {
    ...someNumbers({}),
    cpuCoreHours: record.cpuCoreHours,
    cpuCoreRequestAverage: record.cpuCoreRequestAverage,
    cpuCoreUsageAverage: record.cpuCoreUsageAverage,
    cpuCoreLimitAverage: record.cpuCoreLimitAverage,
    cpuCost: record.cpuCost,
    cpuCostAdjustment: record.cpuCostAdjustment,
    gpuHours: record.gpuHours,
    gpuRequestAverage: record.gpuAllocation?.gpuRequestAverage ?? record.deprecatedGpuRequestAverage,
    gpuUsageAverage: record.gpuAllocation?.gpuUsageAverage ?? record.deprecatedGpuUsageAverage,
    gpuCost: record.gpuCost,
    gpuCostAdjustment: record.gpuCostAdjustment,
    networkTransferBytes: record.networkTransferBytes,
    networkReceiveBytes: record.networkReceiveBytes,
    networkCost: record.networkCost,
    networkCrossZoneCost: record.networkCrossZoneCost,
    networkCrossRegionCost: record.networkCrossRegionCost,
    networkInternetCost: record.networkInternetCost,
    networkNatGatewayEgressCost: record.networkNatGatewayEgressCost,
    networkNatGatewayIngressCost: record.networkNatGatewayIngressCost,
    networkCostAdjustment: record.networkCostAdjustment,
    loadBalancerCost: record.loadBalancerCost,
    loadBalancerCostAdjustment: record.loadBalancerCostAdjustment,
    pvByteHours: pvs.reduce((sum, pv) => sum + pv.byteHours, 0),
    pvCost: pvs.reduce((sum, pv) => sum + pv.cost, 0),
    pvCostAdjustment: record.pvCostAdjustment,
    ramByteHours: record.ramByteHours,
    ramByteRequestAverage: record.ramBytesRequestAverage,
    ramByteUsageAverage: record.ramBytesUsageAverage,
    ramByteLimitAverage: record.ramBytesLimitAverage,
    ramCost: record.ramCost,
    ramCostAdjustment: record.ramCostAdjustment,
    sharedCost: record.sharedCost,
    externalCost: record.externalCost,
  };
}

/**
 * Returns the volumes of a record, with the keys that they have in answers. Replaces colons in names, so that a key
 * contains only the colon between its two parts. If this gives two volumes the same key, merges them.
 */
function volumesOf(record: Allocation): Map<string, PersistentVolumeUse> {
  const part = (text: ByteString) => displayText(text).replaceAll(':', '_');
  const pvs = new Map<string, PersistentVolumeUse>();
  for (const { key, value } of record.pvs ?? []) {
    if (value === null) continue;
    const name = `cluster=${part(key.cluster)}:name=${part(key.name)}`;
    const { byteHours, cost } = value;
    const [providerID, before] = [displayText(value.providerID), pvs.get(name)];
    pvs.set(name, {
      byteHours: byteHours + (before?.byteHours ?? 0),
      cost: cost + (before?.cost ?? 0),
      providerID: before?.providerID || providerID,
    });
  }
  return pvs;
}

function balancersOf(record: Allocation): Map<string, LoadBalancerUse> {
  const balancers = new Map<string, LoadBalancerUse>();
  for (const [key, value] of record.loadBalancers ?? []) {
    if (value === null) continue;
    const { service, cost, private: isPrivate, ip, hours } = value;
    const use = { service: displayText(service), cost, private: isPrivate, ip: displayText(ip), hours };
    balancers.set(displayText(key), use);
  }
  return balancers;
}

/** Returns the GPU use of a record. Its averages are taken from `numbers`. */
function gpuOf({ gpuAllocation }: Allocation, numbers: Readonly<Record<Measure, number>>): GpuUse | null {
  return (
    gpuAllocation && {
      gpuDevice: displayText(gpuAllocation.gpuDevice),
      gpuModel: displayText(gpuAllocation.gpuModel),
      gpuUUID: displayText(gpuAllocation.gpuUUID),
      isGPUShared: gpuAllocation.isGpuShared,
      gpuUsageAverage: numbers.gpuUsageAverage,
      gpuRequestAverage: numbers.gpuRequestAverage,
    }
  );
}
