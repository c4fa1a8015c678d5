import type { Allocation, TimeWindow } from '../etl/model';

/** This module generates synthetic ETL data for several benchmarks. */

export const instant = (seconds: number) => ({ seconds, nanos: 0, zoneMinutes: -1, zoneSeconds: null });

/** Converts a window in unix seconds to the window type of ETL sets and records. */
export function timeWindow({ start, end }: { start: number; end: number }): TimeWindow {
  return { version: 18, start: instant(start), end: instant(end) };
}

/**
 * Returns a generator of pseudo-random numbers from 0 (inclusive) to 1 (exclusive). The same seed always yields the
 * same numbers.
 */
export function randoms(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** All fields of an allocation except its version, name, properties and times. */
type Measures = Omit<Allocation, 'version' | 'name' | 'properties' | 'window' | 'start' | 'end'>;

/**
 * Makes up the measures of an allocation. About half of them are 0, as in real files.
 *
 * @param volume cluster and name of the volume that the allocation uses, or undefined if it uses none
 */
export function measures(
  random: () => number,
  cost: number,
  volume: { readonly cluster: string; readonly name: string } | undefined,
): Measures {
  return {
    cpuCoreHours: random() * 24,
    cpuCoreRequestAverage: random(),
    cpuCoreUsageAverage: random(),
    cpuCost: cost,
    cpuCostAdjustment: 0,
    gpuHours: 0,
    gpuCost: 0,
    gpuCostAdjustment: 0,
    networkTransferBytes: Math.floor(random() * 1e9),
    networkReceiveBytes: Math.floor(random() * 1e9),
    networkCost: random() / 10,
    networkCrossZoneCost: 0,
    networkCrossRegionCost: 0,
    networkInternetCost: random() / 10,
    networkCostAdjustment: 0,
    loadBalancerCost: 0,
    loadBalancerCostAdjustment: 0,
    pvs:
      volume !== undefined
        ? [
            {
              key: { version: 25, cluster: volume.cluster, name: `pvc-${volume.name}` },
              value: { version: 25, byteHours: 2.4e11, cost: 0.1, providerID: `vol-${volume.name}` },
            },
          ]
        : null,
    pvCostAdjustment: 0,
    ramByteHours: random() * 1e10,
    ramBytesRequestAverage: random() * 1e9,
    ramBytesUsageAverage: random() * 1e9,
    ramCost: cost / 2,
    ramCostAdjustment: 0,
    sharedCost: 0,
    externalCost: 0,
    rawAllocationOnly: {
      version: 25,
      cpuCoreUsageMax: random(),
      ramBytesUsageMax: random() * 1e9,
      gpuUsageMax: null,
    },
    loadBalancers: null,
    deprecatedGpuRequestAverage: 0,
    deprecatedGpuUsageAverage: 0,
    gpuAllocation: null,
    cpuCoreLimitAverage: 0,
    ramBytesLimitAverage: 0,
    networkNatGatewayEgressCost: 0,
    networkNatGatewayIngressCost: 0,
  };
}
