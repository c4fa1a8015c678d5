import { decodeSet } from '../../etl/file';
import { type Hours, HourSums, type Measure } from '../../etl/measure';
import { mergeSets } from '../../etl/merge';
import type {
  Allocation,
  AllocationSet,
  Asset,
  AssetSet,
  AssetType,
  GPUAllocation,
  LbAllocation,
  PVEntry,
} from '../../etl/model';
import { goldenBytes } from './golden-files';

/*
 * Builds small sets for tests that each check a single rule. Each record is a copy of a blank record from the golden
 * files, in which the test fills only the fields that it needs.
 */

/**
 * Makes an allocation of codec version 25 for one day. Fields that are not given are blank, so it has no costs by
 * default.
 */
export function allocation(name: string, fields: Partial<Allocation> = {}): Allocation {
  const blank = emptyAllocations('edge/valid/nil-records.allocations').allocations?.get('edge/bare');
  if (!blank) throw new Error('edge/bare is gone from the golden files');
  return { ...blank, window: day(), name, ...fields };
}

/** Makes an asset of codec version 21. Fields that are not given are blank. */
export function asset<T extends AssetType>(
  type: T,
  fields: Partial<Extract<Asset, { type: T }>> = {},
): Asset {
  const blank = decodeSet('assets', goldenBytes('edge/valid/bare.assets')).assets?.get(`bare/${type}`);
  if (!blank) throw new Error(`bare/${type} is gone from the golden files`);
  return { ...blank, window: day(), ...fields };
}

/** Returns the window of the blank records: the day 2026-11-14. */
export function day() {
  return emptyAllocations().window;
}

function emptyAllocations(path = 'edge/valid/nil-maps.allocations'): AllocationSet {
  return decodeSet('allocations', goldenBytes(path));
}

/** Makes a set of codec version 25. A record that is given without a key is keyed by its name. */
export function allocationSet(records: (Allocation | [string, Allocation | null])[]): AllocationSet {
  const entries = records.map((record): [string, Allocation | null] =>
    Array.isArray(record) ? record : [record.name, record],
  );
  return { ...emptyAllocations(), allocations: new Map(entries) };
}

/** Makes a set of codec version 21. Its assets get the keys `key 0`, `key 1` and so on. */
export function assetSet(records: Asset[], fields: Partial<AssetSet> = {}): AssetSet {
  const empty = decodeSet('assets', goldenBytes('edge/valid/nil-maps.assets'));
  return { ...empty, assets: new Map(records.map((record, index) => [`key ${index}`, record])), ...fields };
}

/** Merges allocations from different clusters into one. All of them must have the same name. */
export function mergedAllocation(...records: Allocation[]): Allocation {
  const sets = records.map((record, index) => ({ id: `c${index}`, set: allocationSet([record]) }));
  const merged = [...(mergeSets('allocations', sets).set.allocations?.values() ?? [])];
  if (merged.length !== 1 || !merged[0]) throw new Error('the records were not merged into one');
  return merged[0];
}

/**
 * Merges assets from different clusters into one. Sets `aggregationKeys` so that all of the assets have the same
 * identity.
 */
export function mergedAsset(...records: Asset[]): Asset {
  const sets = records.map((record, index) => ({
    id: `c${index}`,
    set: assetSet([record], { aggregationKeys: ['label:all'] }),
  }));
  const merged = [...(mergeSets('assets', sets).set.assets?.values() ?? [])];
  if (merged.length !== 1 || !merged[0]) throw new Error('the records were not merged into one');
  return merged[0];
}

export function volume(name: string, cost: number | null, providerID = 'vol'): PVEntry {
  const value = cost === null ? null : { version: 25, byteHours: 1, cost, providerID };
  return { key: { version: 25, cluster: 'c', name }, value };
}

export function balancer(cost: number): LbAllocation {
  return { version: 25, service: 's', cost, private: true, ip: '203.0.113.7', hours: 2 };
}

export function gpu(fields: Partial<GPUAllocation> = {}): GPUAllocation {
  return {
    version: 25,
    gpuDevice: 'dev',
    gpuModel: 'T4',
    gpuUUID: 'u',
    isGpuShared: true,
    gpuUsageAverage: 1,
    gpuRequestAverage: null,
    ...fields,
  };
}

/** Makes a measure. Resource hours that are not given are 0. */
export function measureWith(records: number, hours: Partial<Hours> = {}): Measure {
  return { records, hours: { ...new HourSums().hours, ...hours } };
}
