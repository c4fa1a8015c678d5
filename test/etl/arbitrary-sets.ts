import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { assetIdentity } from '../../etl/asset-identity';
import type { ByteString } from '../../etl/byte-string';
import { decodeSet, encodeSet } from '../../etl/file';
import type { Instant } from '../../etl/instant';
import { markedNames } from '../../etl/marks';
import type {
  Allocation,
  AllocationProperties,
  AllocationSet,
  Asset,
  AssetProperties,
  AssetSet,
  PVEntry,
  SetOf,
  TimeWindow,
} from '../../etl/model';
import { pipelineSpecs } from '../../etl/pipelines';
import { writeSet } from '../../etl/set-codec';
import { allocationVersions, assetVersions, windowVersions } from '../../etl/versions';
import type { Pipeline } from '../../etl/window';
import { Writer } from '../../etl/writer';

export interface SetOptions {
  /** Codec version of every structure. If undefined, each structure gets a random version. */
  version?: number;
  /**
   * Generates only sets like those that Kubecost agents write: every record is keyed by its identity, has the same
   * window as the set, and is not null.
   */
  regular?: boolean;
  /** Hours by which regular sets and their records extend past the end of the day. (Default: 0) */
  hours?: number;
  /**
   * Cluster names that records can have. With fewer names, records in different sets have the same identity more often.
   */
  clusters?: string[];
  /** Generates arbitrary floating-point numbers, including NaN and infinity, instead of realistic amounts of money. */
  anyNumbers?: boolean;
}

const day = 1794614400;

const oddStrings = ['', '__proto__', 'constructor', '__idle__', 'a/b', '\xff\xfe', '\0'];

const strings: fc.Arbitrary<ByteString> = fc.oneof(
  fc.constantFrom('app', 'team', 'x', ...oddStrings),
  fc.array(fc.nat(255), { maxLength: 6 }).map((bytes) => String.fromCharCode(...bytes)),
);

const instants: fc.Arbitrary<Instant> = fc.record({
  seconds: fc.oneof(fc.integer({ min: day, max: day + 86_400 }), fc.constant(-62135596800)),
  nanos: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
  zoneMinutes: fc.constantFrom(-1, 0, 330, -480),
  zoneSeconds: fc.constantFrom(null, null, null, 17, -5),
});

function nullable<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

function maps<T>(values: fc.Arbitrary<T>): fc.Arbitrary<Map<ByteString, T> | null> {
  return nullable(fc.array(fc.tuple(strings, values), { maxLength: 3 }).map((entries) => new Map(entries)));
}

const lists = nullable(fc.array(strings, { maxLength: 2 }));
const windowVersion = fc.integer({ min: windowVersions.oldest, max: windowVersions.newest });

const oddWindows: fc.Arbitrary<TimeWindow> = fc.record({
  version: windowVersion,
  start: nullable(instants),
  end: nullable(instants),
});

/**
 * Generates windows for regular sets. They all cover the same time span. Only the codec version and the time zone vary.
 */
function dayWindow({ hours = 0 }: SetOptions): fc.Arbitrary<TimeWindow> {
  return fc.tuple(windowVersion, fc.constantFrom(-1, 0)).map(([version, zone]) => ({
    version,
    start: { seconds: day, nanos: 0, zoneMinutes: zone, zoneSeconds: null },
    end: { seconds: day + 86_400 + hours * 3600, nanos: 0, zoneMinutes: zone, zoneSeconds: null },
  }));
}

/** Creates the generators that allocations and assets both need. */
function basics(range: { oldest: number; newest: number }, options: SetOptions) {
  const versions = fc.integer({ min: range.oldest, max: range.newest });
  return {
    version: options.version === undefined ? versions : fc.constant(options.version),
    number: options.anyNumbers
      ? fc.double()
      : fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true })),
    cluster: fc.constantFrom(...(options.clusters ?? ['alpha', 'beta'])),
    window: options.regular ? dayWindow(options) : fc.oneof(dayWindow(options), oddWindows),
  };
}

