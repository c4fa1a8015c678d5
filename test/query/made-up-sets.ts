import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { assetIdentity } from '../../etl/asset-identity';
import { toByteString } from '../../etl/byte-string';
import { encodeSet } from '../../etl/file';
import type { Instant } from '../../etl/instant';
import type {
  Allocation,
  AllocationProperties,
  Asset,
  AssetProperties,
  Breakdown,
  StringMap,
  TimeWindow,
} from '../../etl/model';
import { type Pipeline, windowId } from '../../etl/window';
import { type SortField, sortFields } from '../../query/derived';
import type { Comparator, Filter, FilterOperand } from '../../query/filter';
import {
  type Accumulation,
  allocationFields,
  type AllocationGroup,
  type AllocationRequest,
  assetFields,
  type AssetGroup,
  type AssetRequest,
  type Step,
} from '../../query/request';
import type { Span } from '../../query/span';
import { allocation, allocationSet, asset, assetSet } from '../etl/build-records';
import type { Stored, StoredWorld } from './reference/stored-sets';

/*
 * Generates small ETL data sets ("worlds"): a few clusters over a few days. They are full of corner cases:
 * - The same names occur in all clusters, and names contain the separators of keys.
 * - Some sets are missing.
 * - Some containers change their labels and controllers.
 * - Costs can be negative, NaN or infinite.
 * Amounts of money are multiples of 1/64. So sums are exact in any order, and costs that cancel out add up to 0.
 */

const hour = 3_600;
const day = 86_400;
/**
 * First day of all generated data: 2026-11-14, a Saturday. Weeks begin on Sunday, so data of two or three days belongs
 * to two different calendar weeks.
 */
export const firstDay = 1_794_614_400;

/* All generated data sets use the same few names and labels, so that filters and groupings often match something. */
export const clusterNames = ['c1', 'c2', 'arn:aws:eks:eu-west-1:1086:cluster/c3'];
const nodeNames = ['n1', 'n2', 'n3'];
const namespaces = ['x', 'y', 'kube-system', ''];
const pods = ['web-0', 'web-1', 'db-0', ''];
const containerNames = ['app', 'proxy', ''];
const services = ['front', 'back', 'größe'];
const keys = ['app', 'team', 'env', 'owner', 'department', '__proto__', 'größe'];
/** Node labels that can contain the region. If a node has several of them, the first one in this list is used. */
const regionKeys = [
  'topology_kubernetes_io_region',
  'label_topology_kubernetes_io_region',
  'failure_domain_beta_kubernetes_io_region',
  'label_failure_domain_beta_kubernetes_io_region',
];
const values = ['', 'a', 'b', 'ab', 'it\'s "odd"', 'ünï\u{1F600}', 'a/b', '\n%_\\'];
const controllers = [
  { controller: '', controllerKind: '' },
  { controller: 'web', controllerKind: 'deployment' },
  { controller: 'db', controllerKind: 'statefulset' },
  { controller: 'agent', controllerKind: 'daemonset' },
  { controller: 'nightly', controllerKind: 'job' },
  { controller: 'bare', controllerKind: '' },
];
/** In the key of a volume, each `:` of the name is replaced by `_`. So the last two volumes have the same key. */
const volumeNames = ['pv-1', 'pv:eu:2', 'pv_eu_2'];
const assetNames = ['one', 'two', ''];
const providers = ['AWS', 'GCP', ''];

function often<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

function nullable<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

/** Generates numbers with `usual`, but occasionally NaN or ±Infinity instead. */
function seldomOdd(usual: fc.Arbitrary<number>): fc.Arbitrary<number> {
  const odd = fc.constantFrom(NaN, Infinity, -Infinity);
  return fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

const soundMoney = fc.integer({ min: 0, max: 640 }).map((amount) => amount / 64);
const money = seldomOdd(soundMoney);
const maybeMoney = often(fc.constant(0), money);
const change = often(
  fc.constant(0),
  seldomOdd(fc.integer({ min: -32, max: 32 }).map((amount) => amount / 64)),
);
const amount = often(fc.integer({ min: 0, max: 4096 }), fc.constant(0));
const textMaps = nullable(
  fc
    .array(fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...values)), { maxLength: 3 })
    .map((pairs) => bytes(new Map(pairs))),
);

