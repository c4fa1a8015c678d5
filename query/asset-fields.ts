import { displayText } from '../etl/byte-string';
import type { FieldName } from '../etl/field';
import type { AssetOf, AssetType, Breakdown, NodeOverhead } from '../etl/model';
import type { Finite } from './finite-numbers';
import { money } from './measures';

/*
 * Defines how the fields of each asset type are stored. The table columns, the sums and the export are derived from
 * these definitions. If a new version of the ETL format adds a field, this file does not compile until the field has an
 * entry below.
 */

/** Fields that most asset types have. The file `asset-columns.ts` defines how they are stored. */
type CommonField = 'type' | 'typeName' | 'properties' | 'labels' | 'window' | 'start' | 'end';

/** The fields of an asset type that need an entry in `assetFields`: all except those in `CommonField`. */
export type OwnField<Type extends AssetType> = Exclude<FieldName<AssetOf<Type>>, CommonField>;

/**
 * How the values of a column are merged when assets are grouped:
 * - `sum`: The values are added up.
 * - `same`: The value is kept if it is the same for all assets.
 * - `mean`: The mean is taken, weighted by cost.
 * - `single`: The value is kept only if the group is a single asset.
 * - `not merged`: Query results omit the column, or compute its value from other columns.
 */
export type Merging = 'sum' | 'same' | 'mean' | 'single' | 'not merged';

export type AssetValue = string | number | boolean | null | number[] | [string, string][];

/** A column of the table `asset` that stores a field of assets. */
export interface StoredField<Value = never, Name extends string = string, How extends Merging = Merging> {
  readonly name: Name;
  readonly merging: How;
  readonly sql: 'double not null' | 'double' | 'double[4]' | 'double[3]' | 'varchar' | 'boolean';
  /** Unit of the values. Empty if they have no unit. */
  readonly unit: string;
  /** Description of the column in the documentation of the export. */
  readonly meaning: string;
  /**
   * Converts the value of a field to the value to store. `finite` replaces NaN and infinity with 0, and reports them
   * under the name `field`.
   */
  read(this: void, value: Value, finite: Finite, field: string): AssetValue;
}

/** Marks a field that is not stored in the database. Query results and exports do not have this field. */
const notStored = 'not stored';

function text<const Name extends string>(name: Name, meaning: string) {
  return {
    ...{ name, merging: 'same', sql: 'varchar', unit: '', meaning },
    read: displayText,
  } as const satisfies StoredField<string>;
}

function flag<const Name extends string>(name: Name, meaning: string) {
  return {
    ...{ name, merging: 'same', sql: 'boolean', unit: '', meaning },
    read: (value: boolean) => value,
  } as const satisfies StoredField<boolean>;
}

function number<const Name extends string, const How extends Merging>(
  name: Name,
  merging: How,
  unit: string,
  meaning: string,
) {
  return {
    ...{ name, merging, unit, meaning },
    sql: 'double',
    read: (value: number, finite: Finite, field: string) => finite(value, field),
  } as const satisfies StoredField<number>;
}

/** Defines a cost column that several asset types use. In the rows of all other types, the column is 0. */
function shared<const Name extends string>(name: Name, meaning: string) {
  return { ...number(name, 'sum', money, meaning), sql: 'double not null' } as const;
}

/** Defines a numeric column that is null if the value was not measured. */
function measured<const Name extends string, const How extends Merging>(
  name: Name,
  merging: How,
  unit: string,
  meaning: string,
) {
  return {
    ...number(name, merging, unit, meaning),
    read: (value: number | null, finite: Finite, field: string) =>
      value === null ? null : finite(value, field),
  } as const satisfies StoredField<number | null>;
}

/** Defines a column that contains four fractions from 0 to 1: idle, other, system and user. */
function breakdown<const Name extends string>(name: Name, meaning: string) {
  return {
    ...{ name, merging: 'mean', sql: 'double[4]', unit: 'share', meaning },
    read: (value: Breakdown | null, finite: Finite) => {
      const { idle = 0, other = 0, system = 0, user = 0 } = value ?? {};
      return [idle, other, system, user].map((share) => finite(share, 'breakdown'));
    },
  } as const satisfies StoredField<Breakdown | null>;
}

/**
 * Defines the column for the overhead of a node: three fractions from 0 to 1 (CPU, RAM and cost). The value is null
 * if the overhead is not known.
 */
const overhead = {
  ...{ name: 'overhead', merging: 'mean', sql: 'double[3]', unit: 'share', meaning: '' },
  read: (value: NodeOverhead | null, finite: Finite) =>
    value === null
      ? null
      : [value.cpuOverheadFraction, value.ramOverheadFraction, value.overheadCostFraction].map((share) =>
          finite(share, 'overhead'),
        ),
} as const satisfies StoredField<NodeOverhead | null>;

