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

/**
 * Fields that have the same value in all allocations of a workload, by their names in filters. `groupsOfWorkloads`
 * lists the same kind of fields by their names in groupings. A workload consists of all allocations of one controller.
 */
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
 * Returns whether `readSums` can read rolled-up rows instead of the individual allocations. A rolled-up row is the
 * total of one workload in one window file. Therefore, idle cost must not be computed per node, and the filter must not
 * use fields that can differ within a workload, such as pod or node. Labels and annotations are allowed, because
 * `mixedWorkloads` finds the few workloads in which they differ.
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
 * Returns whether rolled-up rows (one per workload and window file) can answer a query. Idle cost must not be computed
 * per node. The grouping and the filter must not use fields that can differ within a workload, such as pod or node.
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
 * Returns an SQL condition on the table `workload`. It is true for workloads whose allocations differ in a label or
 * annotation that the query uses. For these workloads, the query has to read the individual allocations. For all other
 * workloads, it can read the rolled-up rows (one per workload and window file). Returns undefined if the query uses no
 * labels or annotations.
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

/** Options for reading the allocations of a query. */
export interface SourceOptions {
  readonly request: AllocationRequest;
  readonly rolledUp: boolean;
  /**
   * Whether any workload has allocations that differ in a label or annotation that the query uses; see
   * `mixedWorkloads`.
   */
  readonly mixed: boolean;
  /**
   * The largest absolute value of each measure in the window files that the query reads. A measure without an entry is
   * 0 in all rows of these files.
   */
  readonly peaks: Peaks;
  /** Whether the query uses all clusters in each of the window files that it reads. */
  readonly wholeFiles: boolean;
  /** Whether some rows of the table `identity` are replaced by merged rows; see `substituteTwins`. */
  readonly substituted: boolean;
  /** Whether any container has different controllers in different windows. */
  readonly controllersDiffer: boolean;
  /** The table to read. (Default: `allocation`) */
  readonly from?: 'allocation' | 'allocation_pv' | 'allocation_lb' | 'allocation_gpu';
}

/**
 * Returns SQL for three columns. Each describes a workload or a row of the table `identity`:
 * - `key`: the name of the result row to which the workload or identity belongs
 * - `kept`: whether the workload or identity passes the filter
 * - `shared`: whether the cost of the workload or identity is split among the other allocations
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
 * Returns a `with` clause that defines the table `source`: the allocations of a query, or their rolled-up rows (one per
 * workload and window file). Each row of `source` also has its time step, its period (the result set it belongs to) and
 * the columns that `judged` returns. Only the window files in the temp table `pick` are read.
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
    // Few rows of the table `identity` have volumes, load balancers or GPUs. Do not read the other rows.
    const which =
      from === 'allocation' || options.substituted
        ? 'true'
        : `id in (select a.identity from ${from} a join pick p on ${picked('a', options)})`;
    return `with judged as (${judgedIdentities(options, which, bindings)}), source as (select ${known} from (${rows}))`;
  }
  // The statement contains the condition `several` twice, with the same placeholders. So bind its values only once.
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
 * Columns with the text properties of an allocation. All allocations of a workload have the same values in the columns
 * `workloadColumns`. Their values in the columns `columnsBelow` may differ.
 */
const workloadColumns = ['cluster_name', 'namespace', 'controller', 'controller_kind'] as const;
const columnsBelow = ['node', 'pod', 'container', 'provider_id'] as const;
export const identityColumns = [...workloadColumns, ...columnsBelow] as const;

/**
 * Returns an SQL condition that is true if all rows of a group have the same value of a text property. It compares
 * 64-bit hashes, which is much faster than comparing the texts. Two different texts have the same hash with a
 * probability of 1 in 2^64.
 */
export function agreedProperty(column: (typeof identityColumns)[number]): string {
  const hash = `${column}_hash`;
  const same = `min(${hash}) = max(${hash})`;
  // In a rolled-up row, the hash is null if the allocations of the row have different values of the property.
  return columnsBelow.some((one) => one === column) ? `(count(${hash}) = count(*) and ${same})` : same;
}

/**
 * Extends an SQL statement that groups the rows of `source`: adds each text property that has the same value in all
 * rows of a group. As the value is the same in the whole group, it is read from only one workload or identity in the
 * group.
 */
export function withProperties(
  grouped: string,
  properties: readonly (typeof identityColumns)[number][],
  source: SourceOptions,
): string {
  if (properties.length === 0) return grouped;
  // If a container's controller has changed, the tables `workload` and `identity` may name different controllers for
  // it. So use only `identity`.
  const above = source.controllersDiffer ? [] : workloadColumns;
  const below = identityColumns.filter((column) => !above.some((one) => one === column));
  const texts = (columns: readonly string[], table: string) =>
    columns.map((column) => `case when g.${column} then ${table}.${column} end as ${column}`);
  const replaced = [...texts(above, 'w'), ...texts(below, 'i')];
  // Most large groups have no common value in any of these columns. Do not look up an identity for these groups.
  const sample = `case when ${below.map((column) => `g.${column}`).join(' or ')} then g.sample end`;
  return `, grouped as (${grouped})
select g.* replace (${replaced.join(', ')}, g.sample::varchar as sample) from grouped g left join workload w on w.id = g.workload
left join (select content, ${below.join(', ')} from ${identities(source)} where content in (select ${sample} from grouped g)) i on i.content = ${sample}`;
}

/**
 * Returns SQL for the table `identity`. If `substituted` is true, the merged rows that `substituteTwins` creates are
 * added.
 */
function identities({ substituted }: Pick<SourceOptions, 'substituted'>): string {
  return substituted
    ? '(select * from identity union all by name select * from substitute_identity)'
    : 'identity';
}

/** SQL for the total cost of a row, including adjustments. */
export const totalSql = `(${costMeasures.map((measure) => `"${measure}"`).join(' + ')})`;

/** Returns an upper bound on the absolute value of a row's total cost. */
export function mostCost(peaks: Peaks): number {
  return costMeasures.reduce((sum, measure) => sum + peakOf(peaks, measure), 0);
}

/** Returns SQL for the total cost of a group of rows. */
export function totalCostSum(peaks: Peaks): string {
  return exactSum(totalSql, mostCost(peaks));
}

/** Returns SQL for the cost of a resource (CPU, GPU or RAM) in a row, including the adjustment. */
export function resourceSql(resource: Resource): string {
  return `("${resource}Cost" + "${resource}CostAdjustment")`;
}

/** Returns an upper bound on the absolute value of a resource's cost in a row, including the adjustment. */
export function mostOf(resource: Resource, peaks: Peaks): number {
  return peakOf(peaks, `${resource}Cost`) + peakOf(peaks, `${resource}CostAdjustment`);
}