/** The values of a container in one set. They can differ between sets. */
interface Occurrence {
  readonly present: boolean;
  readonly controller: { readonly controller: string; readonly controllerKind: string };
  readonly services: string[] | null;
  readonly labels: StringMap | null;
  readonly annotations: StringMap | null;
  /** Start and end of the container's run, in quarters of the set's window. */
  readonly ran: readonly [number, number];
  readonly numbers: Partial<Allocation>;
  readonly volumes: readonly { name: string; cost: number; known: boolean }[];
  readonly balancers: readonly { name: string; cost: number }[];
  /** Whether the costs of the listed load balancers add up to the container's load balancer cost. */
  readonly balancersListed: boolean;
  readonly raw: { cpuCoreUsageMax: number; ramBytesUsageMax: number; gpuUsageMax: number | null } | null;
  readonly gpu: { usage: number | null; request: number | null } | null;
}

interface Container {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly providerID: string;
  readonly occurrences: readonly Occurrence[];
}

const occurrences: fc.Arbitrary<Occurrence> = fc.record({
  present: often(fc.constant(true), fc.constant(false)),
  controller: fc.constantFrom(...controllers),
  services: nullable(fc.uniqueArray(fc.constantFrom(...services), { maxLength: 2 })),
  labels: textMaps,
  annotations: textMaps,
  ran: fc.constantFrom<[number, number][]>([0, 4], [0, 4], [0, 4], [1, 3], [2, 4], [0, 1], [2, 2]),
  numbers: fc.record({
    cpuCoreHours: amount,
    cpuCoreRequestAverage: amount,
    cpuCoreUsageAverage: amount,
    cpuCoreLimitAverage: amount,
    cpuCost: often(money, change),
    cpuCostAdjustment: change,
    gpuHours: amount,
    gpuCost: maybeMoney,
    gpuCostAdjustment: change,
    networkTransferBytes: amount,
    networkReceiveBytes: amount,
    networkCost: maybeMoney,
    networkCrossZoneCost: maybeMoney,
    networkCrossRegionCost: maybeMoney,
    networkInternetCost: maybeMoney,
    networkNatGatewayEgressCost: maybeMoney,
    networkNatGatewayIngressCost: maybeMoney,
    networkCostAdjustment: change,
    loadBalancerCost: maybeMoney,
    loadBalancerCostAdjustment: change,
    pvCostAdjustment: change,
    ramByteHours: amount,
    ramBytesRequestAverage: amount,
    ramBytesUsageAverage: amount,
    ramBytesLimitAverage: amount,
    ramCost: often(money, fc.constant(0)),
    ramCostAdjustment: change,
    sharedCost: maybeMoney,
    externalCost: maybeMoney,
    deprecatedGpuRequestAverage: amount,
    deprecatedGpuUsageAverage: amount,
  }),
  volumes: fc.uniqueArray(
    fc.record({ name: fc.constantFrom(...volumeNames), cost: often(money, change), known: fc.boolean() }),
    { maxLength: 3, selector: ({ name }) => name },
  ),
  balancers: fc.uniqueArray(fc.record({ name: fc.constantFrom('x/front', 'y/back'), cost: money }), {
    maxLength: 2,
    selector: ({ name }) => name,
  }),
  balancersListed: fc.boolean(),
  raw: nullable(
    fc.record({ cpuCoreUsageMax: amount, ramBytesUsageMax: amount, gpuUsageMax: nullable(amount) }),
  ),
  gpu: often(fc.constant(null), fc.record({ usage: nullable(amount), request: nullable(amount) })),
});

const changing = fc.array(occurrences, { minLength: 1, maxLength: 3 });

