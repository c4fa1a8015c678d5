import { costMeasures } from './cost';
import { exactSum } from './exact-sum';
import type { Filter } from './filter';
import type { Resource } from './idle';
import { storedMeasures } from './measures';
import { peakOf, type Peaks } from './peaks';
import { placementColumns, withPlacement } from './placement';
import type { AllocationRequest } from './request';
import { informed } from './rollup';
import { allocationTarget, Bindings, condition, groupPart } from './sql';

/** Names that filters use for the fields of a workload. The next set has the names that groups use for them. */
const filtersOfWorkloads = new Set(['cluster', 'namespace', 'controllerName', 'controllerKind']);
const groupsOfWorkloads = new Set([
  'cluster',
  'namespace',
  'controllerKind',
  'controller',
  'deployment',
  'statefulset',
  'daemonset',
  'job',
]);

/**
 * Returns whether shared, idle and kept costs can be summed from rolled-up rows (one row per workload and file). The
 * filter and idle must use nothing more specific than a workload. They may use labels and annotations: `mixedWorkloads`
 * finds the few workloads whose allocations differ in these.
 */
export function hasRolledUpSums({ filter, idle }: AllocationRequest): boolean {
  return (
    !idle.byNode &&
    operandsOf(filter).every((operand) =>
      operand.kind === 'field'
        ? filtersOfWorkloads.has(operand.field)
        : ['label', 'annotation', 'alias'].includes(operand.kind),
    )
  );
}

/**
 * Returns whether rolled-up rows can answer a query: its groups, filter and idle must use nothing more specific than a
 * workload.
 */
export function isRolledUp(request: AllocationRequest): boolean {
  const below = request.groups.some((group) =>
    group.kind === 'field' ? !groupsOfWorkloads.has(group.field) : group.kind === 'namespaceLabel',
  );
  return !below && hasRolledUpSums(request);
}

function operandsOf(filter: Filter | undefined): Extract<Filter, { kind: 'compare' }>['left'][] {
  if (filter === undefined) return [];
  switch (filter.kind) {
    case 'compare':
      return [filter.left];
    case 'not':
      return operandsOf(filter.part);
    default:
      return filter.parts.flatMap(operandsOf);
  }
}

/**
 * Returns an SQL condition on the table `workload` that finds workloads whose allocations differ in a label or
 * annotation that the query uses. Their allocations have to be read; for all other workloads the rolled-up rows
 * suffice. Returns undefined if the query uses no labels or annotations.
 */
export function mixedWorkloads(
  { groups, filter, sharing }: AllocationRequest,
  bindings: Bindings,
): string | undefined {
  const named = [...groups, ...operandsOf(filter)].flatMap((one) => ('key' in one ? [one] : []));
  const keys = (kinds: readonly string[]) =>
    named.filter(({ kind }) => kinds.includes(kind)).map(({ key }) => key);
  const labels = [...keys(['label', 'alias']), ...sharing.labels.map(({ key }) => key)];
  const annotations = keys(['annotation', 'alias']);
  if (labels.length + annotations.length === 0) return undefined;
  return `(list_has_any(mixed_labels, ${bindings.texts(labels)}) or list_has_any(mixed_annotations, ${bindings.texts(annotations)}))`;
}

/** How the allocations of a query are read. */
export interface SourceOptions {
  readonly request: AllocationRequest;
  readonly rolledUp: boolean;
  /** Whether any workload fulfils the condition that `mixedWorkloads` returns. */
  readonly mixed: boolean;
  /**
   * The largest absolute value of each measure in the picked files. A measure without an entry is 0 in all rows of
   * these files.
   */
  readonly peaks: Peaks;
  /** Whether the answer uses all clusters of each picked file. */
  readonly wholeFiles: boolean;
  /** Whether some identities are replaced by others; see `substituteTwins`. */
  readonly substituted: boolean;
  /** Whether some container has different controllers in different windows. */
  readonly controllersDiffer: boolean;
  /** The table whose rows are read. (Default: `allocation`) */
  readonly from?: 'allocation' | 'allocation_pv' | 'allocation_lb' | 'allocation_gpu';
}

