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
 * Adds asset `b` to `a` by the rules of OpenCost's asset types. `a` comes from the earlier input of the merge. If the
 * two types differ, the sum has the type Any. Does not change `a` or `b`. Section 4 of docs/design/etl-format.md lists
 * the rule for each field.
 *
 * @param windowSoFar the time span of the inputs merged so far, including the input of `b`. It is used only if the two
 *   types differ and the type of `a` has no start and end. It then supplies the start and end of `a`.
 */
export function addAssets(a: Asset, b: Asset, windowSoFar: TimeWindow): Asset {
  if (a.type !== b.type) return addAsAny(a, b, windowSoFar);
  const add = adders[a.type] as unknown as Rule<Body<Asset>, void>;
  return { type: a.type, typeName: a.typeName, ...add(a, b) } as Asset;
}

type Fields = typeof assetFields;
type BodyOf<Type extends AssetType> = Body<AssetOf<Type>>;

/**
 * For each asset type, a function that adds two assets of that type. The assets are passed without `type` and
 * `typeName`.
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
  // OpenCost computes the two weights differently: that of `a` with the combined `discount`, that of `b` with the
  // discount of `b`. Do the same.
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

/** Adds two assets of different types. The sum has the type Any, so fields that Any does not have are lost. */
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

/**
 * Go's zero time. It becomes the start of a sum if neither asset has a start, and the end if neither asset has an end.
 */
const zeroTime: Instant = { seconds: -62135596800, nanos: 0, zoneMinutes: -1, zoneSeconds: null };

/** Returns the start and end of an asset, or the start and end of `window` if assets of this type have none. */
function extent(asset: Asset, window: TimeWindow): [Instant | null, Instant | null] {
  return 'start' in asset ? [asset.start, asset.end] : [window.start, window.end];
}
