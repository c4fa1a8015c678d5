import { assetProperties, mergeAssetProperties, sharedLabels } from './asset-properties';
import { breakdown } from './breakdown';
import { bool, type Codec, f64, hours, map, optional, since, str } from './codec';
import { described, type Description, field, ownField } from './field';
import { hoursIn } from './hours-in';
import { earlier, later } from './instant';
import { dropped, first, kept, sum, sumOrNull } from './merge-parts';
import type { Asset, AssetOf, AssetType } from './model';
import { overhead } from './overhead';
import { highestVersionOf } from './part-versions';
import { corrupt } from './refusal';
import { time, window as windowCodec } from './time-codec';
import { expandWindow } from './time-window';
import { assetVersions } from './versions';

/** The fields of an asset except `type` and `typeName`. In a file, the type name precedes them. */
export type Body<A extends Asset> = Omit<A, 'type' | 'typeName'>;

const labels = field(map(str), sharedLabels);
const properties = field(assetProperties, mergeAssetProperties);
const window = field(windowCodec, expandWindow);
const adjustment = field(f64, sum);
const times = { start: field(time, earlier), end: field(time, later), window, adjustment };
const cost = field(f64, sum);

/**
 * All fields of each asset type, in file order. Some types store labels before properties, the others after them.
 * Fields described by `ownField` are averages weighted by cost. To combine two averages, `addAssets` also uses the cost
 * fields of the assets.
 */
export const assetFields = {
  Any: { labels, properties, ...times, cost },
  Cloud: { labels, properties, ...times, cost, credit: field(f64, sum) },
  ClusterManagement: { labels, properties, window, cost, adjustment },
  Disk: {
    labels,
    properties,
    ...times,
    cost,
    byteHours: field(hours('diskByteHours'), sum),
    local: ownField(f64),
    breakdown: ownField(breakdown),
    storageClass: field(since(17, str, ''), kept),
    byteHoursUsed: field(since(18, optional(f64), null), sumOrNull),
    byteUsageMax: field(since(18, optional(f64), null), dropped),
    volumeName: field(since(18, str, ''), kept),
    claimName: field(since(18, str, ''), kept),
    claimNamespace: field(since(18, str, ''), kept),
  },
  LoadBalancer: {
    properties,
    labels,
    ...times,
    cost,
    private: field(since(20, bool, false), first),
    ip: field(since(21, str, ''), first),
  },
  Network: { properties, labels, ...times, cost },
  Node: {
    properties,
    labels,
    ...times,
    nodeType: field(str, kept),
    cpuCoreHours: field(hours('cpuCoreHours'), sum),
    ramByteHours: field(hours('ramByteHours'), sum),
    gpuHours: field(hours('gpuHours'), sum),
    cpuBreakdown: ownField(breakdown),
    ramBreakdown: ownField(breakdown),
    cpuCost: field(f64, sum),
    gpuCost: field(f64, sum),
    gpuCount: field(f64, first),
    ramCost: field(f64, sum),
    discount: ownField(f64),
    preemptible: ownField(f64),
    overhead: ownField(since(19, overhead, null)),
  },
  SharedAsset: { properties, labels, window, cost },
} satisfies { [Type in AssetType]: Description<Body<AssetOf<Type>>, void> };

function body<Type extends AssetType>(type: Type): Codec<Body<AssetOf<Type>>> {
  return described<Body<AssetOf<Type>>>(
    assetVersions,
    assetFields[type] as unknown as Description<Body<AssetOf<Type>>, never>,
  );
}

const bodies: { readonly [Type in AssetType]: Codec<Body<AssetOf<Type>>> } = {
  Any: body('Any'),
  Cloud: body('Cloud'),
  ClusterManagement: body('ClusterManagement'),
  Disk: body('Disk'),
  LoadBalancer: body('LoadBalancer'),
  Network: body('Network'),
  Node: body('Node'),
  SharedAsset: body('SharedAsset'),
};

function bodyOf(type: AssetType): Codec<Body<Asset>> {
  return bodies[type];
}

function isAssetType(name: string): name is AssetType {
  return Object.hasOwn(bodies, name);
}

/**
 * Codec of an asset: the name of its Go type, a 32-bit compatibility word, then the structure of that type. The name is
 * stored inline, even if the file has a string table.
 */
export const asset: Codec<Asset> = {
  shape: { kind: 'named', bodies },
  least: 2 + 4 + Math.min(...Object.values(bodies).map(({ least }) => least)),
  read: (reader) => {
    const at = reader.position;
    const typeName = reader.raw();
    const type = typeName.slice(typeName.lastIndexOf('.') + 1);
    if (!isAssetType(type)) throw corrupt(at, 'An asset of an unknown type.');
    reader.i32();
    return { type, typeName, ...bodyOf(type).read(reader) } as Asset;
  },
  write: (writer, value) => {
    writer.raw(value.typeName);
    writer.i32(0);
    bodyOf(value.type).write(writer, value);
  },
};

/** Returns the highest codec version among an asset and its parts. Ignores time windows, which have their own codec. */
export const assetVersion = highestVersionOf(asset);

/** Adds up the resource hours of an asset. Only nodes and disks have any. */
export const assetHours = hoursIn(asset);