function arbitraryAllocation(options: SetOptions): fc.Arbitrary<Allocation> {
  const { version, number, cluster, window } = basics(allocationVersions, options);
  const properties: fc.Arbitrary<AllocationProperties> = fc.record({
    version,
    cluster,
    node: strings,
    container: fc.constantFrom('app', '__unmounted__'),
    controller: fc.constantFrom('', 'one', 'two'),
    controllerKind: strings,
    namespace: fc.constantFrom('default', 'kube-system'),
    pod: strings,
    services: lists,
    providerID: strings,
    labels: maps(strings),
    annotations: maps(strings),
    namespaceLabels: maps(strings),
    namespaceAnnotations: maps(strings),
  });
  const volumes: fc.Arbitrary<PVEntry[]> = fc.uniqueArray(
    fc.record({
      key: fc.record({ version, cluster, name: fc.constantFrom('pv-1', 'pv-2', '') }),
      value: nullable(fc.record({ version, byteHours: number, cost: number, providerID: strings })),
    }),
    { maxLength: 3, selector: ({ key }) => `${key.cluster}/${key.name}` },
  );
  const balancers = maps(
    nullable(
      fc.record({
        version,
        service: strings,
        cost: number,
        private: fc.boolean(),
        ip: strings,
        hours: number,
      }),
    ),
  );
  const raw = fc.record({
    version,
    cpuCoreUsageMax: number,
    ramBytesUsageMax: number,
    gpuUsageMax: nullable(number),
  });
  const gpu = fc.record({
    version,
    gpuDevice: strings,
    gpuModel: strings,
    gpuUUID: strings,
    isGpuShared: nullable(fc.boolean()),
    gpuUsageAverage: nullable(number),
    gpuRequestAverage: nullable(number),
  });
  return fc
    .tuple(cluster, fc.constantFrom('web', 'db', 'node/__idle__', 'team/__external__', '\xe4\xff'))
    .chain(([prefix, name]) =>
      fc.record({
        version,
        name: fc.constant(`${prefix}/${name}`),
        properties: nullable(properties),
        window,
        start: instants,
        end: instants,
        cpuCoreHours: number,
        cpuCoreRequestAverage: number,
        cpuCoreUsageAverage: number,
        cpuCost: number,
        cpuCostAdjustment: number,
        gpuHours: number,
        gpuCost: number,
        gpuCostAdjustment: number,
        networkTransferBytes: number,
        networkReceiveBytes: number,
        networkCost: number,
        networkCrossZoneCost: number,
        networkCrossRegionCost: number,
        networkInternetCost: number,
        networkCostAdjustment: number,
        loadBalancerCost: number,
        loadBalancerCostAdjustment: number,
        pvs: nullable(volumes),
        pvCostAdjustment: number,
        ramByteHours: number,
        ramBytesRequestAverage: number,
        ramBytesUsageAverage: number,
        ramCost: number,
        ramCostAdjustment: number,
        sharedCost: number,
        externalCost: number,
        rawAllocationOnly: nullable(raw),
        loadBalancers: balancers,
        deprecatedGpuRequestAverage: number,
        deprecatedGpuUsageAverage: number,
        gpuAllocation: nullable(gpu),
        cpuCoreLimitAverage: number,
        ramBytesLimitAverage: number,
        networkNatGatewayEgressCost: number,
        networkNatGatewayIngressCost: number,
      }),
    );
}

function arbitraryAsset(options: SetOptions): fc.Arbitrary<Asset> {
  const { version, number, cluster, window } = basics(assetVersions, options);
  const properties: fc.Arbitrary<AssetProperties> = fc.record({
    version,
    category: fc.constantFrom('Compute', 'Storage'),
    provider: fc.constant('AWS'),
    account: fc.constantFrom('', '1086'),
    project: fc.constant(''),
    service: fc.constant('Kubernetes'),
    cluster,
    name: fc.constantFrom('', 'one'),
    providerID: fc.constantFrom('', 'i-1'),
  });
  const base = {
    typeName: fc.constant(''),
    version,
    properties: options.regular ? properties : nullable(properties),
    labels: maps(strings),
    window,
  };
  const timed = { ...base, start: instants, end: instants, adjustment: number, cost: number };
  const { cost: _cost, ...withoutCost } = timed;
  const breakdown = nullable(
    fc.record({ version, idle: number, other: number, system: number, user: number }),
  );
  const overhead = fc.record({
    version,
    cpuOverheadFraction: number,
    ramOverheadFraction: number,
    overheadCostFraction: number,
  });
  const assets: fc.Arbitrary<Asset> = fc.oneof(
    fc.record({ type: fc.constant('Any' as const), ...timed }),
    fc.record({ type: fc.constant('Cloud' as const), ...timed, credit: number.map((value) => -value) }),
    fc.record({ type: fc.constant('ClusterManagement' as const), ...base, cost: number, adjustment: number }),
    fc.record({
      type: fc.constant('Disk' as const),
      ...timed,
      byteHours: number,
      local: number,
      breakdown,
      storageClass: strings,
      byteHoursUsed: nullable(number),
      byteUsageMax: nullable(number),
      volumeName: strings,
      claimName: strings,
      claimNamespace: strings,
    }),
    fc.record({ type: fc.constant('LoadBalancer' as const), ...timed, private: fc.boolean(), ip: strings }),
    fc.record({ type: fc.constant('Network' as const), ...timed }),
    fc.record({
      type: fc.constant('Node' as const),
      ...withoutCost,
      nodeType: strings,
      cpuCoreHours: number,
      ramByteHours: number,
      gpuHours: number,
      cpuBreakdown: breakdown,
      ramBreakdown: breakdown,
      cpuCost: number,
      gpuCost: number,
      gpuCount: number,
      ramCost: number,
      discount: options.anyNumbers ? number : fc.double({ min: 0, max: 1, noNaN: true }),
      preemptible: number,
      overhead: nullable(overhead),
    }),
    fc.record({ type: fc.constant('SharedAsset' as const), ...base, cost: number }),
  );
  const packages = [
    '*github.com/opencost/opencost/core/pkg/opencost',
    '*github.com/opencost/opencost/pkg/kubecost',
  ];
  return fc
    .tuple(assets, fc.constantFrom(...packages))
    .map(([asset, name]) => ({ ...asset, typeName: `${name}.${asset.type}` }));
}

