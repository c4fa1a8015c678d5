import type { AllocationRow, AllocationSet, GpuUse, Measure } from '../query/answer';
import { timeText } from '../query/notes';
import { type Derived, derive, derivedNames } from './efficiency';
import { arrayParts, jsonObject, jsonWindow, objectParts, type Parts } from './json';
import { plainNumber, rounded } from './numbers';

/** The numbers of an allocation, in the order of the answer. */
export const allocationNumbers = [
  'cpuCores',
  'cpuCoreRequestAverage',
  'cpuCoreUsageAverage',
  'cpuCoreLimitAverage',
  'cpuCoreHours',
  'cpuCost',
  'cpuCostAdjustment',
  'cpuCostIdle',
  'cpuEfficiency',
  'gpuCount',
  'gpuHours',
  'gpuCost',
  'gpuCostAdjustment',
  'gpuCostIdle',
  'gpuEfficiency',
  'gpuRequestAverage',
  'gpuUsageAverage',
  'networkTransferBytes',
  'networkReceiveBytes',
  'networkCost',
  'networkCrossZoneCost',
  'networkCrossRegionCost',
  'networkInternetCost',
  'networkNatGatewayEgressCost',
  'networkNatGatewayIngressCost',
  'networkCostAdjustment',
  'loadBalancerCost',
  'loadBalancerCostAdjustment',
  'pvBytes',
  'pvByteHours',
  'pvCost',
  'pvCostAdjustment',
  'ramBytes',
  'ramByteRequestAverage',
  'ramByteUsageAverage',
  'ramByteLimitAverage',
  'ramByteHours',
  'ramCost',
  'ramCostAdjustment',
  'ramCostIdle',
  'ramEfficiency',
  'externalCost',
  'sharedCost',
  'totalCost',
  'totalEfficiency',
] as const satisfies readonly (Measure | keyof Derived)[];

const decimals = 5;

function isDerived(name: Measure | keyof Derived): name is keyof Derived {
  return derivedNames.has(name);
}

/** Each with how its member begins, as this is written millions of times. */
const numberMembers = allocationNumbers.map((name) => ({ name, member: `,"${name}":` }));

/** `data` of an answer: an array of sets, each an object from name to allocation. */
export function allocationSetsParts(sets: readonly AllocationSet[]): Parts {
  return arrayParts(sets, ({ rows }) => objectParts(rows, ({ name }) => name, allocationJson));
}

function allocationJson(row: AllocationRow): string {
  const derived = derive(row);
  let text = `{"name":${JSON.stringify(row.name)},"properties":${JSON.stringify(row.properties)}`;
  text += `,"window":${jsonWindow(row.window)},"start":"${timeText(row.start)}","end":"${timeText(row.end)}"`;
  text += `,"minutes":${rounded(derived.minutes, decimals)}`;
  for (const { name, member } of numberMembers)
    text += member + rounded(isDerived(name) ? derived[name] : row[name], decimals);
  text += `,"pvs":${row.pvs === null ? 'null' : volumesJson(row.pvs)},"rawAllocationOnly":${rawJson(row)}`;
  text += `,"lbAllocations":${row.lbAllocations === null ? 'null' : balancersJson(row.lbAllocations)}`;
  text += `,"gpuAllocation":${row.gpuAllocation === null ? 'null' : gpuJson(row.gpuAllocation)}`;
  return `${text},"proportionalAssetResourceCosts":null,"sharedCostBreakdown":null}`;
}

function volumesJson(volumes: NonNullable<AllocationRow['pvs']>): string {
  return jsonObject(
    Object.entries(volumes).map(([key, { byteHours, cost, providerID }]) => [
      key,
      `{"byteHours":${plainNumber(byteHours)},"cost":${plainNumber(cost)},"providerID":${JSON.stringify(providerID)},"adjustment":0}`,
    ]),
  );
}

function balancersJson(balancers: NonNullable<AllocationRow['lbAllocations']>): string {
  return jsonObject(
    Object.entries(balancers).map(([key, balancer]) => [
      key,
      jsonObject([
        ['service', JSON.stringify(balancer.service)],
        ['cost', plainNumber(balancer.cost)],
        ['private', String(balancer.private)],
        ['ip', JSON.stringify(balancer.ip)],
        ['hours', plainNumber(balancer.hours)],
        ['adjustment', '0'],
      ]),
    ]),
  );
}

function gpuJson(gpu: GpuUse): string {
  return JSON.stringify(gpu);
}

function rawJson({ rawAllocationOnly: raw }: AllocationRow): string {
  return raw === null ? 'null' : JSON.stringify(raw);
}
