import { bool, f64, optional, str } from './codec';
import { adding, described, type Description, field, nothingOwn } from './field';
import { first, meanOrNull, type Minutes } from './merge-parts';
import type { Allocation, GPUAllocation } from './model';
import { allocationVersions } from './versions';

const fields = {
  gpuDevice: field(str, first),
  gpuModel: field(str, first),
  gpuUUID: field(str, first),
  isGpuShared: field(optional(bool), first),
  gpuUsageAverage: field(optional(f64), meanOrNull),
  gpuRequestAverage: field(optional(f64), meanOrNull),
} satisfies Description<GPUAllocation, Minutes>;

/** Codec of the GPU part of an allocation: a version byte, then the fields. */
export const gpuPart = described<GPUAllocation>(allocationVersions, fields);

const addParts = adding<GPUAllocation, Minutes, typeof fields>(fields, nothingOwn);

/** First version of allocations with the field `gpuAllocation`. Version 22 has two plain averages instead. */
const partSince = 23;

/** GPU fields of an allocation. The allocation's version determines which of them are used. */
type GpuFields = Pick<
  Allocation,
  'deprecatedGpuRequestAverage' | 'deprecatedGpuUsageAverage' | 'gpuAllocation'
>;

/** Adds the GPU fields of two allocations. The sum has the GPU fields of the higher of the two codec versions. */
export function addGpus(a: Allocation, b: Allocation, minutes: Minutes): GpuFields {
  const version = Math.max(a.version, b.version);
  const gpu = add(gpuOf(a, version), gpuOf(b, version), minutes);
  return version === partSince - 1
    ? {
        deprecatedGpuRequestAverage: gpu?.gpuRequestAverage ?? 0,
        deprecatedGpuUsageAverage: gpu?.gpuUsageAverage ?? 0,
        gpuAllocation: null,
      }
    : { deprecatedGpuRequestAverage: 0, deprecatedGpuUsageAverage: 0, gpuAllocation: gpu };
}

/**
 * Returns the GPU part of an allocation. An allocation of version 22 has only two averages. Its GPU part is made from
 * these averages, or is null if both averages are 0.
 */
function gpuOf(record: Allocation, resultVersion: number): GPUAllocation | null {
  if (record.version !== partSince - 1) return record.gpuAllocation;
  if (record.deprecatedGpuRequestAverage === 0 && record.deprecatedGpuUsageAverage === 0) return null;
  return {
    ...noGpu,
    version: resultVersion,
    gpuUsageAverage: record.deprecatedGpuUsageAverage,
    gpuRequestAverage: record.deprecatedGpuRequestAverage,
  };
}

/**
 * Adds two GPU parts. The averages of both are combined, weighted by duration. All other values are taken from `a`. If
 * `a` is null, returns `b` unchanged.
 */
function add(a: GPUAllocation | null, b: GPUAllocation | null, minutes: Minutes): GPUAllocation | null {
  return a === null ? b : addParts(a, b ?? noGpu, minutes);
}

/**
 * Empty GPU part. It takes the place of a missing one when GPU parts are added. Because its version is 0, the sum gets
 * the version of the other GPU part.
 */
const noGpu: GPUAllocation = {
  version: 0,
  gpuDevice: '',
  gpuModel: '',
  gpuUUID: '',
  isGpuShared: null,
  gpuUsageAverage: null,
  gpuRequestAverage: null,
};
