import type { AssetRow, AssetSet, Breakdown } from '../query/answer';
import { timeText } from '../query/notes';
import { jsonArray, jsonObject, jsonWindow } from './json';
import { rounded } from './numbers';

const number = (value: number) => rounded(value, 6);
const nullable = (value: number | null) => (value === null ? 'null' : number(value));
const text = (value: string) => JSON.stringify(value);

/** One set: an object from key to asset. */
export function assetSetJson({ rows }: AssetSet): string {
  return jsonObject(rows.map((row) => [row.key, assetJson(row)]));
}

/** `data` in Kubecost's shape: an array of sets. */
export function assetSetsJson(sets: readonly AssetSet[]): string {
  return jsonArray(sets.map(assetSetJson));
}

function assetJson(row: AssetRow): string {
  const members: [string, string][] = [
    ...(row.type === 'Any' ? [] : [['type', text(row.type)] as [string, string]]),
    ['properties', JSON.stringify(row.properties)],
    ['labels', JSON.stringify(row.labels)],
    ['window', jsonWindow(row.window)],
    ['start', text(timeText(row.start))],
    ['end', text(timeText(row.end))],
    ['minutes', number((row.end - row.start) / 60)],
    ...ofType(row),
    ['totalCost', number(row.totalCost)],
  ];
  return jsonObject(members);
}

function ofType(row: AssetRow): [string, string][] {
  switch (row.type) {
    case 'Node': {
      const hours = (row.end - row.start) / 3_600;
      const perHour = (amount: number) => number(hours > 0 ? amount / hours : 0);
      return [
        ['nodeType', text(row.nodeType)],
        ...(row.pool === '' ? [] : [['pool', text(row.pool)] as [string, string]]),
        ['cpuCores', perHour(row.cpuCoreHours)],
        ['ramBytes', perHour(row.ramByteHours)],
        ['cpuCoreHours', number(row.cpuCoreHours)],
        ['ramByteHours', number(row.ramByteHours)],
        ['GPUHours', number(row.gpuHours)],
        ['cpuBreakdown', breakdownJson(row.cpuBreakdown)],
        ['ramBreakdown', breakdownJson(row.ramBreakdown)],
        ['preemptible', number(row.preemptible)],
        ['discount', number(row.discount)],
        ['cpuCost', number(row.cpuCost)],
        ['gpuCost', number(row.gpuCost)],
        ['gpuCount', number(row.gpuCount)],
        ['ramCost', number(row.ramCost)],
        ['adjustment', number(row.adjustment)],
        ...(row.overhead === null ? [] : [['overhead', JSON.stringify(row.overhead)] as [string, string]]),
      ];
    }
    case 'Disk':
      return [
        ['byteHours', number(row.byteHours)],
        ['bytes', number(row.end > row.start ? row.byteHours / ((row.end - row.start) / 3_600) : 0)],
        ['byteHoursUsed', nullable(row.byteHoursUsed)],
        ['byteUsageMax', nullable(row.byteUsageMax)],
        ['breakdown', breakdownJson(row.breakdown)],
        ['adjustment', number(row.adjustment)],
        ['storageClass', text(row.storageClass)],
        ['volumeName', text(row.volumeName)],
        ['claimName', text(row.claimName)],
        ['claimNamespace', text(row.claimNamespace)],
      ];
    case 'LoadBalancer':
      return [
        ['adjustment', number(row.adjustment)],
        ['private', String(row.private)],
        ['ip', text(row.ip)],
      ];
    case 'Cloud':
      return [
        ['adjustment', number(row.adjustment)],
        ['credit', number(row.credit)],
      ];
    default:
      return [['adjustment', number(row.adjustment)]];
  }
}

function breakdownJson({ idle, other, system, user }: Breakdown): string {
  return `{"idle":${number(idle)},"other":${number(other)},"system":${number(system)},"user":${number(user)}}`;
}
