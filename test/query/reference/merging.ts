import { type GpuUse, type LoadBalancerUse, type PersistentVolumeUse } from '../../../query/answer';
import { type Measure, measures } from '../../../query/measures';
import { firstMember, type Piece, type PieceProperties, someProperties } from './piece';

/**
 * Measures that are averages. When two rows are merged, their averages are weighted by the durations of the rows. All
 * other measures are added up.
 */
const averages: readonly Measure[] = [
  'cpuCoreRequestAverage',
  'cpuCoreUsageAverage',
  'cpuCoreLimitAverage',
  'ramByteRequestAverage',
  'ramByteUsageAverage',
  'ramByteLimitAverage',
  'gpuRequestAverage',
  'gpuUsageAverage',
];

/** Merges the records of one container from two sets. `b` must be from the later set. */
export function mergeOverSets(a: Piece, b: Piece): Piece {
  const [before, after] = [firstMember(a), firstMember(b)];
  const properties: PieceProperties = {
    ...commonProperties([before, after], false),
    services: [...new Set([...before.services, ...after.services])],
    labels: new Map([...before.labels, ...after.labels]),
    annotations: new Map([...before.annotations, ...after.annotations]),
  };
  return { ...mergePieces(a, b), members: [properties], raw: largerMaxima(a.raw, b.raw) };
}

/** Merges two allocations, groups or idle costs. The result has the name of the first. */
export function mergePieces(a: Piece, b: Piece): Piece {
  const start = Math.min(a.start, b.start);
  const end = Math.max(a.end, b.end);
  const average = (ofA: number, ofB: number) =>
    end === start ? 0 : (ofA * (a.end - a.start) + ofB * (b.end - b.start)) / (end - start);
  const numbers = { ...a.numbers };
  for (const measure of measures) {
    const [ofA, ofB] = [a.numbers[measure], b.numbers[measure]];
    numbers[measure] = averages.includes(measure) ? average(ofA, ofB) : ofA + ofB;
  }
  return {
    name: a.name,
    members: [...a.members, ...b.members],
    start,
    end,
    numbers,
    pvs: union(a.pvs, b.pvs, mergeVolumes),
    balancers: union(a.balancers, b.balancers, mergeBalancers),
    gpu: mergeGpus(a.gpu, b.gpu, numbers),
    raw: null,
  };
}

type TextField = 'cluster' | 'node' | 'container' | 'controllerKind' | 'namespace' | 'pod' | 'providerID';

/**
 * Returns the properties that all members have in common. A single member keeps all of its properties. Common labels
 * and annotations are kept only if `aggregatedMetadata` is true and all members are in the same namespace.
 */
export function commonProperties(
  members: readonly PieceProperties[],
  aggregatedMetadata: boolean,
): PieceProperties {
  const [first] = members;
  if (first === undefined) return someProperties({});
  if (members.length === 1) return first;
  const kept = (field: TextField) =>
    members.every((member) => member[field] === first[field]) ? first[field] : '';
  const sameNamespace = kept('namespace') !== '';
  const mounted = members.find(({ container }) => container !== '__unmounted__') ?? first;
  const metadata = aggregatedMetadata && sameNamespace;
  return {
    cluster: kept('cluster'),
    node: kept('node'),
    container: kept('container'),
    namespace: kept('namespace'),
    pod: kept('pod'),
    providerID: kept('providerID'),
    controller: commonController(members),
    controllerKind: kept('controllerKind'),
    services: [],
    labels: metadata ? commonPairs(members.map(({ labels }) => labels)) : new Map(),
    annotations: metadata ? commonPairs(members.map(({ annotations }) => annotations)) : new Map(),
    namespaceLabels: sameNamespace ? mounted.namespaceLabels : new Map(),
    namespaceAnnotations: sameNamespace ? mounted.namespaceAnnotations : new Map(),
  };
}

/**
 * Returns the controller that all members have. If the members have different controllers:
 * - If all members belong to one container, whose controller has changed over time, returns the non-empty controller
 *   name that comes first alphabetically.
 * - Otherwise, returns an empty string.
 */
function commonController(members: readonly PieceProperties[]): string {
  const identity = ({ cluster, node, namespace, pod, container }: PieceProperties) =>
    JSON.stringify([cluster, node, namespace, pod, container]);
  const controllers = new Set(members.map(({ controller }) => controller));
  if (controllers.size === 1) return [...controllers][0] ?? '';
  const oneContainer = new Set(members.map(identity)).size === 1;
  return oneContainer ? ([...controllers].filter((name) => name !== '').sort()[0] ?? '') : '';
}

function commonPairs(maps: readonly ReadonlyMap<string, string>[]): Map<string, string> {
  const [first, ...others] = maps;
  return new Map(
    [...(first ?? [])].filter(([key, value]) => others.every((other) => other.get(key) === value)),
  );
}

/** Returns the union of two maps. If both contain a key, merges the two values. */
export function union<V>(
  a: ReadonlyMap<string, V>,
  b: ReadonlyMap<string, V>,
  merge: (a: V, b: V) => V,
): Map<string, V> {
  const merged = new Map(a);
  for (const [key, value] of b) {
    const other = merged.get(key);
    merged.set(key, other === undefined ? value : merge(other, value));
  }
  return merged;
}

/** Merges two entries with the same key. They describe the same volume, or different volumes with this key. */
export function mergeVolumes(a: PersistentVolumeUse, b: PersistentVolumeUse): PersistentVolumeUse {
  const providerID = a.providerID === '' ? b.providerID : a.providerID;
  return { byteHours: a.byteHours + b.byteHours, cost: a.cost + b.cost, providerID };
}

function mergeBalancers(a: LoadBalancerUse, b: LoadBalancerUse): LoadBalancerUse {
  return { ...a, cost: a.cost + b.cost, hours: a.hours + b.hours };
}

/**
 * Merges the GPU use of two rows. A property that differs becomes empty. `numbers` contains the averages of the merged
 * row.
 */
function mergeGpus(
  a: GpuUse | null,
  b: GpuUse | null,
  numbers: Readonly<Record<Measure, number>>,
): GpuUse | null {
  const either = a ?? b;
  if (either === null) return null;
  const same = (field: 'gpuDevice' | 'gpuModel' | 'gpuUUID') =>
    a === null || b === null || a[field] === b[field] ? either[field] : '';
  return {
    gpuDevice: same('gpuDevice'),
    gpuModel: same('gpuModel'),
    gpuUUID: same('gpuUUID'),
    isGPUShared: a === null || b === null || a.isGPUShared === b.isGPUShared ? either.isGPUShared : null,
    gpuUsageAverage: numbers.gpuUsageAverage,
    gpuRequestAverage: numbers.gpuRequestAverage,
  };
}

function largerMaxima(a: Piece['raw'], b: Piece['raw']): Piece['raw'] {
  if (a === null || b === null) return a ?? b;
  const gpus = [a.gpuUsageMax, b.gpuUsageMax].filter((value) => value !== null);
  return {
    cpuCoreUsageMax: Math.max(a.cpuCoreUsageMax, b.cpuCoreUsageMax),
    ramByteUsageMax: Math.max(a.ramByteUsageMax, b.ramByteUsageMax),
    gpuUsageMax: gpus.length === 0 ? null : Math.max(...gpus),
  };
}