/**
 * Generates the records of a set. If `regular` is true, each record is keyed by its identity. Otherwise, some records
 * have an arbitrary key or are null, and the whole map may be null.
 */
function entries<R>(
  record: fc.Arbitrary<R>,
  identity: (record: R) => ByteString,
  regular: boolean,
): fc.Arbitrary<Map<ByteString, R | null> | null> {
  const proper = record.map((made): [ByteString, R | null] => [identity(made), made]);
  const odd = fc.tuple(strings, nullable(record));
  const some = fc.array(regular ? proper : fc.oneof({ weight: 4, arbitrary: proper }, odd), { maxLength: 6 });
  const records = some.map((made) => new Map(made));
  return regular ? records : nullable(records);
}

function arbitraryAllocationSet(options: SetOptions): fc.Arbitrary<AllocationSet> {
  const { version, window } = basics(allocationVersions, options);
  const regular = options.regular ?? false;
  return fc
    .record({
      kind: fc.constant('allocations' as const),
      version,
      allocations: entries(arbitraryAllocation(options), (record) => record.name, regular),
      externalKeys: maps(fc.boolean()),
      idleKeys: maps(fc.boolean()),
      fromSource: strings,
      window,
      warnings: lists,
      errors: lists,
    })
    .map((set) => (regular ? { ...set, ...markedNames(pipelineSpecs.allocations, set.allocations) } : set));
}

function arbitraryAssetSet(options: SetOptions): fc.Arbitrary<AssetSet> {
  const { version, window } = basics(assetVersions, options);
  const regular = options.regular ?? false;
  const aggregations = fc.constantFrom<ByteString[] | null>(
    null,
    null,
    [],
    ['cluster'],
    ['type', 'label:app'],
  );
  return (regular ? fc.constant(null) : aggregations).chain((aggregationKeys) =>
    fc.record({
      kind: fc.constant('assets' as const),
      version,
      aggregationKeys: fc.constant(aggregationKeys),
      assets: entries(arbitraryAsset(options), (record) => assetIdentity(record, aggregationKeys), regular),
      fromSource: strings,
      window,
      warnings: lists,
      errors: lists,
    }),
  );
}

/**
 * Generates sets in which any field can have a value, even a field that does not exist in the structure's codec
 * version.
 */
export function arbitrarySetAnyFields<P extends Pipeline>(
  pipeline: P,
  options: SetOptions,
): fc.Arbitrary<SetOf[P]> {
  const made = pipeline === 'allocations' ? arbitraryAllocationSet(options) : arbitraryAssetSet(options);
  return made as unknown as fc.Arbitrary<SetOf[P]>;
}

/**
 * Generates sets that can be encoded without loss: fields that do not exist in the codec version are 0, empty or null.
 */
export function arbitrarySet<P extends Pipeline>(
  pipeline: P,
  options: SetOptions = {},
): fc.Arbitrary<SetOf[P]> {
  return arbitrarySetAnyFields(pipeline, options).map((set) => decodeSet(pipeline, encodeSet(set)));
}

