import { displayText } from '../../../etl/byte-string';
import { assetCost } from '../../../etl/cost';
import type { Asset, Breakdown as StoredBreakdown } from '../../../etl/model';
import type { AssetProperties, AssetRow, Breakdown, DiskRow, NodeRow } from '../../../query/answer';
import type { AssetField, AssetGroup, AssetRequest } from '../../../query/request';
import type { Span } from '../../../query/span';
import { coverSteps } from './covering';
import { type Filtered, passes } from './filter';
import { clusterOf } from './idle';
import { secondsOf, textMap } from './piece';
import { type PlannedSet, planSets } from './steps';
import { assetsOf, portions, type StoredAssets } from './stored-sets';

/** Answer of the reference (see `referenceAssets`) to an asset request. The engine's answer also has warnings. */
export interface ReferenceAssets {
  readonly sets: readonly { readonly window: Span; readonly rows: readonly AssetRow[] }[];
}

/**
 * Answers an asset request from decoded sets. It follows the query contract literally, so that tests can compare the
 * query engine with it.
 */
export function referenceAssets(sets: readonly StoredAssets[], request: AssetRequest): ReferenceAssets {
  const planned = planSets(request);
  const steps = planned.flatMap((set) => set.steps);
  const found = coverSteps(steps, portions(sets, assetsOf, clusterOf));
  const groupsOfSteps = new Map(
    steps.map((step, index) => [
      step,
      answerStep(
        (found[index] ?? []).flatMap(({ records }) => records),
        request,
      ),
    ]),
  );
  return { sets: planned.map((set) => accumulate(set, groupsOfSteps, request)) };
}

/**
 * Computes the groups of one time step. First merges the records of each asset from all sets, then filters the assets,
 * and finally groups them.
 */
function answerStep(records: readonly Asset[], request: AssetRequest): Map<string, AssetRow> {
  const rows = records.map((asset) => rowOf(asset, request.disableAdjustments));
  const single = groupRows(rows.map((row) => ({ ...row, key: keyOf(row, undefined) })));
  const kept = [...single.values()].filter((row) => passes(request.filter, filteredView(row)));
  return groupRows(kept.map((row) => ({ ...row, key: keyOf(row, request.groups) })));
}

/** Merges all rows with the same key, one by one in the given order. */
function groupRows(rows: readonly AssetRow[]): Map<string, AssetRow> {
  const groups = new Map<string, AssetRow>();
  for (const row of rows) {
    const before = groups.get(row.key);
    groups.set(row.key, before === undefined ? row : mergeRows(before, row));
  }
  return groups;
}

function accumulate(
  { window, steps }: PlannedSet,
  groupsOfSteps: ReadonlyMap<Span, ReadonlyMap<string, AssetRow>>,
  request: AssetRequest,
): { window: Span; rows: AssetRow[] } {
  const groups = groupRows(steps.flatMap((step) => [...(groupsOfSteps.get(step)?.values() ?? [])]));
  const ordered = [...groups.values()].sort(
    (a, b) => b.totalCost - a.totalCost || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  );
  const end = request.limit === undefined ? undefined : request.offset + request.limit;
  return { window, rows: ordered.slice(request.offset, end).map((row) => ({ ...row, window })) };
}

/* The functions below compute the keys of rows. */

const usualFields: readonly AssetField[] = [
  'provider',
  'account',
  'project',
  'category',
  'cluster',
  'type',
  'service',
  'providerid',
  'name',
];

function keyOf(row: AssetRow, groups: readonly AssetGroup[] | undefined): string {
  const parts = groups ?? usualFields.map((field): AssetGroup => ({ kind: 'field', field }));
  return parts.map((group) => keyPart(row, group)).join('/');
}

function keyPart(row: AssetRow, group: AssetGroup): string {
  switch (group.kind) {
    case 'field':
      return fieldOf(row, group.field) || '__undefined__';
    case 'label': {
      const value = labelOf(row, group.key);
      return value === undefined ? '__undefined__' : `${group.key}=${value}`;
    }
    case 'alias':
      return labelOf(row, group.key) ?? '__unallocated__';
  }
}

function fieldOf(row: AssetRow, field: AssetField): string {
  if (field === 'type') return row.type;
  return row.properties[field === 'providerid' ? 'providerID' : field] ?? '';
}

function labelOf({ labels }: AssetRow, key: string): string | undefined {
  return new Map(Object.entries(labels)).get(key);
}

