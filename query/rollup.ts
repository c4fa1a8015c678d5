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

/** A measure of a group of rows, as SQL. */
export function merged(measure: string): string {
  if (!isAverage(measure)) return `sum("${measure}")`;
  return `coalesce(sum("${measure}" * ${rowMinutes}) / nullif((max(end_at) - min(start_at)) / 60, 0), 0)`;
}

const groupedBy = 'a.file, a.cluster, i.cluster_name, i.namespace, i.controller, i.controller_kind, i.plain';

/** Rolls up the allocations of one file; takes its id. */
export const rollUp = `
insert into rollup
select ${groupedBy},
  ${['node', 'pod', 'container', 'provider_id', 'name'].map((column) => agreed(`i.${column}`)).join(',\n  ')},
  min(a.identity), min(a.start_at), max(a.end_at),
  ${storedMeasures.map(merged).join(',\n  ')}
from allocation a join identity i on i.id = a.identity
where a.file = $1
group by ${groupedBy}`;