const running: fc.Arbitrary<Container> = fc.record({
  node: often(fc.constantFrom(...nodeNames), fc.constantFrom('', 'gone')),
  namespace: fc.constantFrom(...namespaces),
  pod: fc.constantFrom(...pods),
  container: fc.constantFrom(...containerNames),
  providerID: fc.constantFrom('i-1', 'i-2', ''),
  occurrences: changing,
});

/**
 * Generates records for volumes and load balancers that no pod uses. Such a record belongs either to a volume claim or
 * only to the cluster.
 */
const unmounted: fc.Arbitrary<Container> = fc
  .tuple(fc.constantFrom('__unmounted__', 'x'), changing)
  .map(([namespace, some]) => ({
    node: '',
    namespace,
    pod: namespace === 'x' ? 'x-unmounted-pvcs' : '__unmounted__',
    container: '__unmounted__',
    providerID: '',
    occurrences: some.map((one, index) => ({
      ...one,
      // Only the record of the third set may have services, so most of these records have none.
      services: index === 2 ? one.services : null,
      controller: noController,
    })),
  }));
const noController = { controller: '', controllerKind: '' };

interface MadeUpAsset {
  /**
   * Makes the asset's record for one window. The asset's values differ between sets; `occurrence` is the index of the
   * set.
   */
  readonly build: (cluster: string, window: TimeWindow, occurrence: number) => Asset;
}

const breakdowns: fc.Arbitrary<Breakdown> = fc
  .record({ idle: fc.nat(4), other: fc.nat(4), system: fc.nat(4), user: fc.nat(4) })
  .map(({ idle, other, system, user }) => ({
    version: 21,
    idle: idle / 4,
    other: other / 4,
    system: system / 4,
    user: user / 4,
  }));

const overheads = fc.tuple(fc.nat(8), fc.nat(8), fc.nat(8)).map(([cpu, ram, cost]) => ({
  version: 21,
  cpuOverheadFraction: cpu / 8,
  ramOverheadFraction: ram / 8,
  overheadCostFraction: cost / 8,
}));

const assetLabels = nullable(
  fc
    .array(fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...values.slice(1))), { maxLength: 3 })
    .map((pairs) => bytes(new Map(pairs))),
);

const assetWords = fc.record({
  category: fc.constantFrom('Compute', 'Storage', ''),
  project: fc.constantFrom('p', ''),
  service: fc.constantFrom('Kubernetes', ''),
  providerID: fc.constantFrom('i-1', 'i-2', ''),
});
/** Generates the provider and the account of an asset. They may differ between sets. */
const billings = fc.record({
  provider: fc.constantFrom(...providers),
  account: fc.constantFrom('1086', ''),
});

const nodeLabels = fc
  .tuple(
    assetLabels,
    fc.uniqueArray(fc.tuple(fc.constantFrom(...regionKeys), fc.constantFrom('eu', 'eu', 'us', '')), {
      maxLength: 2,
      selector: ([key]) => key,
    }),
  )
  .map(([some, regions]): StringMap => new Map([...(some ?? []), ...regions]));

/**
 * Generates an asset that exists in every set. Its numbers differ between sets. Its labels, provider and account may
 * also differ.
 */
function lasting<N>(
  names: readonly string[],
  labels: fc.Arbitrary<StringMap | null>,
  numbers: fc.Arbitrary<N>,
  build: (base: AssetBase, numbers: N) => Asset,
): fc.Arbitrary<MadeUpAsset> {
  return fc
    .record({
      name: fc.constantFrom(...names),
      words: assetWords,
      billings: fc.array(billings, { minLength: 1, maxLength: 2 }),
      labels: fc.array(labels, { minLength: 1, maxLength: 2 }),
      numbers: fc.array(numbers, { minLength: 1, maxLength: 3 }),
    })
    .map((made) => ({
      build: (cluster, window, occurrence) => {
        const words = { ...made.words, ...pick(made.billings, occurrence) };
        const labels = pick(made.labels, occurrence);
        const properties = { version: 21, cluster, name: made.name, ...words };
        const { start, end } = window;
        if (start === null || end === null) throw new Error('a window with an open side');
        return build({ properties, labels, window, start, end }, pick(made.numbers, occurrence));
      },
    }));
}

