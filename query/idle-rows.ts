import type { Catalog } from './catalog';
import { emptyRow, type FoundRow } from './found-row';
import { computeIdle, groupKey, type Idle, resources, type Used } from './idle';
import { nodeCosts } from './node-costs';
import type { PickedAssets } from './pick';
import type { AllocationRequest } from './request';
import type { Statements } from './statements';
import type { Steps } from './steps';
import { byPlace, type Sum } from './sums';

/** Computes the idle cost of each cluster in every time step, or of each node if `request.idle.byNode` is true. */
export async function readIdle(
  statements: Statements,
  catalog: Catalog,
  request: AllocationRequest,
  { steps }: Steps,
  assets: PickedAssets,
  sums: readonly Sum[],
): Promise<Idle[]> {
  const used = new Map<string, Used>();
  for (const sum of sums) {
    if (!sum.plain) continue;
    const key = groupKey(sum);
    const known = used.get(key) ?? { all: { cpu: 0, gpu: 0, ram: 0 }, kept: { cpu: 0, gpu: 0, ram: 0 } };
    for (const resource of resources) {
      known.all[resource] += sum.cost[resource];
      if (sum.kept) known.kept[resource] += sum.cost[resource];
    }
    used.set(key, known);
  }
  const nodes = await nodeCosts(statements, request, assets.wholeFiles);
  const withNode = new Set(nodes.map(groupKey));
  // If the node of an allocation has no asset, add the node with a cost of 0, and thus with a negative idle cost.
  // This way, the costs of allocations and the idle costs still add up to the costs of the assets.
  for (const sum of sums) {
    const span = steps[sum.step];
    if (!sum.plain || span === undefined || withNode.has(groupKey(sum)) || !assets.has(sum)) continue;
    withNode.add(groupKey(sum));
    nodes.push({ ...sum, ...span, providerID: '', cost: { cpu: 0, gpu: 0, ram: 0 } });
  }
  return computeIdle(nodes.sort(byPlace(catalog.clusters)), used, {
    share: request.idle.share,
    filtered: request.filter !== undefined,
  });
}

/** Creates the rows of idle cost: one row per result set, or one row per cluster or node in each result set. */
export function idleRows(
  idle: readonly Idle[],
  catalog: Catalog,
  request: AllocationRequest,
  { periodOf, periods }: Steps,
): FoundRow[] {
  const rows = new Map<string, { row: FoundRow; members: Idle[] }>();
  for (const one of idle) {
    if (resources.every((resource) => one.shown[resource] === 0)) continue;
    const cluster = catalog.clusters.get(one.cluster) ?? '';
    const prefix = !request.idle.split ? '' : request.idle.byNode ? `${cluster}/${one.node}/` : `${cluster}/`;
    const period = periodOf[one.step] ?? 0;
    const name = `${prefix}__idle__`;
    const key = `${period} ${name}`;
    const window = periods[period] ?? { start: one.start, end: one.end };
    const known = rows.get(key) ?? {
      row: { ...emptyRow(name, window), period, start: one.start, end: one.end },
      members: [],
    };
    known.row.start = Math.min(known.row.start, one.start);
    known.row.end = Math.max(known.row.end, one.end);
    for (const resource of resources) known.row[`${resource}Cost`] += one.shown[resource];
    known.members.push(one);
    rows.set(key, known);
  }
  return [...rows.values()].map(({ row, members }) => {
    const { byNode } = request.idle;
    const agreed = (read: (one: Idle) => string) => {
      const [first, ...others] = members.map(read);
      return first !== undefined && first !== '' && others.every((one) => one === first) ? first : undefined;
    };
    const cluster = agreed((one) => catalog.clusters.get(one.cluster) ?? '');
    const node = byNode ? agreed((one) => one.node) : undefined;
    const providerID = byNode ? agreed((one) => one.providerID) : undefined;
    row.properties = {
      ...(cluster !== undefined && { cluster }),
      ...(node !== undefined && { node }),
      ...(providerID !== undefined && { providerID }),
    };
    return row;
  });
}
