import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Root folder of the repository. */
export const root = path.join(__dirname, '../..');

/** An edit to a source file: replaces the string `beside` with `line`. `beside` must occur exactly once in the file. */
interface Edit {
  readonly file: string;
  readonly beside: string;
  readonly line: string;
}

const after = (file: string, beside: string, line: string): Edit => ({
  file,
  beside,
  line: `${beside}\n${line}`,
});

/** Edits that add a new codec version to each pipeline. The made-up fields exist from this version on. */
export const versions: readonly Edit[] = [
  { file: 'etl/versions.ts', beside: 'oldest: 15, newest: 25', line: 'oldest: 15, newest: 26' },
  { file: 'etl/versions.ts', beside: 'oldest: 16, newest: 21', line: 'oldest: 16, newest: 22' },
];

/**
 * Edits that add the made-up fields to the types in `etl/model.ts`. With these edits alone, all code that has to handle
 * the made-up fields fails to compile.
 */
export const models: readonly Edit[] = [
  after('etl/model.ts', '  networkNatGatewayIngressCost: number;', '  networkVpnCost: number;'),
  after('etl/model.ts', '  claimNamespace: ByteString;', '  snapshotCost: number;'),
];

/**
 * Edits that the made-up allocation field `networkVpnCost` requires in addition to `versions` and `models`. The field's
 * value is a part of `networkCost`.
 */
export const allocationPlaces: readonly Edit[] = [
  after(
    'etl/allocation-codec.ts',
    '  networkNatGatewayIngressCost: field(since(25, f64, 0), sum),',
    '  networkVpnCost: field(since(26, f64, 0), sum),',
  ),
  after('etl/cost.ts', "  networkNatGatewayIngressCost: 'does not',", "  networkVpnCost: 'does not',"),
  after(
    'query/measures.ts',
    "  networkNatGatewayIngressCost: cost('the part of `network_cost` in through NAT gateways'),",
    "  networkVpnCost: cost('the part of `network_cost` through VPNs'),",
  ),
  after(
    'api/allocation-numbers.ts',
    "  networkNatGatewayIngressCost: 'in full only',",
    "  networkVpnCost: 'in full only',",
  ),
];

/**
 * Edits that the made-up disk field `snapshotCost` requires in addition to `versions` and `models`. The field's value
 * is a part of `cost`.
 */
export const assetPlaces: readonly Edit[] = [
  after(
    'etl/asset-codec.ts',
    "    claimNamespace: field(since(18, str, ''), kept),",
    '    snapshotCost: field(since(22, f64, 0), sum),',
  ),
  after('etl/cost.ts', "    byteUsageMax: 'does not',", "    snapshotCost: 'does not',"),
  after(
    'query/asset-fields.ts',
    "    claimNamespace: text('claim_namespace', 'of disks'),",
    "    snapshotCost: number('snapshot_cost', 'sum', money, 'of disks'),",
  ),
  after(
    'query/asset-row.ts',
    "        claimNamespace: text('claim_namespace'),",
    "        snapshotCost: number('snapshot_cost'),",
  ),
  after(
    'api/asset-json.ts',
    '        claimNamespace: row.claimNamespace,',
    '        snapshotCost: row.snapshotCost,',
  ),
  after('api/csv.ts', "  claimNamespace: 'column',", "  snapshotCost: 'column',"),
];

/** Applies edits in memory. Returns the contents of the edited files, keyed by path. */
export function edited(edits: readonly Edit[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { file, beside, line } of edits) {
    const source = files.get(file) ?? readFileSync(path.join(root, file), 'utf8');
    const parts = source.split(beside);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${beside}`);
    files.set(file, parts.join(line));
  }
  return files;
}