interface AssetBase {
  readonly properties: AssetProperties;
  readonly labels: StringMap | null;
  readonly window: TimeWindow;
  readonly start: Instant;
  readonly end: Instant;
}

const nodeNumbers = fc.record({
  nodeType: fc.constantFrom('m5.large', 'm5.xlarge'),
  cpuCoreHours: amount,
  ramByteHours: amount,
  gpuHours: amount,
  cpuBreakdown: nullable(breakdowns),
  ramBreakdown: nullable(breakdowns),
  // Never 0: these costs are weights of a mean. The query contract does not define a mean if all weights are 0.
  cpuCost: soundMoney.map((cost) => cost + 1 / 64),
  gpuCost: maybeMoney,
  ramCost: soundMoney.map((cost) => cost + 1 / 64),
  gpuCount: fc.constantFrom(0, 1),
  adjustment: change,
  discount: fc.constantFrom(0, 0, 0.25, 0.3),
  preemptible: fc.constantFrom(0, 0, 0.5, 1),
  overhead: nullable(overheads),
});

const diskNumbers = fc.record({
  // Never 0: these costs are weights of a mean. The query contract does not define a mean if all weights are 0.
  cost: soundMoney.map((cost) => cost + 1 / 64),
  adjustment: change,
  byteHours: amount,
  byteHoursUsed: nullable(amount),
  byteUsageMax: nullable(amount),
  breakdown: nullable(breakdowns),
  storageClass: fc.constantFrom('gp2', 'gp3', ''),
  volumeName: fc.constantFrom('v', ''),
  claimName: fc.constantFrom('data', ''),
  claimNamespace: fc.constantFrom(...namespaces),
});

const plainNumbers = fc.record({ cost: money, adjustment: change });

const management = lasting(
  assetNames,
  assetLabels,
  plainNumbers,
  ({ start: _start, end: _end, ...base }, numbers) => asset('ClusterManagement', { ...base, ...numbers }),
);

const otherAssets: fc.Arbitrary<MadeUpAsset> = fc.oneof(
  lasting(assetNames, assetLabels, diskNumbers, (base, numbers) => asset('Disk', { ...base, ...numbers })),
  lasting(assetNames, assetLabels, plainNumbers, (base, numbers) =>
    asset('LoadBalancer', { ...base, ...numbers, private: true, ip: '203.0.113.7' }),
  ),
  lasting(assetNames, assetLabels, plainNumbers, (base, numbers) =>
    asset('Network', { ...base, ...numbers }),
  ),
  lasting(
    assetNames,
    assetLabels,
    fc.record({ cost: money, adjustment: change, credit: change }),
    (base, numbers) => asset('Cloud', { ...base, ...numbers }),
  ),
  { weight: 3, arbitrary: management },
  lasting(assetNames, assetLabels, plainNumbers, ({ start: _start, end: _end, ...base }, { cost }) =>
    asset('SharedAsset', { ...base, cost }),
  ),
);

/**
 * Randomly decides which sets of one day and one pipeline contain a cluster's records: whether the daily set does, and
 * which hourly sets do.
 */
const presences = fc.record({
  daily: often(fc.constant(true), fc.constant(false)),
  hours: often(
    fc.constant<number[]>([]),
    fc.oneof(
      fc.uniqueArray(fc.nat(23), { maxLength: 5 }),
      fc
        .tuple(fc.nat(20), fc.integer({ min: 1, max: 12 }))
        .map(([from, count]) => range(from, Math.min(24, from + count))),
    ),
  ),
});

interface MadeUpCluster {
  readonly containers: readonly Container[];
  readonly assets: readonly MadeUpAsset[];
  readonly allocationDays: readonly Presence[];
  readonly assetDays: readonly Presence[];
}

interface Presence {
  readonly daily: boolean;
  readonly hours: readonly number[];
}

