import { decodeSet, encodeSet } from '../../etl/file';
import type { AllocationSet } from '../../etl/model';
import { allocation, allocationSet, day, volume } from './build-records';
import { goldenBytes } from './golden-files';
import { sameMeaning } from './same-meaning';

describe('sameMeaning', () => {
  const base = allocationSet([allocation('x', { cpuCost: 1, pvs: [volume('p', 1)] }), allocation('y')]);
  const differences = (other: AllocationSet) => sameMeaning('allocations', base, other);

  test('names the differences', () => {
    const other = allocationSet([allocation('x', { cpuCost: 1.1, pvs: [volume('p', 2)] }), allocation('y')]);
    expect(differences(other)).toEqual([
      '/allocations/x/cpuCost: 1 / 1.1',
      '/allocations/x/pvs/c / p/value/cost: 1 / 2',
    ]);
    expect(
      differences(allocationSet([allocation('x', { cpuCost: 1, pvs: [volume('p', 1)] })])).length,
    ).toBeGreaterThan(0);
    const later = { ...day(), end: { seconds: 1, nanos: 0, zoneMinutes: 0, zoneSeconds: null } };
    expect(differences({ ...base, window: later })).toEqual([
      '/window/end: "2026-11-15T00:00:00Z" / "1970-01-01T00:00:01Z"',
    ]);
  });

  test('ignores differences without meaning', () => {
    const reversed = new Map([...(base.allocations ?? [])].reverse());
    expect(
      differences({ ...base, version: 24, allocations: reversed, idleKeys: new Map(), warnings: ['w'] }),
    ).toEqual([]);
    expect(sameMeaning('allocations', base, { ...base, warnings: ['w'] }, { strict: true })).toHaveLength(1);
  });

  test('accepts files as well as sets', () => {
    expect(sameMeaning('allocations', encodeSet(base), base)).toEqual([]);
    const bytes = goldenBytes('edge/versions/allocations.v22');
    expect(sameMeaning('allocations', bytes, decodeSet('allocations', bytes))).toEqual([]);
  });

  test('treats the GPU averages of version 22 as a GPU part', () => {
    const old = allocationSet([allocation('g', { version: 22, deprecatedGpuUsageAverage: 0.5 })]);
    const part = { version: 25, gpuDevice: '', gpuModel: '', gpuUUID: '', isGpuShared: null };
    const averages = { gpuUsageAverage: 0.5, gpuRequestAverage: 0 };
    const young = allocationSet([allocation('g', { gpuAllocation: { ...part, ...averages } })]);
    expect(sameMeaning('allocations', old, young)).toEqual([]);
    expect(sameMeaning('allocations', old, allocationSet([allocation('g')]))).not.toEqual([]);
  });
});