/**
 * Returns SQL columns that are computed for each identity or workload: the key of its row in the answer, whether the
 * filter keeps it, and whether its cost is shared among the others.
 */
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
 * Returns a `with` clause that defines the table `source` (and those that it is built from): the allocations of a query
 * or their rolled-up rows, with their step, period and key, whether the filter keeps them, and whether their cost is
 * shared. They are read from the stored sets that the temp table `pick` lists.
 */
export function sourceTables(options: SourceOptions, bindings: Bindings): string {
  const { request, rolledUp, mixed, peaks, from = 'allocation' } = options;
  const zeros = storedMeasures.filter(
    (measure) => !peaks.has(measure) || (!request.reconcile && measure.endsWith('Adjustment')),
  );
  const known =
    from !== 'allocation' || zeros.length === 0
      ? '*'
      : `* replace (${zeros.map((measure) => `0::double as "${measure}"`).join(', ')})`;
  if (!rolledUp) {
    const rows = allocationRows(options);
    // Only a few identities have volumes, load balancers or GPUs. Do not read the other identities.
    const which =
      from === 'allocation' || options.substituted
        ? 'true'
        : `id in (select a.identity from ${from} a join pick p on ${picked('a', options)})`;
    return `with judged as (${judgedIdentities(options, which, bindings)}), source as (select ${known} from (${rows}))`;
  }
  // The statement contains this condition twice, but with the same placeholders, so its keys are bound only once.
  const several = mixed ? (mixedWorkloads(request, bindings) ?? 'false') : 'false';
  const tables = [`rolled as (${judgedWorkloads(options, `not ${several}`, bindings)})`];
  const rows = [rolledUpRows(options)];
  if (mixed) {
    const own = `workload in (select id from workload where ${several})`;
    tables.push(`judged as (${judgedIdentities(options, own, bindings)})`);
    rows.push(allocationRows(options));
  }
  return `with ${tables.join(',\n')},\nsource as (select ${known} from (${rows.join(' union all by name ')}))`;
}

const hashes = (columns: readonly string[]) => columns.map((column) => `hash(${column}) as ${column}_hash`);

function judgedWorkloads({ request }: SourceOptions, which: string, bindings: Bindings): string {
  const columns = [...workloadColumns, ...hashes(workloadColumns)].join(', ');
  return `select ${columns}, plain, id, ${judged(request, bindings)} from workload where ${which}`;
}

function rolledUpRows(options: SourceOptions): string {
  const { from = 'allocation' } = options;
  const table = from === 'allocation' ? 'rollup' : from;
  return `select p.step, p.period, r.* exclude (file), w.* exclude (id)
  from ${table} r join pick p on ${picked('r', options)} join rolled w on w.id = r.workload`;
}

function judgedIdentities(options: SourceOptions, which: string, bindings: Bindings): string {
  const columns = `${identityColumns.join(', ')}, ${hashes(identityColumns).join(', ')}, name, workload, plain, id, content`;
  const judgement = judged(options.request, bindings);
  const placed = options.request.groups.some(
    (group) => group.kind === 'field' && placementColumns.some((column) => column === group.field),
  );
  const all = placed ? withPlacement(identities(options)) : identities(options);
  return `select ${columns}, ${informed} as informed, ${judgement} from ${all} i where ${which}`;
}

function allocationRows(options: SourceOptions): string {
  const { substituted, from = 'allocation' } = options;
  const ofWorkload = from === 'allocation_pv' || from === 'allocation_lb' ? ', workload' : '';
  return `select p.step, p.period, a.* exclude (file, identity${ofWorkload}), i.* exclude (id, content), i.content as sample
    from ${from} a join pick p on ${picked('a', options)}
    ${substituted ? 'left join substitute s on s.step = p.step and s.identity = a.identity' : ''}
    join judged i on i.id = ${substituted ? 'coalesce(s.substitute, a.identity)' : 'a.identity'}`;
}

