import { allocationProperties, mergeAllocationProperties } from './allocation-properties';
import { type Codec, embedded, f64, hours, optional, since, str } from './codec';
import { described, type Description, field, ownField } from './field';
import { gpuPart } from './gpu-part';
import { hoursIn } from './hours-in';
import { earlier, later } from './instant';
import { addBalancers, loadBalancers } from './load-balancers';
import { dropped, first, mean, type Minutes, sum } from './merge-parts';
import type { Allocation, RawAllocationOnlyData } from './model';
import { highestVersionOf } from './part-versions';
import { time, window } from './time-codec';
import { expandWindow } from './time-window';
import { allocationVersions } from './versions';
import { addVolumes, volumes } from './volumes';

/**
 * Fields of `rawAllocationOnly`, a part of an allocation. They have no rules for adding, because this part is dropped
 * when allocations are added together.
 */
const rawFields = {
  cpuCoreUsageMax: ownField(f64),
  ramBytesUsageMax: ownField(f64),
  gpuUsageMax: ownField(since(23, optional(f64), null)),
} satisfies Description<RawAllocationOnlyData, void>;

const rawPart = described<RawAllocationOnlyData>(allocationVersions, rawFields);

/**
 * All fields of an allocation, in file order. The three GPU fields have no rules of their own for adding allocations,
 * because the versions of both allocations decide which of these fields count. `addGpus` adds all three.
 */
export const allocationFields = {
  name: field(str, first),
  properties: field(optional(embedded(allocationProperties)), mergeAllocationProperties),
  window: field(window, expandWindow),
  start: field(time, earlier),
  end: field(time, later),
  cpuCoreHours: field(hours('cpuCoreHours'), sum),
  cpuCoreRequestAverage: field(f64, mean),
  cpuCoreUsageAverage: field(f64, mean),
  cpuCost: field(f64, sum),
  cpuCostAdjustment: field(f64, sum),
  gpuHours: field(hours('gpuHours'), sum),
  gpuCost: field(f64, sum),
  gpuCostAdjustment: field(f64, sum),
  networkTransferBytes: field(f64, sum),
  networkReceiveBytes: field(f64, sum),
  networkCost: field(f64, sum),
  networkCrossZoneCost: field(since(16, f64, 0), sum),
  networkCrossRegionCost: field(since(16, f64, 0), sum),
  networkInternetCost: field(since(16, f64, 0), sum),
  networkCostAdjustment: field(f64, sum),
  loadBalancerCost: field(f64, sum),
  loadBalancerCostAdjustment: field(f64, sum),
  pvs: field(volumes, addVolumes),
  pvCostAdjustment: field(f64, sum),
  ramByteHours: field(hours('ramByteHours'), sum),
  ramBytesRequestAverage: field(f64, mean),
  ramBytesUsageAverage: field(f64, mean),
  ramCost: field(f64, sum),
  ramCostAdjustment: field(f64, sum),
  sharedCost: field(f64, sum),
  externalCost: field(f64, sum),
  rawAllocationOnly: field(optional(embedded(rawPart)), dropped),
  loadBalancers: field(since(18, loadBalancers, null), addBalancers),
  deprecatedGpuRequestAverage: ownField(since(22, f64, 0)),
  deprecatedGpuUsageAverage: ownField(since(22, f64, 0)),
  gpuAllocation: ownField(since(23, optional(embedded(gpuPart)), null)),
  cpuCoreLimitAverage: field(since(24, f64, 0), mean),
  ramBytesLimitAverage: field(since(24, f64, 0), mean),
  networkNatGatewayEgressCost: field(since(25, f64, 0), sum),
  networkNatGatewayIngressCost: field(since(25, f64, 0), sum),
} satisfies Description<Allocation, Minutes>;

/**
 * Codec of an allocation: a version byte, then the fields. In a file, a flag and a compatibility word come before these
 * bytes.
 */
export const allocation: Codec<Allocation> = described<Allocation>(allocationVersions, allocationFields);

/** Returns the highest codec version of an allocation and its parts. The version of its window does not count. */
export const allocationVersion = highestVersionOf(allocation);

/** Adds up the resource hours of an allocation. */
export const allocationHours = hoursIn(allocation);
