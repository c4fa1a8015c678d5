import type { Instant } from '../../etl/instant';
import { mergeSets } from '../../etl/merge';
import { recordCount } from '../../etl/set-facts';
import {
  allocation,
  allocationSet,
  asset,
  assetSet,
  balancer,
  day,
  gpu,
  mergedAllocation,
  mergedAsset,
  volume,
} from './build-records';

/** Returns the instant that is `seconds` after 2026-11-14T00:00:00Z. */
function at(seconds: number): Instant {
  return { seconds: 1794614400 + seconds, nanos: 0, zoneMinutes: -1, zoneSeconds: null };
}

const halfDay = { start: at(0), end: at(43_200) };

describe('adding allocations', () => {
  test('takes the higher version of the record and of each part; a part on one side only keeps its version', () => {
    const a = allocation('x', {
      version: 18,
      pvs: [{ ...volume('p', 1), key: { version: 18, cluster: 'c', name: 'p' } }],
    });
    const merged = mergedAllocation(a, allocation('x', { pvs: [volume('p', 1), volume('q', 1)] }));
    expect(merged.version).toBe(25);
    expect(merged.pvs?.map(({ key }) => key.version)).toEqual([25, 25]);
    const alone = mergedAllocation(a, allocation('x'));
    expect(alone.pvs).toEqual(a.pvs);
  });

  test('drops the provider id of a volume that only the second has', () => {
    const merged = mergedAllocation(
      allocation('x', { pvs: [volume('a', 1)] }),
      allocation('x', { pvs: [volume('b', 2)] }),
    );
    expect(merged.pvs?.map(({ value }) => value?.providerID)).toEqual(['vol', '']);
  });

  test('treats a volume without a value as absent, unless the second has no volumes', () => {
    const a = allocation('x', { pvs: [volume('a', null), volume('b', null)] });
    const merged = mergedAllocation(a, allocation('x', { pvs: [volume('b', 3), volume('c', null)] }));
    expect(merged.pvs).toEqual([volume('b', 3, '')]);
    expect(mergedAllocation(a, allocation('x')).pvs).toEqual(a.pvs);
  });

  test('makes a load balancer that only the second has public, without an address', () => {
    const a = allocation('x', {
      loadBalancers: new Map([
        ['one', balancer(1)],
        ['gone', null],
      ]),
    });
    const b = allocation('x', {
      loadBalancers: new Map([
        ['one', balancer(2)],
        ['two', balancer(4)],
      ]),
    });
    const merged = mergedAllocation(a, b).loadBalancers;
    expect([...(merged?.keys() ?? [])]).toEqual(['one', 'two']);
    expect(merged?.get('one')).toEqual({ ...balancer(3), hours: 4 });
    expect(merged?.get('two')).toEqual({ ...balancer(4), private: false, ip: '' });
  });

  test('weights averages by the minutes of each side over those of both', () => {
    const a = allocation('x', { ...halfDay, cpuCoreUsageAverage: 4, cpuCoreLimitAverage: 2 });
    const merged = mergedAllocation(a, allocation('x', { cpuCoreUsageAverage: 1, ramBytesLimitAverage: 8 }));
    expect(merged.cpuCoreUsageAverage).toBe(3);
    expect(merged.cpuCoreLimitAverage).toBe(1);
    expect(merged.ramBytesLimitAverage).toBe(8);
  });

  test('has no averages if both sides have no duration', () => {
    const instant = { start: at(5), end: at(5), cpuCoreUsageAverage: 4, gpuAllocation: gpu() };
    const merged = mergedAllocation(allocation('x', instant), allocation('x', instant));
    expect(merged.cpuCoreUsageAverage).toBe(0);
    expect(merged.gpuAllocation).toEqual(gpu({ gpuUsageAverage: null }));
  });

  test('keeps the GPU part of the first with weighted averages, or copies that of the second', () => {
    const a = allocation('x', { ...halfDay, gpuAllocation: gpu() });
    expect(mergedAllocation(a, allocation('x')).gpuAllocation).toEqual(gpu({ gpuUsageAverage: 0.5 }));
    expect(mergedAllocation(allocation('x'), a).gpuAllocation).toEqual(gpu());
  });

  test('keeps GPU averages of version 22 in version 22', () => {
    const old = { version: 22, deprecatedGpuUsageAverage: 0.5, deprecatedGpuRequestAverage: 0 };
    const merged = mergedAllocation(
      allocation('x', old),
      allocation('x', { ...old, deprecatedGpuRequestAverage: 1 }),
    );
    expect(merged.version).toBe(22);
    expect(merged.gpuAllocation).toBeNull();
    expect([merged.deprecatedGpuUsageAverage, merged.deprecatedGpuRequestAverage]).toEqual([1, 1]);
  });

  test('turns the GPU averages of version 22 into a GPU part when merged with a newer record', () => {
    const old = allocation('x', { version: 22, deprecatedGpuUsageAverage: 0.5 });
    const merged = mergedAllocation(allocation('x', { deprecatedGpuUsageAverage: 7 }), old);
    expect(merged.deprecatedGpuUsageAverage).toBe(0);
    expect(merged.gpuAllocation).toEqual({
      version: 25,
      gpuDevice: '',
      gpuModel: '',
      gpuUUID: '',
      isGpuShared: null,
      gpuUsageAverage: 0.5,
      gpuRequestAverage: 0,
    });
  });
});