function clusters(days: number): fc.Arbitrary<MadeUpCluster> {
  const nodes = fc
    .tuple(
      ...nodeNames.map((name) =>
        nullable(
          lasting([name], nodeLabels, nodeNumbers, (base, numbers) => asset('Node', { ...base, ...numbers })),
        ),
      ),
    )
    .map((some) => some.filter((one) => one !== null));
  return fc.record({
    containers: fc.array(often(running, unmounted), { minLength: 1, maxLength: 6, size: 'max' }),
    assets: fc
      .tuple(nodes, fc.array(otherAssets, { maxLength: 4, size: 'max' }))
      .map((parts) => parts.flat()),
    allocationDays: fc.array(presences, { minLength: days, maxLength: days }),
    assetDays: fc.array(presences, { minLength: days, maxLength: days }),
  });
}

/** Generates ETL data ("worlds") of one to three clusters and one to three days. */
export function madeUpWorlds(): fc.Arbitrary<StoredWorld> {
  return fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
    .chain(([days, count]) => fc.array(clusters(days), { minLength: count, maxLength: count }))
    .map((made) => ({
      allocations: buildSets(made, 'allocations', (cluster, name, window, at) =>
        cluster.containers.flatMap((container) => buildAllocation(container, name, window, at)),
      ).map(({ records, ...stored }) => ({
        ...stored,
        set: { ...allocationSet(records), window: timeWindow(stored) },
      })),
      assets: buildSets(made, 'assets', (cluster, name, window, at) =>
        cluster.assets.map((one) => one.build(name, window, at)),
      ).map(({ records, ...stored }) => ({
        ...stored,
        set: { ...assetSet([]), assets: byIdentity(records), window: timeWindow(stored) },
      })),
    }));
}

/** Makes a map of assets, keyed by their identity. Like a real ETL file, it has only one record per identity. */
function byIdentity(records: readonly Asset[]): Map<string, Asset> {
  return new Map(records.map((record) => [assetIdentity(record, null), record]));
}

/** The records of all clusters in one window. */
interface Built<R> extends Span {
  readonly resolution: string;
  readonly records: R[];
}

/** Puts the records of all clusters into one set per window, as a federation does. */
function buildSets<R>(
  made: readonly MadeUpCluster[],
  pipeline: Pipeline,
  build: (cluster: MadeUpCluster, name: string, window: TimeWindow, occurrence: number) => R[],
): Built<R>[] {
  const sets = new Map<string, Built<R>>();
  made.forEach((cluster, index) => {
    const days = pipeline === 'allocations' ? cluster.allocationDays : cluster.assetDays;
    windowsOf(days).forEach(({ resolution, ...span }, occurrence) => {
      const key = `${resolution} ${span.start}`;
      const set = sets.get(key) ?? { ...span, resolution, records: [] };
      sets.set(key, set);
      set.records.push(...build(cluster, clusterNames[index] ?? '', timeWindow(span), occurrence));
    });
  });
  return [...sets.values()];
}

function windowsOf(days: readonly Presence[]): (Span & { resolution: string })[] {
  return days.flatMap(({ daily, hours }, index) => {
    const start = firstDay + index * day;
    const whole = daily ? [{ start, end: start + day, resolution: '1d' }] : [];
    const parts = hours.map((at) => ({
      start: start + at * hour,
      end: start + (at + 1) * hour,
      resolution: '1h',
    }));
    return [...whole, ...parts];
  });
}