/** How a file is encoded: as our own writer does it (`ours`), or in another way that readers must also accept. */
export type Writing = 'ours' | 'odd table' | 'no table' | 'empty table' | 'gzip';

/**
 * Generates files in the given encodings. Unless `options.regular` is true, some files contain a repeated key in their
 * maps of records and of strings.
 */
export function arbitraryFile<P extends Pipeline>(
  pipeline: P,
  options: SetOptions = {},
  writings: Writing[] = ['ours', 'ours', 'odd table', 'odd table', 'no table', 'empty table', 'gzip'],
): fc.Arbitrary<Buffer> {
  const repeats = options.regular ? fc.constant(false) : fc.nat(9).map((number) => number === 0);
  return fc
    .tuple(
      arbitrarySetAnyFields(pipeline, options),
      fc.constantFrom(...writings),
      repeats,
      fc.infiniteStream(fc.nat(9)),
    )
    .map(([set, writing, repeated, numbers]) => writeAs(repeated ? withRepeats(set) : set, writing, numbers));
}

function writeAs(set: AllocationSet | AssetSet, writing: Writing, numbers: Iterator<number>): Buffer {
  const writer =
    writing === 'odd table'
      ? new OddTableWriter(numbers)
      : writing.endsWith('table')
        ? new InPlaceWriter()
        : new Writer();
  writeSet(writer, set);
  const { bytes, tableLength } = writer.finish();
  if (writing === 'no table') return bytes.subarray(tableLength);
  return writing === 'gzip' ? gzipSync(bytes) : bytes;
}

/** Writes each string inline, at the place where it is used, so the string table stays empty. */
class InPlaceWriter extends Writer {
  override str(value: ByteString): void {
    this.raw(value);
  }
}

/** Writes a string table in which some entries are duplicates and some are not used. */
class OddTableWriter extends Writer {
  private readonly strings: ByteString[] = [];

  constructor(private readonly numbers: Iterator<number>) {
    super();
  }

  override str(value: ByteString): void {
    const number = Number(this.numbers.next().value);
    const known = this.strings.indexOf(value);
    if (number === 0) this.strings.push('spare');
    if (known >= 0 && number > 2) {
      this.i32(known);
    } else {
      this.strings.push(value);
      this.i32(this.strings.length - 1);
    }
  }

  override finish(): { bytes: Buffer; tableLength: number } {
    const body = super.finish();
    const table = new Writer();
    table.i32(0x54534742);
    table.i32(this.strings.length);
    for (const value of this.strings) table.raw(value);
    // `finish` puts an empty string table in front of the bytes. Remove it.
    const written = table.finish();
    const bytes = written.bytes.subarray(written.tableLength);
    return {
      bytes: Buffer.concat([bytes, body.bytes.subarray(body.tableLength)]),
      tableLength: bytes.length,
    };
  }
}

/**
 * A map that yields an additional entry at its end: the key of the first entry with the value of the last entry. So a
 * file that is written from this map contains a repeated key.
 */
class RepeatingMap<V> extends Map<ByteString, V> {
  override get size(): number {
    return super.size === 0 ? 0 : super.size + 1;
  }

  override *entries(): MapIterator<[ByteString, V]> {
    const all = [...super.entries()];
    yield* all;
    const [first, last] = [all[0], all.at(-1)];
    if (first !== undefined && last !== undefined) yield [first[0], last[1]];
    return undefined;
  }

  override [Symbol.iterator](): MapIterator<[ByteString, V]> {
    return this.entries();
  }
}

function withRepeats<S extends AllocationSet | AssetSet>(set: S): S {
  const labels = <V>(map: Map<ByteString, V> | null) => map && new RepeatingMap(map);
  if (set.kind === 'assets') {
    const assets = [...(set.assets ?? [])].map(
      ([key, record]) => [key, record && { ...record, labels: labels(record.labels) }] as const,
    );
    return { ...set, assets: set.assets && new RepeatingMap(assets) };
  }
  const allocations = [...(set.allocations ?? [])].map(
    ([key, record]) =>
      [
        key,
        record && {
          ...record,
          properties: record.properties && { ...record.properties, labels: labels(record.properties.labels) },
          pvs: record.pvs && [...record.pvs, ...record.pvs.slice(0, 1)],
        },
      ] as const,
  );
  return { ...set, allocations: set.allocations && new RepeatingMap(allocations) };
}