describe('merging sets of allocations', () => {
  test('skips keys without a record, and does not count them', () => {
    const wide = { ...day(), start: at(-86_400) };
    const nothing = { ...allocationSet([['x', null]]), window: wide, warnings: ['w'] };
    const { set } = mergeSets('allocations', [
      { id: 'a', set: nothing },
      { id: 'b', set: allocationSet([allocation('x')]) },
    ]);
    expect(recordCount(set)).toBe(1);
    expect(set.window).toEqual(day());
    expect(set.warnings).toEqual(['w']);
  });

  test('merges two records of one input with the same name, in file order', () => {
    const records = allocationSet([
      ['k1', allocation('x', { cpuCost: 1 })],
      ['k2', allocation('x', { cpuCost: 2 })],
    ]);
    const { set, inputs } = mergeSets('allocations', [{ id: 'a', set: records }]);
    expect([...(set.allocations ?? [])].map(([key, record]) => [key, record?.cpuCost])).toEqual([['x', 3]]);
    expect(inputs[0]?.changed).toEqual([0, 1]);
  });

  test('spans the windows of all sets if none has a record', () => {
    const late = { ...allocationSet([]), window: { ...day(), end: at(200_000) } };
    const { set } = mergeSets('allocations', [
      { id: 'a', set: allocationSet([]) },
      { id: 'b', set: late },
    ]);
    expect(set.window).toEqual({ ...day(), end: at(200_000) });
    expect(set.version).toBe(25);
  });

  test('takes the external and idle keys from the names of the result', () => {
    const named = allocationSet([
      allocation('a/__idle__'),
      allocation('a/__external__'),
      allocation('a/web'),
    ]);
    const { set } = mergeSets('allocations', [
      { id: 'a', set: { ...named, idleKeys: new Map([['old', true]]) } },
    ]);
    expect([...(set.idleKeys ?? [])]).toEqual([['a/__idle__', true]]);
    expect([...(set.externalKeys ?? [])]).toEqual([['a/__external__', true]]);
  });

  test('keeps the source if all agree, and unites warnings and errors without duplicates', () => {
    const facts = (fromSource: string, warnings: string[]) => ({
      ...allocationSet([allocation(`${warnings.length}`)]),
      fromSource,
      warnings,
    });
    const merge = (a: string, b: string) =>
      mergeSets('allocations', [
        { id: 'a', set: facts(a, ['one']) },
        { id: 'b', set: facts(b, ['two', 'one']) },
      ]).set;
    expect(merge('prom', 'prom').fromSource).toBe('prom');
    expect(merge('prom', 'other').fromSource).toBe('');
    expect(merge('', '').warnings).toEqual(['one', 'two']);
    expect(merge('', '').errors).toBeNull();
  });
});

