import { exactSum } from './exact-sum';
import { measureFacts, type StoredMeasure, storedMeasures } from './measures';
import { peakOf, type Peaks } from './peaks';

/** SQL for the duration of a row in minutes. */
export const rowMinutes = '((end_at - start_at) / 60)';

/** Returns SQL for the value that a column has in all rows of a group, or null if the rows have different values. */
export function agreed(column: string): string {
  return `case when count(${column}) = count(*) and min(${column}) = max(${column}) then min(${column}) end`;
}

/**
 * Returns SQL for the value of a measure in a group of rows: a sum or an average. In a group with a single row, it is
 * exactly the value of this row, even if the row has a duration of zero.
 */
export function merged(measure: StoredMeasure, peaks: Peaks): string {
  const most = peakOf(peaks, measure);
  if (measureFacts[measure].merging === 'sum') return exactSum(`"${measure}"`, most);
  const sum = exactSum(`"${measure}" * ${rowMinutes}`, most * peakOf(peaks, 'minutes'));
  const mean = `coalesce(${sum} / nullif((max(end_at) - min(start_at)) / 60, 0), 0)`;
  return `case when count(*) = 1 then any_value("${measure}") else ${mean} end`;
}

/**
 * SQL for the content hash of one of the identities in a group of rows. (An identity consists of the names, labels and
 * other texts of an allocation.) The group gets the namespace labels and annotations of this identity.
 *
 * The first choice is an identity that has namespace labels or annotations and is not an unmounted volume. The second
 * choice is one that is not an unmounted volume. The last choice is any identity. Among equally good ones, the one with
 * the smallest hash is chosen, so that every database chooses the same identity.
 */
export const sampleSql =
  'coalesce(min(case when plain and informed then sample end), min(case when plain then sample end), min(sample))';

/** SQL condition that is true if an identity has namespace labels or annotations. */
export const informed = '(cardinality(i.namespace_labels) + cardinality(i.namespace_annotations) > 0)';

const groupedBy = 'a.file, a.cluster, i.workload';
const below = ['node', 'pod', 'container', 'provider_id'];

/**
 * Returns an SQL statement that merges the allocations of a window file into one row per cluster and workload. It
 * stores these rows in the table `rollup`. Its parameter is the id of the file. The table `identity` has millions of
 * rows, so the statement reads only those that the file uses.
 */
export function rollUp(peaks: Peaks): string {
  return `
insert into rollup
with own as (
  select id, content, workload, ${below.map((column) => `hash(${column}) as ${column}`).join(', ')}, name, ${informed} as informed
  from identity i where id in (select identity from allocation where file = $1)
)
select ${groupedBy},
  ${[...below, 'name'].map((column) => agreed(`i.${column}`)).join(',\n  ')},
  coalesce(min(case when i.informed then i.content end), min(i.content)), bool_or(i.informed), min(a.start_at), max(a.end_at),
  ${storedMeasures.map((measure) => merged(measure, peaks)).join(',\n  ')}
from allocation a join own i on i.id = a.identity
where a.file = $1
group by ${groupedBy}`;
}

/**
 * SQL that fills the temp table `served_identity` with ids from the table `identity`. These are the identities (names,
 * labels and other texts of allocations) in the window files that queries read.
 */
export const findServedIdentities = `create or replace temp table served_identity as
select distinct identity as id from allocation where file in (select file from served)`;

/**
 * SQL for the rows of the table `identity` that occur in window files that queries read. Requires the temp table that
 * `findServedIdentities` fills.
 */
export const servedIdentities = 'select i.* from main.identity i semi join served_identity using (id)';

const noEntries = 'map([]::varchar[], []::varchar[])';
const commonOf = (kind: string) =>
  `coalesce(map_from_entries(list((key, value)) filter (kind = '${kind}' and common)), ${noEntries})`;
const mixedOf = (kind: string) =>
  `coalesce(list(key order by key) filter (kind = '${kind}' and not common), []::varchar[])`;

/**
 * SQL that fills the table `workload` from the table `identity`. Rows of `identity` that occur only in old files are
 * ignored.
 */
export const fillWorkloads = `
insert into workload
with identity as (${servedIdentities}), known as (
  select workload, any_value(cluster_name) as cluster_name, any_value(namespace) as namespace,
    any_value(controller) as controller, any_value(controller_kind) as controller_kind, any_value(plain) as plain,
    count(*) as identities
  from identity group by workload
), entry as (
  select workload, 'label' as kind, unnest(map_entries(labels)) as entry from identity
  union all select workload, 'annotation', unnest(map_entries(annotations)) from identity
), counted as (
  select workload, kind, entry.key as key, min(entry.value) as value,
    count(*) = any_value(identities) and min(entry.value) = max(entry.value) as common
  from entry join known using (workload) group by workload, kind, entry.key
), merged as (
  select workload, ${commonOf('label')} as labels, ${commonOf('annotation')} as annotations,
    ${mixedOf('label')} as mixed_labels, ${mixedOf('annotation')} as mixed_annotations
  from counted group by workload
)
select workload, cluster_name, namespace, controller, controller_kind, plain,
  coalesce(labels, ${noEntries}), coalesce(annotations, ${noEntries}), coalesce(mixed_labels, []), coalesce(mixed_annotations, [])
from known left join merged using (workload)`;