function buildAllocation(
  container: Container,
  cluster: string,
  window: TimeWindow,
  at: number,
): Allocation[] {
  const { occurrences: all, ...words } = container;
  const now = pick(all, at);
  if (!now.present || window.start === null || window.end === null) return [];
  const quarter = (window.end.seconds - window.start.seconds) / 4;
  const hasLabels = words.namespace !== '' && words.container !== '__unmounted__';
  const properties: AllocationProperties = {
    version: 25,
    cluster,
    ...words,
    ...now.controller,
    services: now.services && now.services.map(toByteString),
    labels: now.labels,
    annotations: now.annotations,
    // All clusters use the same labels for a namespace. The query contract does not define the answer if they differ.
    namespaceLabels: hasLabels ? labelsOfNamespace(words.namespace) : null,
    namespaceAnnotations: null,
  };
  const gpu = now.gpu && {
    ...{ version: 25, gpuDevice: 'nvidia0', gpuModel: 'T4', gpuUUID: `gpu-${cluster}`, isGpuShared: false },
    gpuUsageAverage: now.gpu.usage,
    gpuRequestAverage: now.gpu.request,
  };
  const listed = now.balancers.reduce((sum, { cost }) => sum + cost, 0);
  const name = [cluster, words.node, words.namespace, words.pod, words.container].join('/');
  return [
    allocation(name, {
      ...now.numbers,
      ...(words.container === '__unmounted__' && { cpuCost: 0, ramCost: 0, gpuCost: 0 }),
      ...(now.balancersListed && Number.isFinite(listed) && { loadBalancerCost: listed }),
      properties,
      window,
      start: instant(window.start.seconds + now.ran[0] * quarter),
      end: instant(window.start.seconds + now.ran[1] * quarter),
      pvs: now.volumes.map((volume) => ({
        key: { version: 25, cluster, name: volume.name },
        value: {
          version: 25,
          byteHours: volume.cost * 128,
          cost: volume.cost,
          providerID: volume.known ? `vol-${volume.name.replaceAll(':', '_')}` : '',
        },
      })),
      loadBalancers: new Map(
        now.balancers.map((balancer) => [
          balancer.name,
          {
            ...{ version: 25, service: balancer.name, private: false, ip: '203.0.113.7', hours: 24 },
            cost: balancer.cost,
          },
        ]),
      ),
      rawAllocationOnly: now.raw && { version: 25, ...now.raw },
      gpuAllocation: gpu,
    }),
  ];
}

function labelsOfNamespace(namespace: string): StringMap {
  const team = namespace === 'x' ? [['team', 'a'] as const] : [];
  return new Map([['kubernetes_name', namespace], ...team]);
}

function pick<T>(all: readonly T[], at: number): T {
  const picked = all[at % all.length];
  if (picked === undefined) throw new Error('no values to pick from');
  return picked;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function bytes(map: ReadonlyMap<string, string>): StringMap {
  return new Map([...map].map(([key, value]) => [toByteString(key), toByteString(value)]));
}

/** Converts Unix seconds to an instant of an ETL file. */
export function instant(seconds: number): Instant {
  return { seconds, nanos: 0, zoneMinutes: -1, zoneSeconds: null };
}

/** Converts a span to a window of an ETL file. */
export function timeWindow({ start, end }: Span): TimeWindow {
  return { version: 18, start: instant(start), end: instant(end) };
}

/* Generators of requests. */

/**
 * Generates windows of whole days, of whole hours, or of multiples of ten minutes. Some begin before the data or end
 * after it.
 */
const windows: fc.Arbitrary<Span> = fc.oneof(
  { weight: 3, arbitrary: spans(day, -1, 4) },
  { weight: 2, arbitrary: spans(hour, -3, 75) },
  { weight: 1, arbitrary: spans(600, 0, 300) },
);

function spans(unit: number, from: number, to: number): fc.Arbitrary<Span> {
  return fc
    .tuple(fc.integer({ min: from, max: to - 1 }), fc.integer({ min: 1, max: to - from }))
    .map(([start, length]) => ({ start, end: Math.min(to, start + length) }))
    .map(({ start, end }) => ({ start: firstDay + start * unit, end: firstDay + end * unit }));
}

/** Generates a step together with an accumulation. Each accumulated period consists of whole steps. */
const cuts: fc.Arbitrary<{ step: Step; accumulate: Accumulation }> = fc.constantFrom(
  { step: 'window', accumulate: 'none' },
  { step: 'window', accumulate: 'all' },
  { step: { seconds: day }, accumulate: 'none' },
  { step: { seconds: hour }, accumulate: 'none' },
  { step: { seconds: day }, accumulate: 'all' },
  { step: { seconds: 6 * hour }, accumulate: 'all' },
  { step: { seconds: hour }, accumulate: 'hour' },
  { step: { seconds: day }, accumulate: 'day' },
  { step: { seconds: hour }, accumulate: 'day' },
  { step: { seconds: day }, accumulate: 'week' },
  { step: { seconds: day }, accumulate: 'month' },
  { step: { seconds: day }, accumulate: 'quarter' },
  { step: { seconds: day }, accumulate: 'weeknow' },
);

const someKeys = fc.constantFrom(...keys);

const groups: fc.Arbitrary<AllocationGroup> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...allocationFields).map((field) => ({ kind: 'field' as const, field })),
  },
  fc.record({
    kind: fc.constantFrom('label' as const, 'annotation' as const, 'alias' as const),
    key: someKeys,
  }),
  fc.constantFrom('kubernetes_name', 'team').map((key) => ({ kind: 'namespaceLabel' as const, key })),
);

