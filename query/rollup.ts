import { storedMeasures } from './schema';

/** Averages: of several allocations they are weighted by each one's own time, over the time of all. */
export function isAverage(measure: string): boolean {
  return measure.endsWith('Average');
}

/** Minutes of a row, as SQL. */
export const rowMinutes = '((end_at - start_at) / 60)';

/** The value that all rows of a group have, else null; as SQL. */
export function agreed(column: string): string {
  return `case when count(${column}) = count(*) and min(${column}) = max(${column}) then min(${column}) end`;
}

/** A measure of a group of rows, as SQL. What is of one row stays as it is, also where that took no time. */
export function merged(measure: string): string {
  if (!isAverage(measure)) return `sum("${measure}")`;
  const mean = `coalesce(sum("${measure}" * ${rowMinutes}) / nullif((max(end_at) - min(start_at)) / 60, 0), 0)`;
  return `case when count(*) = 1 then any_value("${measure}") else ${mean} end`;
}

/** Which identity tells of a group's namespace, as SQL: one that says something of it, of a plain allocation if there is one. */
export const sampleSql =
  'coalesce(min(case when plain and informed then sample end), min(case when plain then sample end), min(sample))';

/** Whether an identity says something of its namespace. */
export const informed = '(cardinality(i.namespace_labels) + cardinality(i.namespace_annotations) > 0)';

const groupedBy = 'a.file, a.cluster, i.cluster_name, i.namespace, i.controller, i.controller_kind, i.plain';

/** Rolls up the allocations of one file; takes its id. */
export const rollUp = `
insert into rollup
select ${groupedBy},
  ${['node', 'pod', 'container', 'provider_id', 'name'].map((column) => agreed(`i.${column}`)).join(',\n  ')},
  coalesce(min(case when ${informed} then a.identity end), min(a.identity)), bool_or(${informed}), min(a.start_at), max(a.end_at),
  ${storedMeasures.map(merged).join(',\n  ')}
from allocation a join identity i on i.id = a.identity
where a.file = $1
group by ${groupedBy}`;
