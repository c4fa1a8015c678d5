import { assetFields, type Body } from './asset-codec';
import { mergeAssetProperties, sharedLabels } from './asset-properties';
import { addBreakdowns } from './breakdown';
import { assetCost, nodeCost } from './cost';
import { adding, nothingOwn, type Rule } from './field';
import { earlier, type Instant, later } from './instant';
import { weighted } from './merge-parts';
import type { AnyAsset, Asset, AssetOf, AssetType, TimeWindow } from './model';
import { addOverheads } from './overhead';
import { expandWindow } from './time-window';

/**
 * Adds asset `b` to `a` as OpenCost's asset types do. `a` is the one that was met first. The rule of each field is in
 * section 4 of the merge rules in docs/design/etl-format.md. Changes neither argument. Assets of different types become
 * an Any.
 *
 * @param windowSoFar the window that spans those of all sets up to and including the set of `b`. If the type of `a` has
 *   no start and end, they are taken from here.
 */
export function addAssets(a: Asset, b: Asset, windowSoFar: TimeWindow): Asset {
  if (a.type !== b.type) return addAsAny(a, b, windowSoFar);
  const add = adders[a.type] as unknown as Rule<Body<Asset>, void>;
  return { type: a.type, typeName: a.typeName, ...add(a, b) } as Asset;
}

type Fields = typeof assetFields;
type BodyOf<Type extends AssetType> = Body<AssetOf<Type>>;

/**
 * For each asset type, the function that adds two assets of this type. It receives their bodies: everything after the
 * type and the type name.
 */
const adders: { readonly [Type in AssetType]: Rule<BodyOf<Type>, void> } = {
  Any: adding<BodyOf<'Any'>, void, Fields['Any']>(assetFields.Any, nothingOwn),
  Cloud: adding<BodyOf<'Cloud'>, void, Fields['Cloud']>(assetFields.Cloud, nothingOwn),
  ClusterManagement: adding<BodyOf<'ClusterManagement'>, void, Fields['ClusterManagement']>(
    assetFields.ClusterManagement,
    nothingOwn,
  ),
  Disk: adding<BodyOf<'Disk'>, void, Fields['Disk']>(assetFields.Disk, addDisks),
  LoadBalancer: adding<BodyOf<'LoadBalancer'>, void, Fields['LoadBalancer']>(
    assetFields.LoadBalancer,
    nothingOwn,
  ),
  Network: adding<BodyOf<'Network'>, void, Fields['Network']>(assetFields.Network, nothingOwn),
  Node: adding<BodyOf<'Node'>, void, Fields['Node']>(assetFields.Node, addNodes),
  SharedAsset: adding<BodyOf<'SharedAsset'>, void, Fields['SharedAsset']>(
    assetFields.SharedAsset,
    nothingOwn,
  ),
};

function addDisks(a: BodyOf<'Disk'>, b: BodyOf<'Disk'>) {
  return {
    local:
      a.cost + b.cost > 0
        ? weighted(a.local, a.cost + a.adjustment, b.local, b.cost + b.adjustment)
        : (a.local + b.local) / 2,
    breakdown: addBreakdowns(a.breakdown, a.cost, b.breakdown, b.cost),
  };
}

function addNodes(a: BodyOf<'Node'>, b: BodyOf<'Node'>) {
  const listedA = a.cpuCost + a.ramCost;
  const listedB = b.cpuCost + b.ramCost;
  const discount =
    listedA + listedB > 0
      ? 1 - weighted(1 - a.discount, listedA, 1 - b.discount, listedB)
      : (a.discount + b.discount) / 2;
  // OpenCost replaces `a.discount` by the common discount before it computes this weight. So the common discount is
  // used here too, but only for `a`.
  const weightA = nodeCost({ ...a, discount }) - a.adjustment;
  const weightB = nodeCost(b) - b.adjustment;
  const total = nodeCost({
    cpuCost: a.cpuCost + b.cpuCost,
    gpuCost: a.gpuCost + b.gpuCost,
    ramCost: a.ramCost + b.ramCost,
    discount,
    adjustment: a.adjustment + b.adjustment,
  });
  return {
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

/** Adds two assets of different types. The result is an Any, so it has only the fields of that type. */
function addAsAny(a: Asset, b: Asset, windowSoFar: TimeWindow): AnyAsset {
  const [startA, endA] = extent(a, expandWindow(a.window, windowSoFar));
  const [startB, endB] = extent(b, b.window);
  const adjustmentA = a.type === 'SharedAsset' ? 0 : a.adjustment;
  const adjustmentB = b.type === 'SharedAsset' ? 0 : b.adjustment;
  return {
    type: 'Any',
    typeName: `${a.typeName.slice(0, a.typeName.lastIndexOf('.') + 1)}Any`,
    version: Math.max(a.version, b.version),
    properties: mergeAssetProperties(a.properties, b.properties),
    labels: sharedLabels(a.labels, b.labels),
    window: expandWindow(a.window, b.window),
    start: startA && startB ? earlier(startA, startB) : (startA ?? startB ?? zeroTime),
    end: endA && endB ? later(endA, endB) : (endA ?? endB ?? zeroTime),
    adjustment: adjustmentA + adjustmentB,
    cost: assetCost(a) - adjustmentA + (assetCost(b) - adjustmentB),
  };
}

/** Go's zero time, which is used if neither asset has a time. */
const zeroTime: Instant = { seconds: -62135596800, nanos: 0, zoneMinutes: -1, zoneSeconds: null };

/** Returns the start and end of an asset, or those of `window` if the asset's type has none. */
function extent(asset: Asset, window: TimeWindow): [Instant | null, Instant | null] {
  return 'start' in asset ? [asset.start, asset.end] : [window.start, window.end];
}
