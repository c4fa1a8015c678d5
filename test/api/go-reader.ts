import { z } from 'zod';

/*
 * Reads answers as strictly as clients that use OpenCost's Go types, such as kubectl-cost and many exporters. Such a
 * client ignores members that these types lack, for example `totalCost` and `pvCost`. It reads missing members and null
 * as zero. If any value is invalid, it rejects the whole answer.
 */

const number = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z.boolean().nullish();
const texts = z.record(z.string(), text).nullish();
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
const window = z.object({ start: time.nullish(), end: time.nullish() });

const costs = {
  cpuCost: number,
  cpuCostAdjustment: number,
  cpuCostIdle: number,
  gpuCost: number,
  gpuCostAdjustment: number,
  gpuCostIdle: number,
  networkCost: number,
  networkCrossZoneCost: number,
  networkCrossRegionCost: number,
  networkInternetCost: number,
  networkCostAdjustment: number,
  loadBalancerCost: number,
  loadBalancerCostAdjustment: number,
  pvCostAdjustment: number,
  ramCost: number,
  ramCostAdjustment: number,
  ramCostIdle: number,
  sharedCost: number,
  externalCost: number,
};

const amounts = {
  cpuCoreHours: number,
  cpuCoreRequestAverage: number,
  cpuCoreUsageAverage: number,
  gpuHours: number,
  networkTransferBytes: number,
  networkReceiveBytes: number,
  ramByteHours: number,
  ramByteRequestAverage: number,
  ramByteUsageAverage: number,
};

/** Key of a volume. If a key does not have exactly two parts, Go clients reject the whole answer. */
const volumeKey = z.string().refine((key) => key.split(':').length === 2, 'is not a volume key');

const allocation = z.object({
  name: text,
  properties: z
    .object({
      ...{ cluster: text, node: text, container: text, controller: text, controllerKind: text },
      ...{ namespace: text, pod: text, providerID: text, services: z.array(text).nullish() },
      ...{ labels: texts, annotations: texts, namespaceLabels: texts, namespaceAnnotations: texts },
    })
    .nullish(),
  window,
  start: time,
  end: time,
  ...amounts,
  ...costs,
  pvs: z
    .record(volumeKey, z.object({ byteHours: number, cost: number, providerID: text }).nullable())
    .nullish(),
  lbAllocations: z
    .record(
      z.string(),
      z.object({ service: text, cost: number, private: flag, ip: text, hours: number }).nullable(),
    )
    .nullish(),
  rawAllocationOnly: z.object({ cpuCoreUsageMax: number, ramByteUsageMax: number }).nullish(),
});

const allocations = z.object({ code: z.int(), data: z.array(z.record(z.string(), allocation)) });

/** An allocation, as a Go client reads it. */
export type GoAllocation = z.infer<typeof allocation>;

/**
 * Reads the body of an answer about allocations. Returns one map per set, keyed by the names of the allocations. Throws
 * if a Go client would reject the body.
 */
export function readAllocations(body: string): Map<string, GoAllocation>[] {
  return allocations.parse(JSON.parse(body)).data.map((set) => new Map(Object.entries(set)));
}

/**
 * Computes the total cost of an allocation as a Go client does: as the sum of the costs that OpenCost's Go types
 * contain.
 */
export function goTotal(row: GoAllocation): number {
  return (
    row.cpuCost +
    row.cpuCostAdjustment +
    row.gpuCost +
    row.gpuCostAdjustment +
    row.ramCost +
    row.ramCostAdjustment +
    volumesCost(row) +
    row.pvCostAdjustment +
    row.networkCost +
    row.networkCostAdjustment +
    row.loadBalancerCost +
    row.loadBalancerCostAdjustment +
    row.sharedCost +
    row.externalCost
  );
}

/** Adds up the costs of the volumes that a row lists. */
export function volumesCost({ pvs }: GoAllocation): number {
  return Object.values(pvs ?? {}).reduce((sum, volume) => sum + (volume?.cost ?? 0), 0);
}

/** Adds up the costs of the load balancers that a row lists. */
export function balancersCost({ lbAllocations }: GoAllocation): number {
  return Object.values(lbAllocations ?? {}).reduce((sum, balancer) => sum + (balancer?.cost ?? 0), 0);
}

/*
 * For assets, OpenCost's Go types have a handwritten decoder that panics if a member is missing. Therefore the schemas
 * below require all members of assets.
 */

const breakdown = z.object({ idle: number, other: number, system: number, user: number });
const anyAsset = z.object({
  properties: z.object({
    ...{ category: text, provider: text, account: text, project: text },
    ...{ service: text, cluster: text, name: text, providerID: text },
  }),
  labels: z.record(z.string(), z.string()),
  window,
  start: time,
  end: time,
  adjustment: number,
  totalCost: number,
});
const asset = z.union([
  anyAsset.extend({
    type: z.literal('Node'),
    ...{ nodeType: text, cpuCores: number, ramBytes: number, cpuCoreHours: number, ramByteHours: number },
    ...{ GPUHours: number, cpuBreakdown: breakdown, ramBreakdown: breakdown, preemptible: number },
    ...{ discount: number, cpuCost: number, gpuCost: number, gpuCount: number, ramCost: number },
  }),
  anyAsset.extend({ type: z.literal('Disk'), byteHours: number, bytes: number, breakdown }),
  anyAsset.extend({ type: z.literal('LoadBalancer') }),
  anyAsset.extend({ type: z.literal('Cloud'), credit: number }),
  anyAsset.extend({ type: z.enum(['Network', 'ClusterManagement', 'Shared']) }),
  anyAsset.extend({ type: z.undefined().optional() }),
]);
const assets = z.object({
  code: z.int(),
  data: z.union([z.array(z.record(z.string(), asset)), z.record(z.string(), asset)]),
});

/** An asset, as a Go client reads it. */
export type GoAsset = z.infer<typeof asset>;

/**
 * Reads the body of an answer about assets: one set, or a list of sets. Returns one map per set, keyed by the keys of
 * the assets. Throws if a Go client would panic.
 */
export function readAssets(body: string): Map<string, GoAsset>[] {
  const { data } = assets.parse(JSON.parse(body));
  return (Array.isArray(data) ? data : [data]).map((set) => new Map(Object.entries(set)));
}