const comparators = fc.constantFrom<Comparator[]>('equals', 'equals', 'contains', 'startsWith', 'endsWith');

/**
 * Makes the left side of a comparison, such as a field. `texts` are values that the left side is likely to have.
 * Filters compare it with these values.
 */
function operand(left: FilterOperand, ...texts: readonly string[]) {
  return { left, texts: [...texts, 'a', ''] };
}

function fieldOperand(field: string, ...texts: readonly string[]) {
  return operand({ kind: 'field', field }, ...texts);
}

/** Makes the left sides of comparisons with labels, annotations or aliases: one for each key. */
function metadataOperands(...kinds: readonly ('label' | 'annotation' | 'alias')[]) {
  return kinds.flatMap((kind) => keys.map((key) => operand({ kind, key }, ...values)));
}

/**
 * Generates filters that compare the given operands. The compared values are chosen so that filters often match
 * something.
 */
function filters(operands: readonly ReturnType<typeof operand>[]): fc.Arbitrary<Filter> {
  const comparisons = fc.constantFrom(...operands).chain(({ left, texts }) =>
    fc.record({
      kind: fc.constant('compare' as const),
      left: fc.constant(left),
      comparator: comparators,
      values: fc.array(fc.constantFrom(...texts), { minLength: 1, maxLength: 2 }),
    }),
  );
  return fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      { weight: 3, arbitrary: comparisons },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('not' as const), part: tie('filter') }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          parts: fc.array(tie('filter'), { minLength: 1, maxLength: 2 }),
        }),
      },
    ),
  })).filter;
}

const keyOperands = [operand({ kind: 'labelKeys' }, ...keys), operand({ kind: 'annotationKeys' }, ...keys)];
const allocationFieldOperands = [
  fieldOperand('cluster', ...clusterNames),
  fieldOperand('node', ...nodeNames),
  fieldOperand('namespace', ...namespaces),
  fieldOperand('controllerName', 'web', 'db'),
  fieldOperand('controllerKind', 'deployment', 'job'),
  fieldOperand('container', ...containerNames, '__unmounted__'),
  fieldOperand('pod', ...pods),
  operand({ kind: 'services' }, ...services),
];

/** Generates filters for allocations. */
export const allocationFilters = fc.oneof(
  filters(allocationFieldOperands),
  filters([...metadataOperands('label', 'annotation', 'alias'), ...keyOperands]),
);

/** Generates the offset and limit of a page. Some pages have no limit. */
export const pages: fc.Arbitrary<{ readonly offset: number; readonly limit?: number }> = fc.oneof(
  fc.record({ offset: fc.nat(6), limit: fc.nat(4) }),
  fc.record({ offset: fc.nat(6) }),
);