describe('adding assets', () => {
  const shares = (share: number) => ({ version: 21, idle: share, other: 0, system: 0, user: 0 });

  test('of different types returns an Any of the same package, without adjustments in its cost', () => {
    const merged = mergedAsset(
      asset('Network', { typeName: '*old/pkg/kubecost.Network', cost: 3, adjustment: -1, ...halfDay }),
      asset('Cloud', { cost: 5, credit: -2, adjustment: 0.5 }),
    );
    expect(merged).toMatchObject({
      type: 'Any',
      typeName: '*old/pkg/kubecost.Any',
      cost: 6,
      adjustment: -0.5,
    });
    expect(merged).toMatchObject({ start: at(0), end: at(86_400) });
  });

  test('uses the window of a type without times, ignoring its open sides, when types differ', () => {
    const open = { version: 18, start: null, end: null };
    const merged = mergedAsset(asset('Network', halfDay), asset('SharedAsset', { cost: 1, window: open }));
    expect(merged).toMatchObject({ type: 'Any', ...halfDay, cost: 1 });
  });

  test('weights a missing breakdown as zeros; missing on both sides, it stays missing', () => {
    const a = asset('Disk', { cost: 1, breakdown: shares(0.8) });
    const b = asset('Disk', { cost: 3, breakdown: null });
    expect(mergedAsset(a, b)).toMatchObject({ breakdown: shares(0.2) });
    expect(mergedAsset(b, b)).toMatchObject({ breakdown: null });
  });

  test('keeps the breakdown of the first unchanged if all weights are 0', () => {
    const a = asset('Disk', { breakdown: null, local: 1 });
    const b = asset('Disk', { breakdown: shares(0.5) });
    expect(mergedAsset(a, b)).toMatchObject({ breakdown: null, local: 0.5 });
    expect(mergedAsset(b, a)).toMatchObject({ breakdown: shares(0.5) });
  });

  test('writes 0 for a division by 0', () => {
    const disk = asset('Disk', { cost: 1, adjustment: -1, local: 1 });
    expect(mergedAsset(disk, disk)).toMatchObject({ local: 0 });
    const overhead = {
      version: 21,
      cpuOverheadFraction: 0.5,
      ramOverheadFraction: 0.5,
      overheadCostFraction: 0.5,
    };
    const node = asset('Node', { overhead });
    expect(mergedAsset(node, node)).toMatchObject({
      overhead: { version: 21, cpuOverheadFraction: 0, ramOverheadFraction: 0, overheadCostFraction: 0 },
    });
  });

  test('without properties still yields an identity, and null properties stay null', () => {
    const set = assetSet([asset('Network', { cost: 1 })]);
    const merged = mergeSets('assets', [
      { id: 'a', set },
      { id: 'b', set },
    ]).set;
    const undefinedParts = Array.from({ length: 9 }, () => '__undefined__');
    undefinedParts[5] = 'Network';
    expect([...(merged.assets?.keys() ?? [])]).toEqual([undefinedParts.join('/')]);
    expect([...(merged.assets?.values() ?? [])][0]?.properties).toBeNull();
  });

  test('takes the first non-empty aggregationKeys', () => {
    const keys = (aggregationKeys: string[] | null) => assetSet([], { aggregationKeys });
    const { set } = mergeSets('assets', [
      { id: 'a', set: keys(null) },
      { id: 'b', set: keys([]) },
      { id: 'c', set: keys(['type']) },
      { id: 'd', set: keys(['cluster']) },
    ]);
    expect(set.aggregationKeys).toEqual(['type']);
  });
});