const cost = shared('cost', 'before adjustment and credit, of types with one cost; 0 of nodes');
const adjustment = shared('adjustment', 'adjustment by reconciliation');

/** The fields of each asset type, in the order of their columns. */
export const assetFields = {
  Any: { cost, adjustment },
  Cloud: { cost, adjustment, credit: shared('credit', 'of type `Cloud`; 0 of others') },
  Node: {
    adjustment,
    nodeType: text(
      'node_type',
      'of nodes: the machine type. This and the columns down to `overhead_cost` are null of other types',
    ),
    cpuCoreHours: number('cpu_core_hours', 'sum', 'core hours', 'of nodes'),
    ramByteHours: number('ram_byte_hours', 'sum', 'byte hours', 'of nodes'),
    gpuHours: number('gpu_hours', 'sum', 'GPU hours', 'of nodes'),
    gpuCount: number('gpu_count', 'not merged', 'GPUs', 'of nodes'),
    cpuCost: number('cpu_cost', 'sum', money, 'of nodes, before discount'),
    gpuCost: number('gpu_cost', 'sum', money, 'of nodes'),
    ramCost: number('ram_cost', 'sum', money, 'of nodes, before discount'),
    discount: number('discount', 'mean', 'share', 'of nodes: taken off `cpu_cost` and `ram_cost`'),
    preemptible: number('preemptible', 'mean', 'share', 'of nodes: 1 when preemptible or spot'),
    cpuBreakdown: breakdown('cpu_breakdown', "nodes' CPU"),
    ramBreakdown: breakdown('ram_breakdown', "nodes' memory"),
    overhead,
  },
  Disk: {
    cost,
    adjustment,
    byteHours: number(
      'byte_hours',
      'sum',
      'byte hours',
      'of disks. This and the columns down to `claim_namespace` are null of other types',
    ),
    byteHoursUsed: measured(
      'byte_hours_used',
      'sum',
      'byte hours',
      'of disks: byte hours used; null where it was not measured',
    ),
    byteUsageMax: measured('byte_usage_max', 'single', 'bytes', 'of disks: peak usage; null likewise'),
    breakdown: breakdown('disk_breakdown', 'disks'),
    local: notStored,
    storageClass: text('storage_class', 'of disks'),
    volumeName: text('volume_name', 'of disks'),
    claimName: text('claim_name', 'of disks'),
    claimNamespace: text('claim_namespace', 'of disks'),
  },
  LoadBalancer: {
    cost,
    adjustment,
    private: flag(
      'private',
      'of load balancers: whether it is reached from inside only; null of other types',
    ),
    ip: text('ip', 'of load balancers: the address; null of other types'),
  },
  ClusterManagement: { cost, adjustment },
  Network: { cost, adjustment },
  SharedAsset: { cost },
} as const satisfies {
  readonly [Type in AssetType]: {
    readonly [Name in OwnField<Type>]: StoredField<AssetOf<Type>[Name]> | typeof notStored;
  };
};

type Fields = typeof assetFields;

/** Names of the fields of an asset type that are stored in the database. */
export type StoredFieldName<Type extends AssetType> = {
  [Name in OwnField<Type> & keyof Fields[Type]]: Fields[Type][Name] extends string ? never : Name;
}[OwnField<Type> & keyof Fields[Type]];

type AnyStored = {
  [Type in AssetType]: Exclude<Fields[Type][keyof Fields[Type]], string>;
}[AssetType];

/** Names of the columns whose values are merged in the given way. */
export type ColumnsMergedBy<How extends Merging> = Extract<AnyStored, { readonly merging: How }>['name'];

/** A column of the table `asset`, with the asset types that use it. */
export interface AssetField extends Omit<StoredField<unknown>, 'name'> {
  readonly name: AnyStored['name'];
  /** For each asset type that uses the column, the name of the field that the column stores. */
  readonly of: ReadonlyMap<AssetType, string>;
}

/**
 * All columns that store the fields in `assetFields`, in table order. A column that several types use is listed once.
 */
export const storedFields: readonly AssetField[] = listFields();

function listFields(): AssetField[] {
  const found = new Map<string, AssetField & { of: Map<AssetType, string> }>();
  for (const [type, fields] of Object.entries(assetFields) as [AssetType, object][]) {
    for (const [name, column] of Object.entries(fields) as [string, AssetField | string][]) {
      if (typeof column === 'string') continue;
      const known = found.get(column.name) ?? { ...column, of: new Map<AssetType, string>() };
      known.of.set(type, name);
      found.set(column.name, known);
    }
  }
  return [...found.values()];
}

/** Returns the names of the columns whose values are merged in the given way. */
export function columnsMergedBy(how: Merging): string[] {
  return storedFields.filter(({ merging }) => merging === how).map(({ name }) => name);
}
