import { displayText, displayTexts, toByteString } from '../../etl/byte-string';
import { decodeSet } from '../../etl/file';
import { instantText, minutesBetween } from '../../etl/instant';
import {
  measureOf,
  recordClusters,
  recordCost,
  recordCount,
  setWindow,
  totalCost,
} from '../../etl/set-facts';
import { allocation, allocationSet, asset, assetSet, volume } from './build-records';
import { goldenBytes } from './golden-files';

describe('facts about a set', () => {
  const bucket = 'bucket/federated/cluster-1/etl/bingen';

  test('its window in unix seconds, without open sides', () => {
    const set = decodeSet('assets', goldenBytes(`${bucket}/assets/1h/1794816000-1794819600`));
    expect(setWindow(set)).toEqual({ start: 1794816000, end: 1794819600 });
    expect(setWindow(decodeSet('allocations', goldenBytes('edge/valid/open-window.allocations')))).toEqual(
      {},
    );
  });

  test('its records, without keys that lack one', () => {
    expect(recordCount(decodeSet('allocations', goldenBytes('edge/valid/nil-records.allocations')))).toBe(2);
    expect(recordCount(decodeSet('allocations', goldenBytes('edge/valid/nil-maps.allocations')))).toBe(0);
  });

  test('the clusters named by its records', () => {
    expect(
      recordClusters(decodeSet('assets', goldenBytes(`${bucket}/assets/1h/1794816000-1794819600`))),
    ).toEqual(['cluster-1']);
    const names = ['east/a', 'west', '', toByteString('süd/x')].map((name) => allocation(name));
    expect(recordClusters(allocationSet(names))).toEqual(['east', 'süd', 'west']);
  });

  test('its resource hours, and no costs', () => {
    const pvs = [volume('p', 8), volume('q', null), volume('r', 16)];
    const allocations = [
      allocation('a', { cpuCoreHours: 1, ramByteHours: 2, gpuHours: 4, cpuCost: 100, pvs }),
      allocation('b', { cpuCoreHours: 0.5, ramByteHours: NaN, gpuHours: Infinity }),
    ];
    const hours = { cpuCoreHours: 1.5, ramByteHours: 2, gpuHours: 4, diskByteHours: 2 };
    expect(measureOf(allocationSet([...allocations, ['c', null]]))).toEqual({ records: 2, hours });
    const disk = asset('Disk', { byteHours: 2, cost: 100 });
    const node = asset('Node', { ...hours, cpuCost: 100 });
    expect(measureOf(assetSet([disk, node]))).toEqual({ records: 2, hours: { ...hours, ramByteHours: 2 } });
  });

  test('resource hours that are too many for a number', () => {
    const most = allocation('a', { cpuCoreHours: Number.MAX_VALUE });
    const { hours } = measureOf(allocationSet([most, { ...most, name: 'b' }, { ...most, name: 'c' }]));
    expect(hours.cpuCoreHours).toBe(Number.MAX_VALUE);
  });

  test('the cost of an allocation', () => {
    const costs = {
      cpuCost: 1,
      cpuCostAdjustment: -0.5,
      gpuCost: 2,
      gpuCostAdjustment: 0.25,
      ramCost: 4,
      ramCostAdjustment: 0.125,
      pvs: [volume('p', 8), volume('q', null)],
      pvCostAdjustment: 1,
      networkCost: 16,
      networkInternetCost: 3,
      networkCostAdjustment: 1,
      loadBalancerCost: 32,
      loadBalancerCostAdjustment: 1,
      sharedCost: 64,
      externalCost: 128,
    };
    const set = allocationSet([allocation('a', costs), allocation('b', { cpuCost: 1 }), ['c', null]]);
    expect(totalCost(set)).toBe(1 - 0.5 + 2.25 + 4.125 + 9 + 17 + 33 + 64 + 128 + 1);
  });

  test('the cost of an asset', () => {
    const node = asset('Node', { cpuCost: 4, ramCost: 4, discount: 0.25, gpuCost: 1, adjustment: -0.5 });
    const cloud = asset('Cloud', { cost: 5, credit: -1, adjustment: 0.5 });
    const shared = asset('SharedAsset', { cost: 12 });
    const disk = asset('Disk', { cost: 2, adjustment: 1 });
    expect([node, cloud, shared, disk].map((record) => recordCost('assets', record))).toEqual([
      6.5, 4.5, 12, 3,
    ]);
    expect(totalCost(assetSet([node, cloud, shared, disk]))).toBe(26);
  });
});

describe('byte strings', () => {
  test('convert to text and back', () => {
    for (const text of ['plain', 'ünï/東京/🚀', 'a\ufeffmark', ''])
      expect(displayText(toByteString(text))).toBe(text);
  });

  test('lose byte order marks at their start, which readers would drop', () => {
    for (const text of ['\ufeffmark', '\ufeff\ufeffmark'])
      expect(displayText(toByteString(text))).toBe('mark');
    const names = ['b', '\ufeffa', 'é', '\ufeff', 'a', '', '\u{10000}', '\uffee'].map(toByteString);
    expect(displayTexts(names)).toEqual(['a', 'b', 'é', '\uffee', '\u{10000}']);
  });

  test('show each maximal invalid part as one replacement character', () => {
    expect(displayText('a\xffb')).toBe('a\ufffdb');
    expect(displayText('\xf0\x9f\x9a')).toBe('\ufffd');
  });
});

describe('instants', () => {
  const instant = (seconds: number, nanos = 0) => ({ seconds, nanos, zoneMinutes: -1, zoneSeconds: null });

  test('show as many fractional digits as they have', () => {
    expect(instantText(instant(1794614400))).toBe('2026-11-14T00:00:00Z');
    expect(instantText(instant(1794614400, 120_000_000))).toBe('2026-11-14T00:00:00.12Z');
    expect(instantText(instant(-62135596800, 1))).toBe('0001-01-01T00:00:00.000000001Z');
  });

  test('are at most as many minutes apart as a Go duration can express', () => {
    expect(minutesBetween(instant(0), instant(90, 6e8))).toBeCloseTo(1.51, 12);
    expect(minutesBetween(instant(-62135596800), instant(1794614400))).toBeCloseTo(153722867.28, 2);
  });
});
