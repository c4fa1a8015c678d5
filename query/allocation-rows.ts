import { FederationError } from '../errors/federation-error';
import {
  agreedProperty,
  identityColumns,
  type SourceOptions,
  sourceTables,
  withProperties,
} from './allocation-source';
import type { AllocationProperties } from './answer';
import { mapRows, type Row } from './database';
import { emptyRow, type FoundRow } from './found-row';
import { measures, storedMeasures } from './measures';
import { agreed, merged, sampleSql } from './rollup';
import {
  addEvenShares,
  fillFactors,
  measuresWithShares,
  type Shares,
  takesInProportion,
  withFactors,
} from './shares';
import { Bindings } from './sql';
import type { Statements } from './statements';
import type { Steps } from './steps';

/**
 * Reads the rows of a query result. Costs include each row's share of idle, shared and management costs. Throws
 * QUERY_TOO_LARGE if there are more than `mostRows` rows.
 */
export async function readRows(
  statements: Statements,
  source: SourceOptions,
  steps: Steps,
  shares: Shares,
  mostRows: number,
): Promise<FoundRow[]> {
  const { request, peaks } = source;
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const properties = request.details === false ? [] : identityColumns;
  const takes = takesInProportion(shares);
  if (takes) await fillFactors(statements, shares);
  const columns = takes
    ? measuresWithShares(shares, peaks)
    : storedMeasures
        .filter((measure) => peaks.has(measure))
        .map((measure) => `${merged(measure, peaks)} as "${measure}"`);
  const grouped = `select period, key, min(step) as first_step, max(step) as last_step, ${gathered(properties, source, columns)}
from ${takes ? withFactors(request) : 'source'} where kept and not shared group by period, key limit ${mostRows + 1}`;
  const found = await mapRows(
    statements,
    `${tables}\n${withProperties(grouped, properties, source)}`,
    bindings.values,
    (row) => toRow(row, steps),
  );
  if (found.length > mostRows) {
    throw new FederationError('QUERY_TOO_LARGE', {
      detail: `The answer has more rows than api.limits.rows allows, ${mostRows}.`,
    });
  }
  await addEvenShares(statements, source, shares.shared, found);
  return found;
}

/**
 * Returns the columns of an SQL statement that groups the rows of the table `source`. Each group becomes one row of the
 * query result.
 */
function gathered(
  properties: readonly (typeof identityColumns)[number][],
  { controllersDiffer }: SourceOptions,
  measures: readonly string[],
): string {
  return [
    'min(start_at) as start_at, max(end_at) as end_at',
    `${agreed('name')} as name`,
    `${sampleSql} as sample, min(workload) as workload`,
    // If a container had different controllers over time, its row shows the non-empty name that is first in
    // alphabetical order.
    `${controllersDiffer ? "min(nullif(controller, ''))" : 'null'} as any_controller`,
    ...properties.map((column) => `${agreedProperty(column)} as ${column}`),
    ...measures,
  ].join(', ');
}

function toRow(row: Row, { periods }: Steps): FoundRow {
  const period = Number(row['period']);
  const [start, end] = [Number(row['start_at']), Number(row['end_at'])];
  const found = { ...emptyRow(String(row['key']), periods[period] ?? { start, end }), period, start, end };
  for (const measure of measures) found[measure] = Number(row[measure] ?? 0);
  found.properties = propertiesOf(row);
  if (row['name'] !== null && typeof row['any_controller'] === 'string' && 'controller' in row) {
    found.properties.controller = row['any_controller'];
  }
  found.sample = String(row['sample']);
  if (row['name'] !== null && row['first_step'] === row['last_step']) {
    found.single = { name: Number(row['name']), step: Number(row['first_step']) };
  }
  return found;
}

/** The text properties of a row. For each property, the database column that contains it. */
const propertyColumns = [
  ['cluster', 'cluster_name'],
  ['node', 'node'],
  ['container', 'container'],
  ['controller', 'controller'],
  ['controllerKind', 'controller_kind'],
  ['namespace', 'namespace'],
  ['pod', 'pod'],
  ['providerID', 'provider_id'],
] as const satisfies readonly (readonly [keyof AllocationProperties, (typeof identityColumns)[number]])[];

function propertiesOf(row: Row): AllocationProperties {
  const properties: Partial<Record<(typeof propertyColumns)[number][0], string>> = {};
  for (const [property, column] of propertyColumns) {
    const value = row[column];
    if (typeof value === 'string' && value !== '') properties[property] = value;
  }
  return properties;
}
