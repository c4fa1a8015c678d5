import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterId } from '../../etl/cluster-id';
import { parseWindowId, windowId } from '../../etl/window';
import { documents } from '../../federation/documents';
import * as layout from '../../federation/layout';

const ref = parseWindowId('allocations/1h/1794816000-1794819600');
if (ref === undefined) throw new TypeError('That is a window.');
const window = windowId(ref);
const [cluster, run, time, fingerprint] = [clusterId('c-1'), 'r-1', '2026-11-20T10:00:00Z', '0a'.repeat(32)];
const inExport = (format: 'parquet' | 'csv') =>
  layout.exportPrefix + layout.exportPath({ version: 1, format, ref, digest: fingerprint });

/** Sample keys. Each is listed under the name of the function or constant in `federation/layout.ts` that creates it. */
const built = {
  clusterEtlKey: [layout.clusterEtlKey(cluster, window)],
  combinedEtlKey: [layout.combinedEtlKey(window), layout.combinedEtlKey(ref)],
  objectKey: [layout.objectKey(fingerprint)],
  provenanceKey: [layout.provenanceKey(fingerprint)],
  generationKey: [layout.generationKey(1), layout.generationKey(123_456_789_012)],
  keptKey: [layout.keptKey(cluster, window)],
  publishedKey: [layout.publishedKey],
  unreferencedKey: [layout.unreferencedKey],
  federationKey: [layout.federationKey],
  fullListingKey: [layout.fullListingKey],
  exportPath: [inExport('parquet'), inExport('csv')],
  exportSchemaPath: [layout.exportPrefix + layout.exportSchemaPath(1)],
  runRequestKey: [layout.runRequestKey(run)],
  runPlanKey: [layout.runPlanKey(run, 1, 2)],
  runPlanHeadKey: [layout.runPlanHeadKey(run, 1)],
  runQuarantineKey: [layout.runQuarantineKey(run, 1, 2, 3)],
  runOutcomeKey: [layout.runOutcomeKey(run, 1, 2)],
  runReportKey: [layout.runReportKey(run)],
  backupFileKey: [layout.backupFileKey(cluster, time, window)],
  backupManifestKey: [layout.backupManifestKey(cluster, time)],
  probeKey: [layout.clusterPrefix(cluster), layout.combinedPrefix, layout.backupsPrefix(cluster)].map(
    (prefix) => layout.probeKey(prefix, 'x'),
  ),
};

/**
 * Regular expressions for the placeholders in the key patterns of docs/design/bucket-format.md. A placeholder `<…>`
 * that is not listed here matches any text without a slash.
 */
const meanings: Record<string, string> = {
  '<cluster id>': '(?!combined/)[^/]+',
  '<window id>': '(allocations|assets)/[^/]+/\\d+-\\d+',
  '<path>': '.+',
  '<n>': '\\d{12}',
  '<fingerprint>': '[0-9a-f]{64}',
  '<attempt>': '\\d+',
  '<k>': '\\d+',
  '<i>': '\\d+',
};

function matcher(pattern: string): RegExp {
  const source = pattern
    .split(/(<[^>]+>)/)
    .map((piece) =>
      /^<.*>$/.test(piece) ? (meanings[piece] ?? '[^/]+?') : piece.replace(/[.*+?()]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`);
}

/** Reads the table in docs/design/bucket-format.md. Returns the column "written by" of each row, by key pattern. */
function rowsOfPage(): Map<string, string> {
  const page = readFileSync(join(__dirname, '../../docs/design/bucket-format.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.flatMap((row) => {
      const [, keys = '', writer = ''] = row.split('|').map((cell) => cell.trim());
      return [...keys.matchAll(/`([^`]+)`/g)].map(([, pattern = '']) => [pattern, writer] as const);
    }),
  );
}

test('this test builds every key that the layout has', () => {
  const names = Object.keys(layout).filter((name) => /^(?!parse|exportTables).*(Key|Path)$/.test(name));
  expect(Object.keys(built).sort()).toEqual(names.sort());
});

test('the page has a row for every key, and none besides', () => {
  const patterns = [...rowsOfPage().keys()];
  const used = Object.entries(built).flatMap(([name, keys]) =>
    keys.map((key) => {
      const fitting = patterns.filter((pattern) => matcher(pattern).test(key));
      return { name, key, rows: fitting.length, pattern: fitting[0] };
    }),
  );
  expect(used.filter(({ rows }) => rows !== 1)).toEqual([]);
  expect(new Set(used.map(({ pattern }) => pattern))).toEqual(new Set(patterns));
});

test('the page says of every document what the document says: its key and its writer', () => {
  const rows = rowsOfPage();
  expect(Object.values(documents).map(({ pattern }) => [pattern, rows.get(pattern)])).toEqual(
    Object.values(documents).map(({ pattern, writer }) => [pattern, writer]),
  );
});

test('every document lies where its pattern says', () => {
  const keys: Record<keyof typeof documents, string> = {
    federation: documents.federation.at().key,
    generation: documents.generation.at(7).key,
    provenance: documents.provenance.at(fingerprint).key,
    published: documents.published.at().key,
    unreferenced: documents.unreferenced.at().key,
    fullListing: documents.fullListing.at().key,
    runRequest: documents.runRequest.at(run).key,
    planShard: documents.planShard.at(run, 1, 2).key,
    planHead: documents.planHead.at(run, 1).key,
    windowQuarantine: documents.windowQuarantine.at(run, 1, 2, 3).key,
    shardOutcome: documents.shardOutcome.at(run, 1, 2).key,
    runReport: documents.runReport.at(run).key,
    backupManifest: documents.backupManifest.at(cluster, time).key,
    exportSchema: layout.exportPrefix + documents.exportSchema.at(1).key,
  };
  for (const [name, key] of Object.entries(keys)) {
    expect(key).toMatch(matcher(documents[name as keyof typeof documents].pattern));
  }
});
