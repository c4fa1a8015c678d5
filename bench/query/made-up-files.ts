import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeSet } from '../../etl/file';
import type { Allocation, AllocationSet, Asset, AssetSet, TimeWindow } from '../../etl/model';
import { instant, measures, randoms, timeWindow } from '../made-up';

export interface World {
  readonly days: number;
  readonly clusters: number;
  /** Number of allocations per cluster and day. */
  readonly allocations: number;
}

const day = 86_400;
/** Start of 2026-10-16 (UTC), in unix seconds. */
const firstDay = 1_792_108_800;

export function windowOf(index: number): { start: number; end: number } {
  return { start: firstDay + index * day, end: firstDay + (index + 1) * day };
}

const nodesPerCluster = 20;
const namespaces = 30;
const containersPerPod = 2;
const podsPerController = 5;
/** Each day, every `replacedEvery`-th pod is replaced by a new pod. */
const replacedEvery = 10;
const apps = 200;

/**
 * Writes combined daily files of allocations and assets, like those of a large federation. Most containers run every
 * day. Records have labels, and about half of their measures are 0, as in real files. The same arguments always yield
 * the same files.
 *
 * @returns the total size of the files in bytes
 */
export async function writeWorld(folder: string, world: World): Promise<number> {
  let bytes = 0;
  for (let index = 0; index < world.days; index++) {
    for (const [pipeline, set] of [
      ['allocations', allocations(world, index)],
      ['assets', assets(world, index)],
    ] as const) {
      const { start, end } = windowOf(index);
      const file = path.join(folder, 'bingen', pipeline, '1d', `${start}-${end}`);
      await mkdir(path.dirname(file), { recursive: true });
      const encoded = encodeSet(set);
      bytes += encoded.length;
      await writeFile(file, encoded);
    }
  }
  return bytes;
}

function allocations(world: World, index: number): AllocationSet {
  const window = timeWindow(windowOf(index));
  const records = new Map<string, Allocation>();
  for (let cluster = 1; cluster <= world.clusters; cluster++) {
    for (let number = 0; number < world.allocations; number++) {
      const one = allocation(`cluster-${cluster}`, cluster, number, index, window);
      records.set(one.name, one);
    }
  }
  return {
    kind: 'allocations',
    version: 25,
    allocations: records,
    externalKeys: new Map(),
    idleKeys: new Map(),
    fromSource: '',
    window,
    warnings: [],
    errors: [],
  };
}

function allocation(
  cluster: string,
  seed: number,
  number: number,
  index: number,
  window: TimeWindow,
): Allocation {
  const podNumber = Math.floor(number / containersPerPod);
  const controllerNumber = Math.floor(podNumber / podsPerController);
  const age = podNumber % replacedEvery === 0 ? index : 0;
  const random = randoms(seed * 1_000_003 + number * 31 + index);
  const node = `ip-10-${seed}-0-${podNumber % nodesPerCluster}.example.internal`;
  const namespace = `namespace-${controllerNumber % namespaces}`;
  const controller = `service-${controllerNumber}`;
  const hash = ((seed * 7_919 + podNumber * 104_729 + age * 1_299_709) >>> 0).toString(36);
  const pod = `${controller}-${hash}`;
  const container = number % containersPerPod === 0 ? 'main' : 'sidecar';
  const { start, end } = windowOf(index);
  const cost = random() * 2;
  return {
    version: 25,
    name: `${cluster}/${node}/${namespace}/${pod}/${container}`,
    properties: {
      version: 25,
      cluster,
      node,
      container,
      controller,
      controllerKind: 'deployment',
      namespace,
      pod,
      services: [controller],
      providerID: `i-${seed}-${podNumber % nodesPerCluster}`,
      labels: new Map([
        ['app', `app-${controllerNumber % apps}`],
        ['team', `team-${controllerNumber % 12}`],
        ['pod_template_hash', hash],
        ['env', ['prod', 'staging', 'dev'][controllerNumber % 3] ?? ''],
      ]),
      annotations: new Map(),
      namespaceLabels: new Map([['kubernetes_io_metadata_name', namespace]]),
      namespaceAnnotations: new Map(),
    },
    window,
    start: instant(start),
    end: instant(end),
    ...measures(random, cost, number % 20 === 0 ? { cluster, name: String(number) } : undefined),
  };
}

function assets(world: World, index: number): AssetSet {
  const window = timeWindow(windowOf(index));
  const { start, end } = windowOf(index);
  const times = { window, start: instant(start), end: instant(end), adjustment: 0, version: 21 };
  const breakdown = { version: 21, idle: 0.5, other: 0.1, system: 0.1, user: 0.3 };
  const records = new Map<string, Asset>();
  for (let cluster = 1; cluster <= world.clusters; cluster++) {
    const properties = (category: string, name: string) => ({
      version: 21,
      category,
      provider: 'AWS',
      account: `account-${cluster % 5}`,
      project: '',
      service: 'Kubernetes',
      cluster: `cluster-${cluster}`,
      name,
      providerID: `i-${cluster}-${name}`,
    });
    for (let number = 0; number < nodesPerCluster; number++) {
      const name = `ip-10-${cluster}-0-${number}.example.internal`;
      records.set(`AWS/${cluster}/Node/${name}`, {
        ...times,
        type: 'Node',
        typeName: '*kubecost.Node',
        properties: properties('Compute', name),
        labels: new Map([['node_kubernetes_io_instance_type', 'm5.4xlarge']]),
        nodeType: 'm5.4xlarge',
        cpuCoreHours: 384,
        ramByteHours: 1.6e12,
        gpuHours: 0,
        cpuBreakdown: breakdown,
        ramBreakdown: breakdown,
        cpuCost: 260,
        gpuCost: 0,
        gpuCount: 0,
        ramCost: 130,
        discount: 0,
        preemptible: 0,
        overhead: null,
      });
      records.set(`AWS/${cluster}/Disk/${name}`, {
        ...times,
        type: 'Disk',
        typeName: '*kubecost.Disk',
        properties: properties('Storage', name),
        labels: new Map(),
        cost: 1.2,
        byteHours: 2.4e12,
        local: 1,
        breakdown,
        storageClass: 'gp3',
        byteHoursUsed: 1e12,
        byteUsageMax: 5e10,
        volumeName: `vol-${number}`,
        claimName: '',
        claimNamespace: '',
      });
    }
    records.set(`AWS/${cluster}/ClusterManagement`, {
      type: 'ClusterManagement',
      typeName: '*kubecost.ClusterManagement',
      version: 21,
      properties: properties('Management', 'EKS'),
      labels: new Map(),
      window,
      cost: 2.4,
      adjustment: 0,
    });
  }
  return {
    kind: 'assets',
    version: 21,
    aggregationKeys: null,
    assets: records,
    fromSource: '',
    window,
    warnings: [],
    errors: [],
  };
}
