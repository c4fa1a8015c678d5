import { exactSum } from './exact-sum';
import { peakOf, type Peaks } from './peaks';
import { placementColumns, withPlacement } from './placement';
import { informed } from './rollup';
import { storedMeasures } from './schema';
import type { Filter } from './filter';
import type { AllocationRequest } from './request';
import { allocationTarget, Bindings, condition, groupPart } from './sql';
import { costMeasures } from './cost';
import type { Resource } from './idle';

/** What workloads are told apart by, as it is called in filters and in groups. */
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
 * Whether what is shared, idle and kept needs nothing below workloads, so that rolled up rows give their sums. Labels and
 * annotations do not, but for the workloads that have several values of them: see `mixedWorkloads`.
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

/** Whether a query needs nothing below workloads, so that the rolled up rows answer it. */
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
 * Which workloads have several values of a label or an annotation that a query asks for, as a condition on the table
 * `workload`: of these the allocations are taken, of the others the rolled up rows. Undefined when it asks for none.
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

/** Where the allocations of a query are read. */
export interface SourceOptions {
  readonly request: AllocationRequest;
  readonly rolledUp: boolean;
  /** Whether some workloads are mixed, see `mixedWorkloads`. */
  readonly mixed: boolean;
  /** The largest numbers of the files that answer; a measure without one is 0 in all of their rows. */
  readonly peaks: Peaks;
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
    // What lies beside allocations is of few of all identities.
    const which =
      from === 'allocation' || options.substituted
        ? 'true'
        : `id in (select a.identity from ${from} a join pick p on ${picked('a', options)})`;
    return `with judged as (${judgedIdentities(options, which, bindings)}), source as (select ${known} from (${rows}))`;
  }
  // What is bound twice is one value, as both name the same keys.
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

/** The properties of an allocation that are texts: those of its workload, and those below. */
const workloadColumns = ['cluster_name', 'namespace', 'controller', 'controller_kind'] as const;
const columnsBelow = ['node', 'pod', 'container', 'provider_id'] as const;
export const identityColumns = [...workloadColumns, ...columnsBelow] as const;

/**
 * Whether all rows of a group of `source` have the same value of a property, as SQL. Hashes are compared, which takes a
 * fraction of the time that texts do: there is one chance in 2^64 that two texts pass for one.
 */
export function agreedProperty(column: (typeof identityColumns)[number]): string {
  const hash = `${column}_hash`;
  const same = `min(${hash}) = max(${hash})`;
  // A rolled up row has none where its allocations differ.
  return columnsBelow.some((one) => one === column) ? `(count(${hash}) = count(*) and ${same})` : same;
}

/** The statement that puts texts where all rows of a group agree: those of one of its workloads and identities. */
export function withProperties(
  grouped: string,
  properties: readonly (typeof identityColumns)[number][],
  source: SourceOptions,
): string {
  if (properties.length === 0) return grouped;
  // What stands in for containers of several controllers has that of none of their workloads.
  const above = source.controllersDiffer ? [] : workloadColumns;
  const below = identityColumns.filter((column) => !above.some((one) => one === column));
  const texts = (columns: readonly string[], table: string) =>
    columns.map((column) => `case when g.${column} then ${table}.${column} end as ${column}`);
  const replaced = [...texts(above, 'w'), ...texts(below, 'i')];
  // Most groups of many allocations agree in nothing below, and all identities are millions.
  const sample = `case when ${below.map((column) => `g.${column}`).join(' or ')} then g.sample end`;
  return `, grouped as (${grouped})
select g.* replace (${replaced.join(', ')}, g.sample::varchar as sample) from grouped g left join workload w on w.id = g.workload
left join (select content, ${below.join(', ')} from ${identities(source)} where content in (select ${sample} from grouped g)) i on i.content = ${sample}`;
}

/** The identities of a query, with those that stand in for others in a step. */
function identities({ substituted }: Pick<SourceOptions, 'substituted'>): string {
  return substituted
    ? '(select * from identity union all by name select * from substitute_identity)'
    : 'identity';
}

/** The total cost of a row, as SQL. */
export const totalSql = `(${costMeasures.map((measure) => `"${measure}"`).join(' + ')})`;

/** No row costs more, whatever the sign. */
export function mostCost(peaks: Peaks): number {
  return costMeasures.reduce((sum, measure) => sum + peakOf(peaks, measure), 0);
}

/** What rows cost in all, as SQL. */
export function totalCostSum(peaks: Peaks): string {
  return exactSum(totalSql, mostCost(peaks));
}

/** The cost of a resource of a row, adjustment included, as SQL. */
export function resourceSql(resource: Resource): string {
  return `("${resource}Cost" + "${resource}CostAdjustment")`;
}

/** No row costs more of a resource, whatever the sign. */
export function mostOf(resource: Resource, peaks: Peaks): number {
  return peakOf(peaks, `${resource}Cost`) + peakOf(peaks, `${resource}CostAdjustment`);
}
