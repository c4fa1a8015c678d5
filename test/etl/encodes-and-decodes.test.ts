import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { decodeSet, encodeSet, encodeSetWithOffsets } from '../../etl/file';
import type { AllocationSet, EtlSet } from '../../etl/model';
import { allocationVersions, assetVersions } from '../../etl/versions';
import { type Pipeline, pipelines } from '../../etl/window';
import { arbitrarySet, arbitrarySetAnyFields } from './arbitrary-sets';
import { goldenBytes } from './golden-files';
import { propertyRuns } from './run-counts';

const newest = { allocations: allocationVersions.newest, assets: assetVersions.newest };
const versions = pipelines.flatMap((pipeline): [Pipeline, number][] => {
  const { oldest, newest: last } = pipeline === 'allocations' ? allocationVersions : assetVersions;
  return Array.from({ length: last - oldest + 1 }, (_, index) => [pipeline, oldest + index]);
});

function expectSame(a: EtlSet, b: EtlSet): void {
  if (!isDeepStrictEqual(a, b)) expect(a).toEqual(b);
}

function emptySet(): AllocationSet {
  return decodeSet('allocations', goldenBytes('edge/valid/nil-maps.allocations'));
}

describe('encoding', () => {
  test.each(pipelines)('keeps every field of the newest version of %s', (pipeline) => {
    fc.assert(
      fc.property(arbitrarySetAnyFields(pipeline, { version: newest[pipeline], anyNumbers: true }), (set) => {
        expectSame(decodeSet(pipeline, encodeSet(set)), set);
      }),
      propertyRuns(60, 2000),
    );
  });

  test.each(versions)('of %s version %d decodes to the same set', (pipeline, version) => {
    fc.assert(
      fc.property(arbitrarySet(pipeline, { version, anyNumbers: true }), (set) => {
        const bytes = encodeSet(set);
        expectSame(decodeSet(pipeline, bytes), set);
        expect(set.version).toBe(version);
        expect(encodeSet(decodeSet(pipeline, bytes)).equals(bytes)).toBe(true);
      }),
      propertyRuns(15, 500),
    );
  });

  test.each(pipelines)('of %s of mixed versions decodes to the same set', (pipeline) => {
    fc.assert(
      fc.property(arbitrarySet(pipeline), (set) => {
        const bytes = encodeSet(set);
        expectSame(decodeSet(pipeline, bytes), set);
        expectSame(decodeSet(pipeline, gzipSync(bytes)), set);
      }),
      propertyRuns(60, 2000),
    );
  });

  test('raises the version of a set, and nothing else, to the highest version inside', () => {
    const source = decodeSet('allocations', goldenBytes('edge/valid/mixed-versions.allocations'));
    const again = decodeSet('allocations', encodeSet({ ...source, version: 15 }));
    expect(again.version).toBe(22);
    expect(again.allocations).toEqual(source.allocations);
  });

  test('truncates strings at 65,535 bytes', () => {
    const set = { ...emptySet(), warnings: ['w'.repeat(70_000)], fromSource: 'w'.repeat(65_536) };
    const again = decodeSet('allocations', encodeSet(set));
    expect(again.warnings).toEqual(['w'.repeat(65_535)]);
    expect(again.fromSource).toBe('w'.repeat(65_535));
  });

  test('writes each string once, in order of first use', () => {
    const set = { ...emptySet(), fromSource: 'a', warnings: ['b', 'a'], errors: ['c', 'b'] };
    const bytes = encodeSet(set);
    expect(bytes.subarray(0, 17).toString('latin1')).toBe('BGST\x03\0\0\0\x01\0a\x01\0b\x01\0c');
  });

  test('grows with the set', () => {
    const warnings = Array.from({ length: 40_000 }, (_, index) => `warning ${index}`);
    expect(decodeSet('allocations', encodeSet({ ...emptySet(), warnings })).warnings).toEqual(warnings);
  });

  test('reports the offset of each record', () => {
    const set = decodeSet('assets', goldenBytes('edge/versions/assets.v21'));
    const { bytes, offsets } = encodeSetWithOffsets(set);
    expect(offsets.length).toBe((set.assets?.size ?? 0) + 1);
    const types = [...(set.assets?.values() ?? [])].map((asset) => asset?.typeName);
    // A record begins with the index of its key (4 bytes) and a flag (1 byte). The text of its type name follows.
    const found = offsets.slice(0, -1).map((at) => {
      const length = bytes.readUInt16LE(at + 5);
      return bytes.toString('latin1', at + 7, at + 7 + length);
    });
    expect(found).toEqual(types);
  });
});
