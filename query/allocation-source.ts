import { agreed, informed } from './rollup';
import { storedMeasures } from './schema';
import type { AllocationRequest } from './request';
import { allocationTarget, Bindings, condition, groupPart } from './sql';
import { costMeasures } from './cost';

/** Whether what is shared, idle and kept needs nothing below the controller, so that rolled up rows give their sums. */
export function hasRolledUpSums({ filter, sharing, idle }: AllocationRequest): boolean {
  if (idle.byNode || sharing.labels.length > 0) return false;
  return (
    filter === undefined ||
    filtersOnly(filter, new Set(['cluster', 'namespace', 'controllerName', 'controllerKind']))
  );
}

/** Whether a query needs nothing below the controller, so that the rolled up rows answer it. */
export function isRolledUp(request: AllocationRequest): boolean {
  const fields = new Set([
    'cluster',
    'namespace',
    'controllerKind',
    'controller',
    'deployment',
    'statefulset',
    'daemonset',
    'job',
  ]);
  const below = request.groups.some((group) => group.kind !== 'field' || !fields.has(group.field));
  return !below && hasRolledUpSums(request);
}

function filtersOnly(filter: NonNullable<AllocationRequest['filter']>, fields: ReadonlySet<string>): boolean {
  switch (filter.kind) {
    case 'compare':
      return filter.left.kind === 'field' && fields.has(filter.left.field);
    case 'not':
      return filtersOnly(filter.part, fields);
    default:
      return filter.parts.every((part) => filtersOnly(part, fields));
  }
}

/** Where the allocations of a query are read. */
export interface SourceOptions {
  readonly request: AllocationRequest;
  readonly rolledUp: boolean;
  /** Whether the picks take all clusters of their files. */
  readonly wholeFiles: boolean;
  /** Whether some identities are stood in for by those that their container has in a step. */
  readonly substituted: boolean;
  /** Whether some container has another controller in another window. */
  readonly controllersDiffer: boolean;
  /** The table to read. (Default: `allocation`) */
  readonly from?: 'allocation' | 'allocation_pv' | 'allocation_lb' | 'allocation_gpu';
}

/** The keys and conditions of a request, as columns to select beside those of an identity (or a rolled up row). */
function judged(request: AllocationRequest, bindings: Bindings): string {
  const parts = request.groups.map((group) => groupPart(group, bindings));
  const key = parts.length === 0 ? "''" : parts.join(` || '/' || `);
  const kept = request.filter === undefined ? 'true' : condition(request.filter, allocationTarget, bindings);
  return `${key} as key, ${kept} as kept, ${sharedCondition(request, bindings)} as shared`;
}

function sharedCondition({ sharing: { namespaces, labels } }: AllocationRequest, bindings: Bindings): string {
  const matches = labels.map(
    ({ key, value }) => `coalesce(labels[${bindings.bind(key)}] = ${bindings.bind(value)}, false)`,
  );
  if (namespaces.length > 0) matches.push(`list_contains(${bindings.texts(namespaces)}, namespace)`);
  return matches.length === 0 ? 'false' : `(${matches.join(' or ')})`;
}

/**
 * The start of a statement: common tables up to `source`, the rows of a query with their step, period, key, and whether
 * the filter keeps them and they are shared. The table `pick` says which rows are meant.
 */
export function sourceTables(options: SourceOptions, bindings: Bindings): string {
  const { request, rolledUp, wholeFiles, substituted, from = 'allocation' } = options;
  const adjustments = storedMeasures.filter((measure) => measure.endsWith('Adjustment'));
  const reconciled =
    request.reconcile || from !== 'allocation'
      ? '*'
      : `* replace (${adjustments.map((measure) => `0::double as "${measure}"`).join(', ')})`;
  const on = (table: string) =>
    `p.file = ${table}.file${wholeFiles ? '' : ` and p.cluster = ${table}.cluster`}`;
  if (rolledUp) {
    return `with rolled as (select *, ${judged(request, bindings)} from rollup where file in (select file from pick)),
source as (
  select ${reconciled} from (select p.step, p.period, r.* exclude (file) from rolled r join pick p on ${on('r')}))`;
  }
  const hashes = identityColumns.map((column) => `hash(${column}) as ${column}_hash`);
  const columns = `${identityColumns.join(', ')}, ${hashes.join(', ')}, name, plain, id, ${informed} as informed`;
  return `with judged as (select ${columns}, ${judged(request, bindings)} from ${identities(options)} i),
source as (
  select ${reconciled} from (
    select p.step, p.period, a.* exclude (file, identity), i.* exclude (id), i.id as sample
    from ${from} a join pick p on ${on('a')}
    ${substituted ? 'left join substitute s on s.step = p.step and s.identity = a.identity' : ''}
    join judged i on i.id = ${substituted ? 'coalesce(s.substitute, a.identity)' : 'a.identity'}))`;
}

/** The properties of an allocation that are texts. */
export const identityColumns = [
  'cluster_name',
  'node',
  'namespace',
  'pod',
  'container',
  'controller',
  'controller_kind',
  'provider_id',
] as const;

/**
 * Whether all rows of a group of `source` have the same value of a property, as SQL; of rolled up rows, which are few, that
 * value. Of millions of rows hashes are compared, which takes a fraction of the time that texts do: there is one chance in
 * 2^64 that two texts pass for one.
 */
export function agreedProperty(column: string, rolledUp: boolean): string {
  return rolledUp ? agreed(column) : `min(${column}_hash) = max(${column}_hash)`;
}

/** The statement that puts the texts of a group's identity where all of its rows agree. */
export function withProperties(
  grouped: string,
  properties: readonly string[],
  source: SourceOptions,
): string {
  if (source.rolledUp || properties.length === 0) return grouped;
  const texts = properties.map((column) => `case when g.${column} then i.${column} end as ${column}`);
  return `select g.* replace (${texts.join(', ')}) from (${grouped}) g left join ${identities(source)} i on i.id = g.sample`;
}

/** The identities of a query, with those that stand in for others in a step. */
function identities({ substituted }: Pick<SourceOptions, 'substituted'>): string {
  return substituted
    ? '(select * from identity union all by name select * from substitute_identity)'
    : 'identity';
}

/** The total cost of a row, as SQL. */
export const totalSql = `(${costMeasures.map((measure) => `"${measure}"`).join(' + ')})`;

/** The cost of a resource of a row, adjustment included, as SQL. */
export function resourceSql(resource: 'cpu' | 'gpu' | 'ram'): string {
  return `("${resource}Cost" + "${resource}CostAdjustment")`;
}
