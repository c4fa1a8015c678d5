import type { AssetRow, AssetSet, Breakdown } from '../query/answer';
import { timeText } from '../query/notes';
import { arrayParts, jsonObject, jsonWindow, objectParts, type Parts } from './json';
import { rounded } from './numbers';

/** What a member of an asset holds; an object has numbers only. */
export type MemberValue = string | number | boolean | null | Readonly<Record<string, number>>;

/** One set: an object from key to asset. */
export function assetSetParts({ rows }: AssetSet): Parts {
  return objectParts(rows, ({ key }) => key, assetJson);
}

/** `data` in Kubecost's shape: an array of sets. */
export function assetSetsParts(sets: readonly AssetSet[]): Parts {
  return arrayParts(sets, assetSetParts);
}

function assetJson(row: AssetRow): string {
  const members: [string, string][] = [
    ...(row.type === 'Any' ? [] : [['type', JSON.stringify(row.type)] as [string, string]]),
    ['properties', JSON.stringify(row.properties)],
    ['labels', JSON.stringify(row.labels)],
    ['window', jsonWindow(row.window)],
    ['start', `"${timeText(row.start)}"`],
    ['end', `"${timeText(row.end)}"`],
    ...assetMembers(row).map(([name, value]): [string, string] => [name, memberJson(value)]),
  ];
  return jsonObject(members);
}

/** Of every asset: its length, then what its type has, then its total. All members of a type are always there. */
export function assetMembers(row: AssetRow): [name: string, value: MemberValue][] {
  return [
    ['minutes', (row.end - row.start) / 60],
    ...ofType(row).filter(([name, value]) => !(omitted.has(name) && (value === '' || value === null))),
    ['totalCost', row.totalCost],
  ];
}

/** Left out where they are not known. */
const omitted: ReadonlySet<string> = new Set(['pool', 'overhead']);

function ofType(row: AssetRow): [string, MemberValue][] {
  const hours = (row.end - row.start) / 3_600;
  const perHour = (amount: number) => (hours > 0 ? amount / hours : 0);
  switch (row.type) {
    case 'Node':
      return [
        ['nodeType', row.nodeType],
        ['pool', row.pool],
        ['cpuCores', perHour(row.cpuCoreHours)],
        ['ramBytes', perHour(row.ramByteHours)],
        ['cpuCoreHours', row.cpuCoreHours],
        ['ramByteHours', row.ramByteHours],
        ['GPUHours', row.gpuHours],
        ['cpuBreakdown', inOrder(row.cpuBreakdown)],
        ['ramBreakdown', inOrder(row.ramBreakdown)],
        ['preemptible', row.preemptible],
        ['discount', row.discount],
        ['cpuCost', row.cpuCost],
        ['gpuCost', row.gpuCost],
        ['gpuCount', row.gpuCount],
        ['ramCost', row.ramCost],
        ['adjustment', row.adjustment],
        ['overhead', row.overhead],
      ];
    case 'Disk':
      return [
        ['byteHours', row.byteHours],
        ['bytes', perHour(row.byteHours)],
        ['byteHoursUsed', row.byteHoursUsed],
        ['byteUsageMax', row.byteUsageMax],
        ['breakdown', inOrder(row.breakdown)],
        ['adjustment', row.adjustment],
        ['storageClass', row.storageClass],
        ['volumeName', row.volumeName],
        ['claimName', row.claimName],
        ['claimNamespace', row.claimNamespace],
      ];
    case 'LoadBalancer':
      return [
        ['adjustment', row.adjustment],
        ['private', row.private],
        ['ip', row.ip],
      ];
    case 'Cloud':
      return [
        ['adjustment', row.adjustment],
        ['credit', row.credit],
      ];
    default:
      return [['adjustment', row.adjustment]];
  }
}

function inOrder({ idle, other, system, user }: Breakdown): Record<string, number> {
  return { idle, other, system, user };
}

const decimals = 6;

function memberJson(value: MemberValue): string {
  if (typeof value === 'number') return rounded(value, decimals);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return jsonObject(Object.entries(value).map(([name, part]) => [name, rounded(part, decimals)]));
}
