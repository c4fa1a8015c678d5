import { bool, type Codec, embedded, f64, map, optional, since, str, struct } from './codec';
import type {
  AnyAsset,
  Asset,
  AssetProperties,
  AssetType,
  Breakdown,
  CloudAsset,
  ClusterManagementAsset,
  DiskAsset,
  LoadBalancerAsset,
  NetworkAsset,
  NodeAsset,
  NodeOverhead,
  SharedAsset,
} from './model';
import { corrupt } from './refusal';
import { time, window } from './time-codec';
import { assetVersions } from './versions';

/** An asset without what stands before its structure. */
type Body<A extends Asset> = Omit<A, 'type' | 'typeName'>;

const labels = map(str);

const propertyFields = {
  category: str,
  provider: str,
  account: str,
  project: str,
  service: str,
  cluster: str,
  name: str,
  providerID: str,
};

/** The properties of an asset in wire order; each is one string. */
export const propertyOrder = Object.keys(propertyFields) as (keyof AssetProperties)[];

const properties = optional(embedded(struct<AssetProperties>(assetVersions, propertyFields)));

const breakdown = optional(
  embedded(struct<Breakdown>(assetVersions, { idle: f64, other: f64, system: f64, user: f64 })),
);

const overhead = optional(
  embedded(
    struct<NodeOverhead>(assetVersions, {
      cpuOverheadFraction: f64,
      ramOverheadFraction: f64,
      overheadCostFraction: f64,
    }),
  ),
);

const times = { start: time, end: time, window, adjustment: f64 };

/** Mind labels before properties in the first four, properties before labels in the others. */
const bodies = {
  Any: struct<Body<AnyAsset>>(assetVersions, { labels, properties, ...times, cost: f64 }),
  Cloud: struct<Body<CloudAsset>>(assetVersions, { labels, properties, ...times, cost: f64, credit: f64 }),
  ClusterManagement: struct<Body<ClusterManagementAsset>>(assetVersions, {
    labels,
    properties,
    window,
    cost: f64,
    adjustment: f64,
  }),
  Disk: struct<Body<DiskAsset>>(assetVersions, {
    labels,
    properties,
    ...times,
    cost: f64,
    byteHours: f64,
    local: f64,
    breakdown,
    storageClass: since(17, str, ''),
    byteHoursUsed: since(18, optional(f64), null),
    byteUsageMax: since(18, optional(f64), null),
    volumeName: since(18, str, ''),
    claimName: since(18, str, ''),
    claimNamespace: since(18, str, ''),
  }),
  LoadBalancer: struct<Body<LoadBalancerAsset>>(assetVersions, {
    properties,
    labels,
    ...times,
    cost: f64,
    private: since(20, bool, false),
    ip: since(21, str, ''),
  }),
  Network: struct<Body<NetworkAsset>>(assetVersions, { properties, labels, ...times, cost: f64 }),
  Node: struct<Body<NodeAsset>>(assetVersions, {
    properties,
    labels,
    ...times,
    nodeType: str,
    cpuCoreHours: f64,
    ramByteHours: f64,
    gpuHours: f64,
    cpuBreakdown: breakdown,
    ramBreakdown: breakdown,
    cpuCost: f64,
    gpuCost: f64,
    gpuCount: f64,
    ramCost: f64,
    discount: f64,
    preemptible: f64,
    overhead: since(19, overhead, null),
  }),
  SharedAsset: struct<Body<SharedAsset>>(assetVersions, { properties, labels, window, cost: f64 }),
};

function bodyOf(type: AssetType): Codec<Body<Asset>> {
  return bodies[type];
}

function isAssetType(name: string): name is AssetType {
  return Object.hasOwn(bodies, name);
}

/** An asset: its type name (in place, even in files with a table), a compatibility word, its structure. */
export const asset: Codec<Asset> = {
  shape: { kind: 'named', bodies },
  least: 2 + 4 + Math.min(...Object.values(bodies).map((body) => body.least)),
  read: (reader) => {
    const at = reader.position;
    const typeName = reader.raw();
    const type = typeName.slice(typeName.lastIndexOf('.') + 1);
    if (!isAssetType(type)) throw corrupt(at, 'An asset of a type that nobody knows.');
    reader.i32();
    return { type, typeName, ...bodyOf(type).read(reader) } as Asset;
  },
  write: (writer, value) => {
    writer.raw(value.typeName);
    writer.i32(0);
    bodyOf(value.type).write(writer, value);
  },
};

/** The highest codec version of an asset and its parts, windows aside. */
export function assetVersion(record: Asset): number {
  const parts =
    record.type === 'Disk'
      ? [record.breakdown]
      : record.type === 'Node'
        ? [record.cpuBreakdown, record.ramBreakdown, record.overhead]
        : [];
  return Math.max(
    record.version,
    record.properties?.version ?? 0,
    ...parts.map((part) => part?.version ?? 0),
  );
}
