import { type DuckDBValue, listValue } from '@duckdb/node-api';
import { ownValue } from '../etl/own-value';
import type { Filter, FilterOperand } from './filter';
import type { AllocationField, AllocationGroup } from './request';

/**
 * Collects the parameters of an SQL statement. User input is always passed as a parameter, and is never part of the
 * SQL.
 */
export class Bindings {
  readonly values: DuckDBValue[] = [];

  /** Adds a parameter and returns its placeholder, such as `$1`. */
  bind(value: string | number): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  texts(values: readonly string[]): string {
    // DuckDB cannot infer the type of an empty list in a parameter. So write an empty list into the SQL.
    if (values.length === 0) return '[]::varchar[]';
    this.values.push(listValue([...values]));
    return `$${this.values.length}::varchar[]`;
  }

  /** Adds a list of 32-bit integers as a parameter and returns its placeholder. */
  integers(values: readonly number[]): string {
    this.values.push(`[${values.join()}]`);
    return `$${this.values.length}::integer[]`;
  }

  /**
   * Adds a list of unsigned 64-bit integers as a parameter and returns its placeholder. The integers are given as
   * strings.
   */
  longs(values: readonly string[]): string {
    this.values.push(`[${values.join()}]`);
    return `$${this.values.length}::ubigint[]`;
  }

  doubles(values: readonly number[]): string {
    this.values.push(`[${values.join()}]`);
    return `$${this.values.length}::double[]`;
  }
}

/** Returns SQL columns that turn lists into a table. Each list becomes one column, with one element per row. */
export function unnested(lists: Readonly<Record<string, string>>): string {
  return Object.entries(lists)
    .map(([column, list]) => `unnest(${list}) as ${column}`)
    .join(', ');
}

/** Text that represents an empty value in row names and filters. */
export const unallocated = '__unallocated__';

const plainColumns: Partial<Record<AllocationField, string>> = {
  cluster: 'cluster_name',
  node: 'node',
  namespace: 'namespace',
  pod: 'pod',
  container: 'container',
  providerID: 'provider_id',
};

/**
 * Returns SQL for one part of a row name: the value of a property that rows are grouped by. The value is never null.
 */
export function groupPart(group: AllocationGroup, bindings: Bindings): string {
  switch (group.kind) {
    case 'label':
      return `coalesce(labels[${bindings.bind(group.key)}], '${unallocated}')`;
    case 'annotation':
      return `coalesce(annotations[${bindings.bind(group.key)}], '${unallocated}')`;
    case 'namespaceLabel':
      return `coalesce(namespace_labels[${bindings.bind(group.key)}], '${unallocated}')`;
    case 'alias': {
      const key = bindings.bind(group.key);
      return `coalesce(labels[${key}], annotations[${key}], '${unallocated}')`;
    }
    case 'field':
      return fieldPart(group.field);
  }
}

function fieldPart(field: AllocationField): string {
  const plain = plainColumns[field];
  if (plain !== undefined) return plain;
  switch (field) {
    case 'controllerKind':
      return `coalesce(nullif(controller_kind, ''), '${unallocated}')`;
    case 'controller':
      return `case when controller = '' then '${unallocated}' when controller_kind = '' then controller else controller_kind || ':' || controller end`;
    case 'service':
      return `coalesce(services[1], '${unallocated}')`;
    case 'account':
    case 'provider':
    case 'region':
      return `coalesce(nullif(${field}, ''), '${unallocated}')`;
    default:
      return `case when controller_kind = '${field}' and controller <> '' then controller else '${unallocated}' end`;
  }
}

/**
 * Describes the records that a filter is applied to: the column of each field, and whether the records have
 * annotations.
 */
export interface FilterTarget {
  readonly columns: Readonly<Record<string, string>>;
  readonly annotations: boolean;
}

const allocationColumns = {
  cluster: 'cluster_name',
  node: 'node',
  namespace: 'namespace',
  controllerName: 'controller',
  controllerKind: 'controller_kind',
  container: 'container',
  pod: 'pod',
  provider: 'provider_id',
};

/** Returns SQL for a filter. Its value is true or false, but never null. */
export function condition(filter: Filter, target: FilterTarget, bindings: Bindings): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      if (filter.parts.length === 0) return filter.kind === 'and' ? 'true' : 'false';
      return `(${filter.parts.map((part) => condition(part, target, bindings)).join(` ${filter.kind} `)})`;
    }
    case 'not':
      return `(not ${condition(filter.part, target, bindings)})`;
    case 'compare': {
      const { left, comparator, values } = filter;
      if (values.length === 0) return 'false';
      return `(${values.map((value) => comparison(left, comparator, bindings.bind(value), target, bindings)).join(' or ')})`;
    }
  }
}

type Comparator = Extract<Filter, { kind: 'compare' }>['comparator'];

function comparison(
  left: FilterOperand,
  comparator: Comparator,
  value: string,
  target: FilterTarget,
  bindings: Bindings,
): string {
  switch (left.kind) {
    case 'field': {
      const column = ownValue(target.columns, left.field);
      if (column === undefined) throw new Error(`No column of the field ${left.field}.`);
      return left.field === 'assetType'
        ? compareText(`lower(${column})`, comparator, `lower(${value})`)
        : compareText(column, comparator, value);
    }
    case 'label':
    case 'annotation':
      return compareText(`coalesce(${left.kind}s[${bindings.bind(left.key)}], '')`, comparator, value);
    case 'alias': {
      const key = bindings.bind(left.key);
      const aliased = `labels[${key}]${target.annotations ? `, annotations[${key}]` : ''}`;
      return compareText(`coalesce(${aliased}, '')`, comparator, value);
    }
    case 'services':
      return `(${someElement('services', comparator, value)} or (len(services) = 0 and ${value} = ''))`;
    case 'labelKeys':
      return someElement('map_keys(labels)', comparator, value);
    case 'annotationKeys':
      return someElement('map_keys(annotations)', comparator, value);
  }
}

function compareText(text: string, comparator: Comparator, value: string): string {
  switch (comparator) {
    case 'equals':
      return `${text} = ${value}`;
    case 'contains':
      return `contains(${text}, ${value})`;
    case 'startsWith':
      return `starts_with(${text}, ${value})`;
    case 'endsWith':
      return `ends_with(${text}, ${value})`;
  }
}

function someElement(list: string, comparator: Comparator, value: string): string {
  if (comparator === 'equals' || comparator === 'contains') return `list_contains(${list}, ${value})`;
  return `len(list_filter(${list}, lambda element: ${compareText('element', comparator, value)})) > 0`;
}

const assetColumns = {
  name: 'name',
  assetType: 'type',
  category: 'category',
  cluster: 'cluster_name',
  project: 'project',
  provider: 'provider',
  providerID: 'provider_id',
  account: 'account',
  service: 'service',
};

export const allocationTarget: FilterTarget = { columns: allocationColumns, annotations: true };
export const assetTarget: FilterTarget = { columns: assetColumns, annotations: false };