function filteredView(row: AssetRow): Filtered {
  return {
    field: (name) => {
      if (name === 'assetType' || name === 'type') return row.type;
      return new Map<string, string>(Object.entries(row.properties)).get(name) ?? '';
    },
    labels: new Map(Object.entries(row.labels)),
    annotations: new Map(),
    services: [],
  };
}

/* The functions below convert assets to rows. */

function rowOf(stored: Asset, disableAdjustments: boolean): AssetRow {
  const asset = disableAdjustments && 'adjustment' in stored ? { ...stored, adjustment: 0 } : stored;
  const { window } = asset;
  const base = {
    key: '',
    properties: propertiesOf(asset),
    labels: Object.fromEntries(textMap(asset.labels)),
    window: { start: 0, end: 0 },
    start: 'start' in asset ? secondsOf(asset.start) : window.start === null ? 0 : secondsOf(window.start),
    end: 'end' in asset ? secondsOf(asset.end) : window.end === null ? 0 : secondsOf(window.end),
    adjustment: 'adjustment' in asset ? asset.adjustment : 0,
    totalCost: assetCost(asset),
  };
  switch (asset.type) {
    case 'Node':
      return {
        ...base,
        type: 'Node',
        nodeType: displayText(asset.nodeType),
        pool: '',
        cpuCoreHours: asset.cpuCoreHours,
        ramByteHours: asset.ramByteHours,
        gpuHours: asset.gpuHours,
        gpuCount: asset.gpuCount,
        cpuBreakdown: breakdownOf(asset.cpuBreakdown),
        ramBreakdown: breakdownOf(asset.ramBreakdown),
        cpuCost: asset.cpuCost,
        gpuCost: asset.gpuCost,
        ramCost: asset.ramCost,
        discount: asset.discount,
        preemptible: asset.preemptible,
        overhead: asset.overhead && {
          cpuOverheadFraction: asset.overhead.cpuOverheadFraction,
          ramOverheadFraction: asset.overhead.ramOverheadFraction,
          overheadCostFraction: asset.overhead.overheadCostFraction,
        },
      };
    case 'Disk':
      return {
        ...base,
        type: 'Disk',
        byteHours: asset.byteHours,
        byteHoursUsed: asset.byteHoursUsed,
        byteUsageMax: asset.byteUsageMax,
        breakdown: breakdownOf(asset.breakdown),
        storageClass: displayText(asset.storageClass),
        volumeName: displayText(asset.volumeName),
        claimName: displayText(asset.claimName),
        claimNamespace: displayText(asset.claimNamespace),
      };
    case 'LoadBalancer':
      return { ...base, type: 'LoadBalancer', private: asset.private, ip: displayText(asset.ip) };
    case 'Cloud':
      return { ...base, type: 'Cloud', credit: asset.credit };
    case 'SharedAsset':
      return { ...base, type: 'Shared' };
    default:
      return { ...base, type: asset.type };
  }
}

function propertiesOf({ properties }: Asset): AssetProperties {
  const shown: AssetProperties = {};
  for (const field of propertyFields) {
    const value = displayText(properties?.[field] ?? '');
    if (value !== '') shown[field] = value;
  }
  return shown;
}

const propertyFields = [
  'category',
  'provider',
  'account',
  'project',
  'service',
  'cluster',
  'name',
  'providerID',
] as const;

function breakdownOf(stored: StoredBreakdown | null): Breakdown {
  const { idle, other, system, user } = stored ?? { idle: 0, other: 0, system: 0, user: 0 };
  return { idle, other, system, user };
}

/* The functions below merge two rows. */

/** Merges two rows. Each of them represents one asset or a group of assets. The result has the key of the first row. */
function mergeRows(a: AssetRow, b: AssetRow): AssetRow {
  const base = {
    key: a.key,
    properties: common(a.properties, b.properties),
    labels: common(a.labels, b.labels),
    window: a.window,
    start: Math.min(a.start, b.start),
    end: Math.max(a.end, b.end),
    adjustment: a.adjustment + b.adjustment,
    totalCost: a.totalCost + b.totalCost,
  };
  if (a.type === 'Node' && b.type === 'Node') return { ...base, ...mergeNodes(a, b) };
  if (a.type === 'Disk' && b.type === 'Disk') return { ...base, ...mergeDisks(a, b) };
  if (a.type === 'LoadBalancer' && b.type === 'LoadBalancer')
    return { ...base, type: 'LoadBalancer', private: a.private && b.private, ip: same(a.ip, b.ip) };
  if (a.type === 'Cloud' && b.type === 'Cloud')
    return { ...base, type: 'Cloud', credit: a.credit + b.credit };
  if (a.type === b.type) return { ...a, ...base };
  return { ...base, type: 'Any' };
}