function picked(table: string, { wholeFiles }: SourceOptions): string {
  return `p.file = ${table}.file${wholeFiles ? '' : ` and p.cluster = ${table}.cluster`}`;
}

/**
 * Columns of an allocation's text properties. Those in `workloadColumns` have the same value in all allocations of a
 * workload; those in `columnsBelow` may differ among them.
 */
const workloadColumns = ['cluster_name', 'namespace', 'controller', 'controller_kind'] as const;
const columnsBelow = ['node', 'pod', 'container', 'provider_id'] as const;
export const identityColumns = [...workloadColumns, ...columnsBelow] as const;

/**
 * Returns SQL that is true if all rows of a group of `source` share the value of a property. It compares hashes, which
 * takes a fraction of the time of comparing texts. The chance that two different texts have the same hash is 1 in 2^64.
 */
export function agreedProperty(column: (typeof identityColumns)[number]): string {
  const hash = `${column}_hash`;
  const same = `min(${hash}) = max(${hash})`;
  // A rolled-up row has no hash of a property in which its allocations differ.
  return columnsBelow.some((one) => one === column) ? `(count(${hash}) = count(*) and ${same})` : same;
}

/**
 * Extends a statement that groups `source`: adds the text properties that all rows of a group share. They are read from
 * a single workload and a single identity of the group.
 */
export function withProperties(
  grouped: string,
  properties: readonly (typeof identityColumns)[number][],
  source: SourceOptions,
): string {
  if (properties.length === 0) return grouped;
  // If a container has had several controllers, its substitute identity may have another controller than its workload.
  // Then read these columns from the identity, too.
  const above = source.controllersDiffer ? [] : workloadColumns;
  const below = identityColumns.filter((column) => !above.some((one) => one === column));
  const texts = (columns: readonly string[], table: string) =>
    columns.map((column) => `case when g.${column} then ${table}.${column} end as ${column}`);
  const replaced = [...texts(above, 'w'), ...texts(below, 'i')];
  // The members of most large groups have none of these properties (such as node or pod) in common. Reading texts only
  // for groups that need them avoids reading millions of identities.
  const sample = `case when ${below.map((column) => `g.${column}`).join(' or ')} then g.sample end`;
  return `, grouped as (${grouped})
select g.* replace (${replaced.join(', ')}, g.sample::varchar as sample) from grouped g left join workload w on w.id = g.workload
left join (select content, ${below.join(', ')} from ${identities(source)} where content in (select ${sample} from grouped g)) i on i.content = ${sample}`;
}

/** Returns SQL for the identities of a query, including the substitutes that `substituteTwins` created. */
function identities({ substituted }: Pick<SourceOptions, 'substituted'>): string {
  return substituted
    ? '(select * from identity union all by name select * from substitute_identity)'
    : 'identity';
}

/** SQL for the total cost of a row. */
export const totalSql = `(${costMeasures.map((measure) => `"${measure}"`).join(' + ')})`;

/** Returns an upper bound on the absolute total cost of a row. */
export function mostCost(peaks: Peaks): number {
  return costMeasures.reduce((sum, measure) => sum + peakOf(peaks, measure), 0);
}

/** Returns SQL for the total cost of a group of rows. */
export function totalCostSum(peaks: Peaks): string {
  return exactSum(totalSql, mostCost(peaks));
}

/** Returns SQL for a row's cost of a resource, adjustment included. */
export function resourceSql(resource: Resource): string {
  return `("${resource}Cost" + "${resource}CostAdjustment")`;
}

/** Returns an upper bound on the absolute cost of a resource in a row. */
export function mostOf(resource: Resource, peaks: Peaks): number {
  return peakOf(peaks, `${resource}Cost`) + peakOf(peaks, `${resource}CostAdjustment`);
}
