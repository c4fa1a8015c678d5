import { dumpSet } from '../../etl/dump';
import { decodeSet } from '../../etl/file';
import type { Allocation, EtlSet, NodeAsset } from '../../etl/model';
import { withoutNotFinite } from '../../etl/not-finite';
import { totalCost } from '../../etl/set-facts';
import { goldenBytes } from './golden-files';
import { patchedFloats } from './patched-floats';

const bytesOf = (pipeline: string) =>
  goldenBytes(`bucket/federated/cluster-1/etl/bingen/${pipeline}/1d/1794614400-1794700800`);
const dumped = (set: EtlSet) => dumpSet(set, { codecVersions: true });

describe('numbers that are NaN or infinite', () => {
  it('are found in allocations and replaced by 0', () => {
    const bytes = bytesOf('allocations');
    const records = [...(decodeSet('allocations', bytes).allocations?.values() ?? [])];
    const costly = records.filter((record): record is Allocation => (record?.cpuCost ?? 0) > 0);
    const [first, second] = costly;
    const volume = records.flatMap((record) => record?.pvs ?? []).find(({ value }) => (value?.cost ?? 0) > 0);
    if (first === undefined || second === undefined || !volume?.value)
      throw new Error('no allocation has a cost');
    const patched = (numbers: readonly number[]) =>
      decodeSet(
        'allocations',
        patchedFloats(
          bytes,
          [first.cpuCost, second.cpuCost, first.ramCost, volume.value?.cost ?? 0].map(
            (from, index) => [from, numbers[index] ?? 0] as const,
          ),
        ),
      );
    const broken = patched([NaN, Infinity, -Infinity, NaN]);
    expect(totalCost(broken)).toBeNaN();
    const { set, found } = withoutNotFinite(broken);
    const inCluster = (field: string, numbers: number) => ({ cluster: 'cluster-1', field, numbers });
    const expected = [inCluster('cpuCost', 2), inCluster('ramCost', 1), inCluster('pvs.cost', 1)];
    expect(found).toHaveLength(expected.length);
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(dumped(set)).toEqual(dumped(patched([0, 0, 0, 0])));
  });

  it('are found in parts of assets', () => {
    const bytes = bytesOf('assets');
    const assets = [...(decodeSet('assets', bytes).assets?.values() ?? [])];
    const node = assets.find((asset): asset is NodeAsset => asset?.type === 'Node' && asset.cpuCost > 0);
    if (!node?.cpuBreakdown) throw new Error('no node found');
    const changes = [
      [node.cpuCost, -Infinity],
      [node.cpuBreakdown.idle, NaN],
    ] as const;
    const { set, found } = withoutNotFinite(decodeSet('assets', patchedFloats(bytes, changes)));
    expect(found.map(({ field, numbers }) => `${field} ${numbers}`).sort()).toEqual([
      'cpuBreakdown.idle 1',
      'cpuCost 1',
    ]);
    expect(totalCost(set)).not.toBeNaN();
  });

  it('are not found in other files, which stay unchanged', () => {
    for (const path of ['edge/valid/nil-records.allocations', 'edge/valid/nil-maps.allocations']) {
      const whole = decodeSet('allocations', goldenBytes(path));
      expect(withoutNotFinite(whole)).toEqual({ set: whole, found: [] });
    }
    const assets = decodeSet('assets', bytesOf('assets'));
    expect(withoutNotFinite(assets)).toEqual({ set: assets, found: [] });
  });
});
