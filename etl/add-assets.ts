import { assetCost } from './cost';
import { earlier, type Instant, later } from './instant';
import { kept, sumOrNull, weighted } from './merge-parts';
import { expandWindow } from './merge-window';
import type {
  AnyAsset,
  Asset,
  AssetProperties,
  Breakdown,
  DiskAsset,
  NodeAsset,
  NodeOverhead,
  StringMap,
  TimeWindow,
} from './model';

/**
 * Adds asset `b` to `a`, which was met first, as OpenCost's asset types do; section 4 of the merge rules in
 * docs/design/etl-format.md has every row. Neither is changed. Different types give an Any.
 *
 * @param windowSoFar the window of the sets up to and with that of `b`: it stands in for the times of an `a`
 *   that has none of its own
 */
export function addAssets(a: Asset, b: Asset, windowSoFar: TimeWindow): Asset {
  if (a.type === 'Node' && b.type === 'Node')
    return { ...a, ...common(a, b), ...times(a, b), ...addNodes(a, b) };
  if (a.type === 'Disk' && b.type === 'Disk')
    return { ...a, ...common(a, b), ...times(a, b), ...addDisks(a, b) };
  if (a.type === 'SharedAsset' && b.type === 'SharedAsset') {
    return { ...a, ...common(a, b), cost: a.cost + b.cost };
  }
  if (a.type === 'ClusterManagement' && b.type === 'ClusterManagement') {
    return { ...a, ...common(a, b), cost: a.cost + b.cost, adjustment: a.adjustment + b.adjustment };
  }
  if (a.type === 'Cloud' && b.type === 'Cloud') {
    return { ...a, ...common(a, b), ...times(a, b), cost: a.cost + b.cost, credit: a.credit + b.credit };
  }
  if (
    (a.type === 'LoadBalancer' && b.type === 'LoadBalancer') ||
    (a.type === 'Network' && b.type === 'Network') ||
    (a.type === 'Any' && b.type === 'Any')
  ) {
    return { ...a, ...common(a, b), ...times(a, b), cost: a.cost + b.cost };
  }
  return addAsAny(a, b, windowSoFar);
}

/** What all types do alike. */
function common(a: Asset, b: Asset) {
  return {
    version: Math.max(a.version, b.version),
    properties: mergeProperties(a.properties, b.properties),
    labels: sharedLabels(a.labels, b.labels),
    window: expandWindow(a.window, b.window),
  };
}

interface Timed {
  start: Instant;
  end: Instant;
  adjustment: number;
}

/** What all types with a start, an end and an adjustment do alike. */
function times(a: Timed, b: Timed): Timed {
  return {
    start: earlier(a.start, b.start),
    end: later(a.end, b.end),
    adjustment: a.adjustment + b.adjustment,
  };
}

function addAsAny(a: Asset, b: Asset, windowSoFar: TimeWindow): AnyAsset {
  const [startA, endA] = extent(a, expandWindow(a.window, windowSoFar));
  const [startB, endB] = extent(b, b.window);
  const adjustmentA = a.type === 'SharedAsset' ? 0 : a.adjustment;
  const adjustmentB = b.type === 'SharedAsset' ? 0 : b.adjustment;
  return {
    type: 'Any',
    typeName: `${a.typeName.slice(0, a.typeName.lastIndexOf('.') + 1)}Any`,
    ...common(a, b),
    start: startA && startB ? earlier(startA, startB) : (startA ?? startB ?? zeroTime),
    end: endA && endB ? later(endA, endB) : (endA ?? endB ?? zeroTime),
    adjustment: adjustmentA + adjustmentB,
    cost: assetCost(a) - adjustmentA + (assetCost(b) - adjustmentB),
  };
}

/** Go's zero time: what is left when no side says any time. */
const zeroTime: Instant = { seconds: -62135596800, nanos: 0, zoneMinutes: -1, zoneSeconds: null };

/** Start and end of an asset; those of a window for the types that have none. */
function extent(asset: Asset, window: TimeWindow): [Instant | null, Instant | null] {
  return 'start' in asset ? [asset.start, asset.end] : [window.start, window.end];
}

function mergeProperties(a: AssetProperties | null, b: AssetProperties | null): AssetProperties | null {
  if (a === null || b === null) return null;
  return {
    version: Math.max(a.version, b.version),
    category: kept(a.category, b.category),
    provider: kept(a.provider, b.provider),
    account: kept(a.account, b.account),
    project: kept(a.project, b.project),
    service: kept(a.service, b.service),
    cluster: kept(a.cluster, b.cluster),
    name: kept(a.name, b.name),
    providerID: kept(a.providerID, b.providerID),
  };
}

