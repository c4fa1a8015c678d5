import { displayText } from '../etl/byte-string';
import type { FieldName } from '../etl/field';
import type { Instant } from '../etl/instant';
import type { Asset, AssetProperties, AssetSet } from '../etl/model';
import type { NotFinite } from '../etl/not-finite';
import { ownValue } from '../etl/own-value';
import { type AssetField, type AssetValue, storedFields } from './asset-fields';
import { type Finite, FiniteNumbers } from './finite-numbers';
import { entries } from './identity';
import { seconds } from './seconds';

/**
 * The assets of a time window, as columns. `values` has one array for each column of the table `asset`, in table order,
 * except for the columns `file` and `cluster`.
 */
export interface AssetColumns {
  readonly pipeline: 'assets';
  readonly rows: number;
  /** For each asset, the name of its cluster. */
  readonly clusters: string[];
  readonly values: AssetValue[][];
  readonly notFinite: readonly NotFinite[];
}

/** For each property of an asset, the database column that stores it. */
export const propertyColumns = {
  category: 'category',
  provider: 'provider',
  account: 'account',
  project: 'project',
  service: 'service',
  cluster: 'cluster_name',
  name: 'name',
  providerID: 'provider_id',
} as const satisfies Record<FieldName<AssetProperties>, string>;

/** A column of the table `asset`. */
interface AssetColumn {
  readonly name: string;
  readonly sql: string;
  read(this: void, record: Asset, finite: Finite, set: AssetSet): AssetValue;
}

/** The columns of the table `asset` in table order, except `file` and `cluster`. */
export const tableColumns: readonly AssetColumn[] = [
  {
    ...{ name: 'type', sql: 'varchar not null' },
    read: (record) => (record.type === 'SharedAsset' ? 'Shared' : record.type),
  },
  ...Object.entries(propertyColumns).map(([property, name]): AssetColumn => ({
    ...{ name, sql: 'varchar not null' },
    read: ({ properties }) => displayText(properties?.[property as keyof typeof propertyColumns] ?? ''),
  })),
  {
    ...{ name: 'labels', sql: 'map(varchar, varchar) not null' },
    read: (record) => entries(record.labels),
  },
  timeColumn('start_at', 'start'),
  timeColumn('end_at', 'end'),
  ...storedFields.map(fieldColumn),
];

/**
 * Defines the column for the start or end time of an asset. Some asset types have no such field. For these, the column
 * contains the start or end of the asset's window. If that window is open on this side, the file's window is used
 * instead.
 */
function timeColumn(name: string, side: 'start' | 'end'): AssetColumn {
  const time = (record: Asset, set: AssetSet): Instant | null =>
    'start' in record ? record[side] : (record.window[side] ?? set.window[side]);
  return {
    ...{ name, sql: 'double not null' },
    read: (record, _, set) => seconds(time(record, set) ?? epoch),
  };
}

const epoch: Instant = { seconds: 0, nanos: 0, zoneMinutes: -1, zoneSeconds: null };

function fieldColumn({ name, sql, of, read }: AssetField): AssetColumn {
  const absent = sql === 'double not null' ? 0 : null;
  return {
    ...{ name, sql },
    read: (record, finite) => {
      const field = of.get(record.type);
      if (field === undefined) return absent;
      return read(
        ownValue(record as unknown as Record<string, unknown>, field),
        finite,
        ownValue(reportedAs, field) ?? field,
      );
    },
  };
}

/** Fields whose names differ in OpenCost's JSON. NaN and infinite values are reported under the JSON names. */
const reportedAs: Readonly<Record<string, string>> = { gpuHours: 'GPUHours' };

/** Converts the assets of a window to columns. */
export function toAssetColumns(set: AssetSet): AssetColumns {
  const records = [...(set.assets?.values() ?? [])].filter((record) => record !== null);
  const numbers = new FiniteNumbers('assets');
  const each = records.map((record) => [record, numbers.of(record)] as const);
  return {
    pipeline: 'assets',
    rows: records.length,
    clusters: records.map((record) => displayText(record.properties?.cluster ?? '')),
    values: tableColumns.map(({ read }) => each.map(([record, finite]) => read(record, finite, set))),
    notFinite: numbers.found,
  };
}
