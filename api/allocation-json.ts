import type { AllocationRow, AllocationSet, GpuUse } from '../query/answer';
import { derive, type Derived, derivedNames } from '../query/derived';
import type { Measure } from '../query/measures';
import { timeText } from '../query/notes';
import { allocationNumbers } from './allocation-numbers';
import { arrayParts, jsonObject, jsonWindow, objectParts, type Parts } from './json';
import { rounded } from './numbers';

const decimals = 5;
/** Number of decimal places of the numbers in `pvs`, `lbAllocations` and `rawAllocationOnly`. */
const ofMaps = 9;

function isDerived(name: Measure | keyof Derived): name is keyof Derived {
  return derivedNames.has(name);
}

/**
 * The numbers of an allocation, each with the text that precedes its value in JSON. These texts are computed once,
 * because an answer can repeat them millions of times.
 */
const numberMembers = allocationNumbers.map((name) => ({ name, member: `,"${name}":` }));

/** Encodes the `data` member of an answer: an array of sets. Each set is an object of allocations, keyed by name. */
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
      `{"byteHours":${rounded(byteHours, ofMaps)},"cost":${rounded(cost, ofMaps)},"providerID":${JSON.stringify(providerID)},"adjustment":0}`,
    ]),
  );
}

function balancersJson(balancers: NonNullable<AllocationRow['lbAllocations']>): string {
  return jsonObject(
    Object.entries(balancers).map(([key, balancer]) => [
      key,
      jsonObject([
        ['service', JSON.stringify(balancer.service)],
        ['cost', rounded(balancer.cost, ofMaps)],
        ['private', String(balancer.private)],
        ['ip', JSON.stringify(balancer.ip)],
        ['hours', rounded(balancer.hours, ofMaps)],
        ['adjustment', '0'],
      ]),
    ]),
  );
}

/**
 * Encodes an allocation's GPU use. The allocation itself also contains the two averages, rounded to the same number of
 * decimals.
 */
function gpuJson({ gpuUsageAverage, gpuRequestAverage, ...gpu }: GpuUse): string {
  const members = Object.entries(gpu).map(([name, value]): [string, string] => [name, JSON.stringify(value)]);
  return jsonObject([
    ...members,
    ['gpuUsageAverage', numberOrNull(gpuUsageAverage, decimals)],
    ['gpuRequestAverage', numberOrNull(gpuRequestAverage, decimals)],
  ]);
}

function rawJson({ rawAllocationOnly: raw }: AllocationRow): string {
  if (raw === null) return 'null';
  return jsonObject(Object.entries(raw).map(([name, value]) => [name, numberOrNull(value, ofMaps)]));
}

function numberOrNull(value: number | null, digits: number): string {
  return value === null ? 'null' : rounded(value, digits);
}