type Own<Row> = Omit<
  Row,
  'key' | 'properties' | 'labels' | 'window' | 'start' | 'end' | 'adjustment' | 'totalCost'
>;

function mergeNodes(a: NodeRow, b: NodeRow): Own<NodeRow> {
  const [listedA, listedB] = [a.cpuCost + a.ramCost, b.cpuCost + b.ramCost];
  const [unadjustedA, unadjustedB] = [a.totalCost - a.adjustment, b.totalCost - b.adjustment];
  return {
    type: 'Node',
    nodeType: same(a.nodeType, b.nodeType),
    pool: same(a.pool, b.pool),
    cpuCoreHours: a.cpuCoreHours + b.cpuCoreHours,
    ramByteHours: a.ramByteHours + b.ramByteHours,
    gpuHours: a.gpuHours + b.gpuHours,
    gpuCount: a.gpuCount,
    cpuBreakdown: mergeBreakdowns(a.cpuBreakdown, a.cpuCost, b.cpuBreakdown, b.cpuCost),
    ramBreakdown: mergeBreakdowns(a.ramBreakdown, a.ramCost, b.ramBreakdown, b.ramCost),
    cpuCost: a.cpuCost + b.cpuCost,
    gpuCost: a.gpuCost + b.gpuCost,
    ramCost: a.ramCost + b.ramCost,
    discount: mean(a.discount, listedA, b.discount, listedB),
    preemptible: mean(a.preemptible, unadjustedA, b.preemptible, unadjustedB),
    overhead: mergeOverheads(a, b),
  };
}

function mergeOverheads(a: NodeRow, b: NodeRow): NodeRow['overhead'] {
  if (a.overhead === null || b.overhead === null) return null;
  const [ofA, ofB] = [a.overhead, b.overhead];
  const { cpuCost, ramCost, totalCost } = {
    cpuCost: a.cpuCost + b.cpuCost,
    ramCost: a.ramCost + b.ramCost,
    totalCost: a.totalCost + b.totalCost,
  };
  const cpu = mean(ofA.cpuOverheadFraction, a.cpuCost, ofB.cpuOverheadFraction, b.cpuCost);
  const ram = mean(ofA.ramOverheadFraction, a.ramCost, ofB.ramOverheadFraction, b.ramCost);
  return {
    cpuOverheadFraction: cpu,
    ramOverheadFraction: ram,
    overheadCostFraction: totalCost === 0 ? 0 : (cpu * cpuCost + ram * ramCost) / totalCost,
  };
}

function mergeDisks(a: DiskRow, b: DiskRow): Own<DiskRow> {
  const used = [a.byteHoursUsed, b.byteHoursUsed].filter((value) => value !== null);
  return {
    type: 'Disk',
    byteHours: a.byteHours + b.byteHours,
    byteHoursUsed: used.length === 0 ? null : used.reduce((sum, value) => sum + value, 0),
    byteUsageMax: null,
    breakdown: mergeBreakdowns(a.breakdown, costOf(a), b.breakdown, costOf(b)),
    storageClass: same(a.storageClass, b.storageClass),
    volumeName: same(a.volumeName, b.volumeName),
    claimName: same(a.claimName, b.claimName),
    claimNamespace: same(a.claimNamespace, b.claimNamespace),
  };
}

/** Returns the cost of a disk without its adjustment. */
function costOf({ totalCost, adjustment }: DiskRow): number {
  return totalCost - adjustment;
}

function mergeBreakdowns(a: Breakdown, weightA: number, b: Breakdown, weightB: number): Breakdown {
  return {
    idle: mean(a.idle, weightA, b.idle, weightB),
    other: mean(a.other, weightA, b.other, weightB),
    system: mean(a.system, weightA, b.system, weightB),
    user: mean(a.user, weightA, b.user, weightB),
  };
}

/** Returns the weighted mean, or 0 if both weights are 0. */
function mean(a: number, weightA: number, b: number, weightB: number): number {
  const weight = weightA + weightB;
  return weight === 0 ? 0 : (a * weightA + b * weightB) / weight;
}

function same(a: string, b: string): string {
  return a === b ? a : '';
}

/** Returns the members of `a` that have the same value in `b`. */
function common<T extends object>(a: T, b: T): T {
  const ofB = new Map<string, unknown>(Object.entries(b));
  return Object.fromEntries(
    Object.entries(a).filter(([key, value]) => ofB.has(key) && ofB.get(key) === value),
  ) as T;
}
