import fc from 'fast-check';
import { clusterId } from '../../etl/cluster-id';
import { parseWindowId, pipelines, windowId, type WindowRef } from '../../etl/window';
import * as layout from '../../federation/layout';
import { keyFault } from '../../storage/check-key';

const hex64 = fc.stringMatching(/^[0-9a-f]{64}$/);
const cluster = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    // Texts of parts that matter to a store, a file system or a URL.
    fc
      .array(
        fc.constantFrom('a', '.', '%2e', ' ', '/', '.tmp-', '.meta-', '\u0085', '\ud800', '\ue000', '\uffff'),
        {
          minLength: 1,
          maxLength: 6,
        },
      )
      .map((parts) => parts.join('')),
    fc.nat({ max: 300 }).map((length) => 'c'.repeat(length)),
    fc.nat({ max: 150 }).map((length) => 'é'.repeat(length)),
  )
  .filter((text) => layout.parseClusterPrefix(`federated/${text}/`) !== undefined)
  .map(clusterId);
const window: fc.Arbitrary<WindowRef> = fc
  .record({
    pipeline: fc.constantFrom(...pipelines),
    resolution: fc.constantFrom(['1d', 86_400] as const, ['1h', 3_600] as const, ['10m0s', 600] as const),
    count: fc.nat({ max: 20_000 }),
  })
  .map(({ pipeline, resolution: [resolution, seconds], count }) => ({
    pipeline,
    resolution,
    window: { start: count * seconds, end: (count + 1) * seconds },
  }));

test('a window’s key survives formatting and parsing', () => {
  fc.assert(
    fc.property(cluster, window, (id, ref) => {
      const key = layout.clusterEtlKey(id, windowId(ref));
      expect(layout.parseEtlKey(layout.clusterEtlPrefix(id), key)).toEqual({ ref, plain: true });
      expect(layout.parseEtlKey(layout.combinedEtlPrefix, layout.combinedEtlKey(ref))).toEqual({
        ref,
        plain: true,
      });
      expect(layout.parseEtlKey(layout.combinedEtlPrefix, key)).toBeUndefined();
      expect(parseWindowId(windowId(ref))).toEqual(ref);
      expect(layout.parseClusterPrefix(layout.clusterPrefix(id))).toBe(id);
      expect(layout.keptKey(id, windowId(ref)).startsWith(layout.keptPrefix)).toBe(true);
    }),
  );
});

test('every other key survives formatting and parsing', () => {
  const run = fc.stringMatching(/^[a-z0-9.:-]{1,40}$/);
  fc.assert(
    fc.property(
      hex64,
      fc.nat({ max: 999_999_999_999 }),
      run,
      fc.nat(99),
      (fingerprint, generation, name, n) => {
        expect(layout.parseObjectKey(layout.objectKey(fingerprint))).toEqual({
          fingerprint,
          provenance: false,
        });
        expect(layout.parseObjectKey(layout.provenanceKey(fingerprint))).toEqual({
          fingerprint,
          provenance: true,
        });
        expect(layout.parseGenerationKey(layout.generationKey(generation))).toBe(generation);
        for (const key of [
          layout.runRequestKey(name),
          layout.runPlanKey(name, n, n),
          layout.runReportKey(name),
        ]) {
          expect(layout.parseRunKey(key)).toMatchObject({ run: name });
        }
      },
    ),
  );
});

const exportFormat = fc.constantFrom('parquet' as const, 'csv' as const);

test('a window’s path in an export survives formatting and parsing', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99 }),
      exportFormat,
      window,
      hex64,
      (version, format, ref, digest) => {
        const path = layout.exportPath({ version, format, ref, digest });
        expect(path.startsWith(layout.exportTablesPath(version, format))).toBe(true);
        expect(layout.parseExportPath(path)).toEqual({ version, format, ref, digest: digest.slice(0, 12) });
        expect(layout.parseClusterPrefix(layout.exportPrefix)).toBeUndefined();
        expect(layout.parseExportPath(layout.exportPrefix + path)).toBeUndefined();
      },
    ),
  );
});

test('a window’s path in an export uses Hive partition folders', () => {
  const ref = parseWindowId('allocations/1h/1794816000-1794819600');
  if (ref === undefined) throw new Error('that is a window');
  const digest = '0123456789abcdef'.repeat(4);
  expect(layout.exportPath({ version: 1, format: 'csv', ref, digest })).toBe(
    'v1/csv/allocations/resolution=1h/day=2026-11-16/1794816000-1794819600-0123456789ab.csv.gz',
  );
  expect(layout.exportSchemaPath(1)).toBe('v1/schema.json');
});

test.each([
  'v1/schema.json',
  'v1/parquet/allocations/resolution=1h/day=2026-11-16/_SUCCESS',
  'v1/parquet/allocations/resolution=1h/day=2026-11-16/1794816000-1794819600-0123456789ab.csv.gz',
  'v1/parquet/allocations/resolution=1h/day=2026-11-15/1794816000-1794819600-0123456789ab.parquet',
  'v1/parquet/allocations/resolution=1d/day=2026-11-16/1794816000-1794819600-0123456789ab.parquet',
  'v1/parquet/networks/resolution=1h/day=2026-11-16/1794816000-1794819600-0123456789ab.parquet',
])('%s is not a window of an export', (path) => {
  expect(layout.parseExportPath(path)).toBeUndefined();
});

test('every key is valid in all stores', () => {
  const longest = clusterId('c'.repeat(240));
  fc.assert(
    fc.property(cluster, window, hex64, (id, ref, fingerprint) => {
      const keys = [
        layout.clusterEtlKey(id, windowId(ref)),
        layout.clusterEtlKey(longest, windowId(ref)),
        layout.keptKey(id, windowId(ref)),
        layout.provenanceKey(fingerprint),
        layout.generationKey(1),
        layout.publishedKey,
        layout.fullListingKey,
        layout.backupPrefix(id, '2026-11-20T10:00:00Z') + 'x',
        layout.exportPrefix +
          layout.exportPath({ version: 1, format: 'parquet', ref: ref, digest: fingerprint }),
      ];
      expect(keys.map(keyFault).filter((fault) => fault !== undefined)).toEqual([]);
    }),
  );
});

test('generations are listed in numerical order', () => {
  const keys = [1, 2, 9, 10, 11, 100, 12_345].map(layout.generationKey);
  expect([...keys].sort()).toEqual(keys);
});

test.each([
  '',
  'combined',
  '.',
  '..',
  '...',
  'a.',
  'a..b',
  'a/b',
  'a\\b',
  'a\nb',
  'a\u009b',
  'a\ud800',
  'a\ue000',
  'a\uffff',
  '.tmp-a',
  '.meta-a',
  'x'.repeat(241),
])('%j is not a cluster id', (text) => {
  expect(() => clusterId(text)).toThrow(/^The cluster id /);
  expect(layout.parseClusterPrefix(`federated/${text}/`)).toBeUndefined();
});

test.each([
  'federated/combined/objects/abc',
  'federated/combined/generations/1.json',
  'federated/combined/generations/000000000001.json.bak',
  'elsewhere/000000000001.json',
])('%s is not one of our keys', (key) => {
  expect(layout.parseObjectKey(key)).toBeUndefined();
  expect(layout.parseGenerationKey(key)).toBeUndefined();
  expect(layout.parseRunKey(key)).toBeUndefined();
});