/** Generates allocation requests for the generated data. All of them have the offset 0 and no limit. */
export const allocationRequests: fc.Arbitrary<AllocationRequest> = fc
  .record({
    window: windows,
    cut: cuts,
    groups: fc.array(groups, { maxLength: 3 }),
    filter: often(fc.constant(undefined), allocationFilters),
    idle: fc.record({
      include: fc.boolean(),
      byNode: fc.boolean(),
      split: fc.boolean(),
      share: fc.boolean(),
    }),
    sharing: fc.record({
      namespaces: often(
        fc.constant<string[]>([]),
        fc.uniqueArray(fc.constantFrom(...namespaces.slice(1)), { maxLength: 2 }),
      ),
      labels: often(
        fc.constant<{ key: string; value: string }[]>([]),
        fc.array(fc.record({ key: someKeys, value: fc.constantFrom(...values.slice(1)) }), { maxLength: 2 }),
      ),
      monthlyCost: often(fc.constant(0), fc.constant(73)),
      split: fc.constantFrom('weighted' as const, 'even' as const),
      tenancy: often(fc.constant(false), fc.constant(true)),
    }),
    aggregatedMetadata: fc.boolean(),
    reconcile: often(fc.constant(true), fc.constant(false)),
    details: often(fc.constant(true), fc.constant(false)),
    volumes: often(fc.constant(true), fc.constant(false)),
    sort: fc.record({
      by: often<SortField>(fc.constant('totalCost'), fc.constantFrom(...sortFields)),
      descending: often(fc.constant(true), fc.constant(false)),
    }),
    now: fc.constantFrom(firstDay + 10 * day, firstDay + 30 * hour),
  })
  .map(({ cut, ...request }) => ({ ...request, ...cut, offset: 0 }));

const assetFieldOperands = [
  fieldOperand('cluster', ...clusterNames),
  fieldOperand('name', ...nodeNames, ...assetNames),
  fieldOperand('assetType', 'node', 'Disk', 'NETWORK', 'ClusterManagement', 'oa'),
  fieldOperand('category', 'Compute', 'Storage'),
  fieldOperand('provider', ...providers),
  fieldOperand('providerID', 'i-1'),
  fieldOperand('account', '1086'),
  fieldOperand('project', 'p'),
  fieldOperand('service', 'Kubernetes'),
];

/** Generates filters for assets. */
export const assetFilters = fc.oneof(
  filters(assetFieldOperands),
  filters([...metadataOperands('label', 'alias'), operand({ kind: 'labelKeys' }, ...keys)]),
);

const assetGroups: fc.Arbitrary<AssetGroup> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...assetFields).map((field) => ({ kind: 'field' as const, field })),
  },
  fc.record({ kind: fc.constantFrom('label' as const, 'alias' as const), key: someKeys }),
);

/** Generates asset requests for the generated data. All of them have the offset 0 and no limit. */
export const assetRequests: fc.Arbitrary<AssetRequest> = fc
  .record({
    window: windows,
    cut: cuts,
    groups: fc.option(fc.array(assetGroups, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    filter: often(fc.constant(undefined), assetFilters),
    disableAdjustments: fc.boolean(),
    now: fc.constant(firstDay + 10 * day),
  })
  .map(({ cut, ...request }) => ({ ...request, ...cut, offset: 0 }));

/* Conversion of generated data to files. */

/** Writes generated data as an ETL folder, with files at `<folder>/bingen/<pipeline>/<resolution>/<start>-<end>`. */
export async function writeWorld(world: StoredWorld, folder: string): Promise<void> {
  for (const { path, bytes: content } of worldFiles(world)) {
    const file = join(folder, 'bingen', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** Encodes the generated sets as files. Their paths are relative to the folder `bingen`. */
export function worldFiles(world: StoredWorld): { path: string; bytes: Buffer }[] {
  const fileOf = (
    pipeline: Pipeline,
    { start, end, resolution, set }: Stored<Parameters<typeof encodeSet>[0]>,
  ) => ({
    path: windowId({ pipeline, resolution, window: { start, end } }),
    bytes: encodeSet(set),
  });
  return [
    ...world.allocations.map((stored) => fileOf('allocations', stored)),
    ...world.assets.map((stored) => fileOf('assets', stored)),
  ];
}