/** The pairs that both have. */
function sharedLabels(a: StringMap | null, b: StringMap | null): StringMap | null {
  if (a === null || b === null) return null;
  return new Map([...a].filter(([key, value]) => b.get(key) === value));
}

function addDisks(a: DiskAsset, b: DiskAsset): Partial<DiskAsset> {
  const costly = a.cost + b.cost > 0;
  return {
    cost: a.cost + b.cost,
    byteHours: a.byteHours + b.byteHours,
    local: costly ? weighted(a.local, assetCost(a), b.local, assetCost(b)) : (a.local + b.local) / 2,
    breakdown: addBreakdowns(a.breakdown, a.cost, b.breakdown, b.cost),
    storageClass: kept(a.storageClass, b.storageClass),
    byteHoursUsed: sumOrNull(a.byteHoursUsed, b.byteHoursUsed),
    byteUsageMax: null,
    volumeName: kept(a.volumeName, b.volumeName),
    claimName: kept(a.claimName, b.claimName),
    claimNamespace: kept(a.claimNamespace, b.claimNamespace),
  };
}

/** By weight, a missing one as all zeros; a's as it is when nothing has any weight. */
function addBreakdowns(
  a: Breakdown | null,
  weightA: number,
  b: Breakdown | null,
  weightB: number,
): Breakdown | null {
  if (weightA + weightB <= 0) return a;
  if (a === null && b === null) return null;
  const share = (name: 'idle' | 'other' | 'system' | 'user') =>
    weighted(a?.[name] ?? 0, weightA, b?.[name] ?? 0, weightB);
  return {
    version: Math.max(a?.version ?? 0, b?.version ?? 0),
    idle: share('idle'),
    other: share('other'),
    system: share('system'),
    user: share('user'),
  };
}

function addNodes(a: NodeAsset, b: NodeAsset): Partial<NodeAsset> {
  const listedA = a.cpuCost + a.ramCost;
  const listedB = b.cpuCost + b.ramCost;
  const discount =
    listedA + listedB > 0
      ? 1 - weighted(1 - a.discount, listedA, 1 - b.discount, listedB)
      : (a.discount + b.discount) / 2;
  // OpenCost has set a's discount to the common one by the time it weighs this.
  const weightA = assetCost({ ...a, discount }) - a.adjustment;
  const weightB = assetCost(b) - b.adjustment;
  const sums = {
    cpuCoreHours: a.cpuCoreHours + b.cpuCoreHours,
    ramByteHours: a.ramByteHours + b.ramByteHours,
    gpuHours: a.gpuHours + b.gpuHours,
    cpuCost: a.cpuCost + b.cpuCost,
    gpuCost: a.gpuCost + b.gpuCost,
    ramCost: a.ramCost + b.ramCost,
  };
  const total = assetCost({ ...a, ...sums, discount, adjustment: a.adjustment + b.adjustment });
  return {
    ...sums,
    nodeType: kept(a.nodeType, b.nodeType),
    discount,
    preemptible:
      weightA + weightB > 0
        ? weighted(a.preemptible, weightA, b.preemptible, weightB)
        : (a.preemptible + b.preemptible) / 2,
    cpuBreakdown: addBreakdowns(a.cpuBreakdown, a.cpuCost, b.cpuBreakdown, b.cpuCost),
    ramBreakdown: addBreakdowns(a.ramBreakdown, a.ramCost, b.ramBreakdown, b.ramCost),
    overhead: addOverheads(a, b, total),
  };
}

function addOverheads(a: NodeAsset, b: NodeAsset, total: number): NodeOverhead | null {
  if (a.overhead === null || b.overhead === null) return null;
  const cpu = weighted(a.overhead.cpuOverheadFraction, a.cpuCost, b.overhead.cpuOverheadFraction, b.cpuCost);
  const ram = weighted(a.overhead.ramOverheadFraction, a.ramCost, b.overhead.ramOverheadFraction, b.ramCost);
  const cost = cpu * (a.cpuCost + b.cpuCost) + ram * (a.ramCost + b.ramCost);
  return {
    version: Math.max(a.overhead.version, b.overhead.version),
    cpuOverheadFraction: cpu,
    ramOverheadFraction: ram,
    overheadCostFraction: total === 0 ? 0 : cost / total,
  };
}
