import type { AssetRow, AssetRowBase, AssetSet, Breakdown } from '../query/answer';
import { timeText } from '../query/notes';
import { arrayParts, jsonObject, jsonWindow, objectParts, type Parts } from './json';
import { rounded } from './numbers';

/** Value of a member of an asset. If it is an object, it contains only numbers. */
export type MemberValue = string | number | boolean | null | Readonly<Record<string, number>>;

/** Encodes one set as a JSON object that contains each asset under its `key`. */
export function assetSetParts({ rows }: AssetSet): Parts {
  return objectParts(rows, ({ key }) => key, assetJson);
}

/** Encodes the `data` member of an answer as Kubecost does: an array of sets. */
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

/** For each member whose name in answers differs from its name in rows: the name in answers. */
interface Renamed {
  gpuHours: 'GPUHours';
}

/** Members that answers have but rows do not, by asset type. They are calculated from other members of the row. */
interface DerivedMembers {
  Node: 'cpuCores' | 'ramBytes';
  Disk: 'bytes';
}

/**
 * Names (in answers) of the members of a row type, without the members that all row types have. Exception: `adjustment`
 * is included although all row types have it, because its position differs between types.
 */
type OwnMember<Row extends AssetRow> = Row extends AssetRow
  ? | {
        [Name in keyof Row]: Name extends keyof Renamed ? Renamed[Name] : Name;
      }[Exclude<keyof Row, CommonName>]
    | (Row['type'] extends keyof DerivedMembers ? DerivedMembers[Row['type']] : never)
    | 'adjustment'
  : never;
type CommonName = keyof AssetRowBase | 'type';
type RowOf<Type, Row = AssetRow> = Row extends { type: infer Of } ? (Type extends Of ? Row : never) : never;

/** Values of an asset type's members. The answer omits members that are undefined. */
type Members<Type extends AssetRow['type']> = Readonly<
  Record<OwnMember<RowOf<Type>>, MemberValue | undefined>
>;

/** Name of any member that an answer can show for an asset, whatever its type. */
export type AssetMember = 'minutes' | OwnMember<AssetRow> | 'totalCost';

/**
 * Returns the members that follow an asset's start and end in an answer: its minutes, the members of its type, and its
 * total cost. All assets of a type have the same members, but the members in `omitted` may be absent.
 */
export function assetMembers(row: AssetRow): [name: AssetMember, value: MemberValue][] {
  return [
    ['minutes', (row.end - row.start) / 60],
    ...(Object.entries(ofType(row)) as [AssetMember, MemberValue | undefined][]).filter(isShown),
    ['totalCost', row.totalCost],
  ];
}

/** Members that an answer omits if their value is unknown, that is, empty or null. */
const omitted: ReadonlySet<AssetMember> = new Set<AssetMember>(['pool', 'overhead']);

function isShown(
  member: [name: AssetMember, value: MemberValue | undefined],
): member is [AssetMember, MemberValue] {
  const [name, value] = member;
  return value !== undefined && !(omitted.has(name) && (value === '' || value === null));
}

function ofType(row: AssetRow): Partial<Record<AssetMember, MemberValue>> {
  const hours = (row.end - row.start) / 3_600;
  const perHour = (amount: number) => (hours > 0 ? amount / hours : 0);
  switch (row.type) {
    case 'Node':
      return {
        nodeType: row.nodeType,
        pool: row.pool,
        cpuCores: perHour(row.cpuCoreHours),
        ramBytes: perHour(row.ramByteHours),
        cpuCoreHours: row.cpuCoreHours,
        ramByteHours: row.ramByteHours,
        GPUHours: row.gpuHours,
        cpuBreakdown: inOrder(row.cpuBreakdown),
        ramBreakdown: inOrder(row.ramBreakdown),
        preemptible: row.preemptible,
        discount: row.discount,
        cpuCost: row.cpuCost,
        gpuCost: row.gpuCost,
        gpuCount: row.gpuCount,
        ramCost: row.ramCost,
        adjustment: row.adjustment,
        overhead: row.overhead,
      } satisfies Members<'Node'>;
    case 'Disk':
      return {
        byteHours: row.byteHours,
        bytes: perHour(row.byteHours),
        byteHoursUsed: row.byteHoursUsed,
        byteUsageMax: row.byteUsageMax,
        breakdown: inOrder(row.breakdown),
        adjustment: row.adjustment,
        storageClass: row.storageClass,
        volumeName: row.volumeName,
        claimName: row.claimName,
        claimNamespace: row.claimNamespace,
      } satisfies Members<'Disk'>;
    case 'LoadBalancer':
      return {
        adjustment: row.adjustment,
        private: row.private,
        ip: row.ip,
      } satisfies Members<'LoadBalancer'>;
    case 'Cloud':
      return { adjustment: row.adjustment, credit: row.credit } satisfies Members<'Cloud'>;
    case 'Network':
    case 'ClusterManagement':
    case 'Shared':
    case 'Any':
      return { adjustment: row.adjustment } satisfies Members<typeof row.type>;
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
