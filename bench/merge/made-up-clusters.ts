import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { assetIdentity } from '../../etl/asset-identity';
import { encodeSet } from '../../etl/file';
import { markedNames } from '../../etl/marks';
import type { Allocation, AllocationSet, Asset, AssetSet, EtlSet } from '../../etl/model';
import { pipelineSpecs } from '../../etl/pipelines';
import type { Pipeline, Window } from '../../etl/window';
import { instant, measures, randoms, timeWindow } from '../made-up';

/** The window of the files that `writeCluster` writes, in unix seconds. */
export const day: Window = { start: 1_792_108_800, end: 1_792_195_200 };

const namespaces = 30;
const containersPerPod = 2;
const podsPerController = 5;
const recordsPerNode = 200;
/** Every `idleEvery`-th record is the idle cost of a node. */
const idleEvery = 200;

export interface MadeUpFile {
  readonly pipeline: Pipeline;
  readonly window: Window;
  /** Number of the cluster, whose id is `cluster-<number>`. */
  readonly cluster: number;
  readonly records: number;
  /** Number of earlier builds of the same window. Each build has different pods and costs. (Default: 0) */
  readonly built?: number;
}

/**
 * Makes up one cluster's file of a window. It is like a file that a cost agent writes: each pod has a unique name, and
 * most strings occur in only a few records. An allocation takes about 650 bytes, an asset about 460 bytes. The same
 * arguments always yield the same file.
 */
export function madeUpFile({ pipeline, window, cluster, records, built = 0 }: MadeUpFile): Buffer {
  return encodeSet(madeUpSets[pipeline](window, cluster, records, built));
}

const madeUpSets: Readonly<
  Record<Pipeline, (at: Window, cluster: number, count: number, built: number) => EtlSet>
> = { allocations, assets };

/** Writes one cluster's file of the window `day` to a folder. Returns the path of the file. */
export async function writeCluster(
  folder: string,
  pipeline: Pipeline,
  cluster: number,
  records: number,
): Promise<string> {
  const file = path.join(folder, `${pipeline}-${records}`, `cluster-${String(cluster).padStart(4, '0')}`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, madeUpFile({ pipeline, window: day, cluster, records }));
  return file;
}

function allocations(at: Window, cluster: number, count: number, built: number): AllocationSet {
  const random = randoms(cluster * 1_000_003 + 2 * built);
  const records = new Map<string, Allocation>();
  for (let number = 0; number < count; number++) {
    const record = allocation(`cluster-${cluster}`, number, random, at);
    records.set(record.name, record);
  }
  return {
    kind: 'allocations',
    version: 25,
    allocations: records,
    ...markedNames(pipelineSpecs.allocations, records),
    fromSource: 'prometheus',
    window: timeWindow(at),
    warnings: null,
    errors: null,
  };
}

function allocation(cluster: string, number: number, random: () => number, at: Window): Allocation {
  const podNumber = Math.floor(number / containersPerPod);
  const controllerNumber = Math.floor(podNumber / podsPerController);
  const isIdle = number % idleEvery === 0;
  const node = `ip-10-42-${Math.floor(number / recordsPerNode)}-7.eu-central-1.compute.internal`;
  const namespace = `namespace-${controllerNumber % namespaces}`;
  const controller = `service-${controllerNumber}`;
  const hash = Math.floor(random() * 2 ** 32).toString(36);
  const pod = `${controller}-${hash}-${Math.floor(random() * 2 ** 24).toString(36)}`;
  const container = number % containersPerPod === 0 ? 'main' : 'sidecar';
  const cost = random() * 2;
  return {
    version: 25,
    name: isIdle ? `${cluster}/${node}/__idle__` : `${cluster}/${node}/${namespace}/${pod}/${container}`,
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
      providerID: `i-${Math.floor(number / recordsPerNode)
        .toString(16)
        .padStart(17, '0')}`,
      labels: new Map([
        ['app', `app-${controllerNumber % 200}`],
        ['team', `team-${controllerNumber % 12}`],
        ['pod_template_hash', hash],
        ['env', ['prod', 'staging', 'dev'][controllerNumber % 3] ?? ''],
      ]),
      annotations: new Map([['checksum_config', hash]]),
      namespaceLabels: new Map([['kubernetes_io_metadata_name', namespace]]),
      namespaceAnnotations: new Map(),
    },
    window: timeWindow(at),
    start: instant(at.start + Math.floor(random() * 60) * 60),
    end: instant(at.end),
    ...measures(random, cost, number % 20 === 0 ? { cluster, name: hash } : undefined),
  };
}

function assets(at: Window, cluster: number, count: number, built: number): AssetSet {
  const random = randoms(cluster * 7_919 + 2 * built);
  const records = new Map<string, Asset>();
  for (let number = 0; number < count; number++) {
    const record = asset(`cluster-${cluster}`, number, random, at);
    records.set(assetIdentity(record, null), record);
  }
  return {
    kind: 'assets',
    version: 21,
    aggregationKeys: null,
    assets: records,
    fromSource: 'prometheus',
    window: timeWindow(at),
    warnings: null,
    errors: null,
  };
}

const assetPackage = '*github.com/opencost/opencost/core/pkg/opencost';

/** Makes up an asset. Every fourth asset is a node, and the others are disks. */
function asset(cluster: string, number: number, random: () => number, at: Window): Asset {
  const isNode = number % 4 === 0;
  const id = `${isNode ? 'i' : 'vol'}-${Math.floor(random() * 2 ** 40).toString(16)}${number}`;
  const name = isNode ? `ip-10-42-${number}-7.eu-central-1.compute.internal` : `pvc-${id}`;
  const breakdown = { version: 21, idle: 0.5, other: 0.1, system: 0.1, user: 0.3 };
  const common = {
    version: 21,
    properties: {
      version: 21,
      category: isNode ? 'Compute' : 'Storage',
      provider: 'AWS',
      account: '123456789012',
      project: '',
      service: 'Kubernetes',
      cluster,
      name,
      providerID: id,
    },
    window: timeWindow(at),
    start: instant(at.start),
    end: instant(at.end),
    adjustment: 0,
  };
  return isNode
    ? {
        ...common,
        type: 'Node',
        typeName: `${assetPackage}.Node`,
        labels: new Map([
          ['node_kubernetes_io_instance_type', 'm5.4xlarge'],
          ['kubernetes_io_hostname', name],
          ['topology_kubernetes_io_zone', 'eu-central-1a'],
        ]),
        nodeType: 'm5.4xlarge',
        cpuCoreHours: 384,
        ramByteHours: 1.6e12,
        gpuHours: 0,
        cpuBreakdown: breakdown,
        ramBreakdown: breakdown,
        cpuCost: random() * 20,
        gpuCost: 0,
        gpuCount: 0,
        ramCost: random() * 10,
        discount: 0,
        preemptible: 0,
        overhead: null,
      }
    : {
        ...common,
        type: 'Disk',
        typeName: `${assetPackage}.Disk`,
        labels: null,
        cost: random(),
        byteHours: 2.4e12,
        local: 0,
        breakdown,
        storageClass: 'gp3',
        byteHoursUsed: 1e12,
        byteUsageMax: 5e10,
        volumeName: name,
        claimName: `data-${number}`,
        claimNamespace: `namespace-${number % namespaces}`,
      };
}
