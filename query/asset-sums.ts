import { agreed } from './rollup';
import { assetColumns } from './asset-source';

/** Columns that are added up. */
const added = [
  'adjustment',
  'credit',
  'cpu_core_hours',
  'ram_byte_hours',
  'gpu_hours',
  'cpu_cost',
  'gpu_cost',
  'ram_cost',
  'byte_hours',
  'byte_hours_used',
];

/** Columns that only some types have, and that are kept where all assets say the same. */
const kept = ['node_type', 'storage_class', 'volume_name', 'claim_name', 'claim_namespace', 'ip', 'private'];

/** What CPU and RAM cost by list: what a discount is of. */
const listed = '(cpu_cost + ram_cost)';
/** A node without its adjustment, with its own discount. */
const paid = `(${listed} * (1 - discount) + gpu_cost)`;

const total = `case type when 'Node' then ${paid} + adjustment when 'Shared' then cost else cost + adjustment + credit end`;

/** A mean by weight; where nothing has a weight, the plain one. */
function mean(value: string, weight: string): string {
  return `coalesce(sum(${value} * ${weight}) / nullif(sum(${weight}), 0), avg(${value}))`;
}

function means(column: string, weights: readonly string[]): string[] {
  return weights.map(
    (weight, index) => `${mean(`${column}[${index + 1}]`, weight)} as ${column}_${index + 1}`,
  );
}

function four(weight: string): string[] {
  return [weight, weight, weight, weight];
}

/** Known only where all nodes know theirs; of several, the share of the whole cost follows from those of CPU and RAM. */
function overheads(): string[] {
  const [cpu, ram] = ['cpu_cost', 'ram_cost'].map((weight, index) => mean(`overhead[${index + 1}]`, weight));
  const several = `coalesce((${cpu} * sum(cpu_cost) + ${ram} * sum(ram_cost)) / nullif(sum(${total}), 0), 0)`;
  const cost = `case when count(*) = 1 then min(overhead[3]) else ${several} end`;
  return [cpu, ram, cost].map(
    (share, index) => `case when count(overhead) = count(*) then ${share} end as overhead_${index + 1}`,
  );
}

/** The columns of a group of assets. Shares are weighted by what they are shares of. */
export const gatheredColumns: string = [
  ...[...Object.values(assetColumns), ...kept].map((column) => `${agreed(column)} as ${column}`),
  'min(start_at) as start_at, max(end_at) as end_at',
  ...added.map((column) => `sum(${column}) as ${column}`),
  `sum(${total}) as total`,
  `${mean('discount', listed)} as discount`,
  `${mean('preemptible', paid)} as preemptible`,
  ...means('cpu_breakdown', four('cpu_cost')),
  ...means('ram_breakdown', four('ram_cost')),
  ...means('disk_breakdown', four('byte_hours')),
  ...overheads(),
  // Maxima of several at different times say nothing of all.
  'case when count(*) = 1 then min(byte_usage_max) end as byte_usage_max',
  // 64 bits suffice: it would take two of a group that are alike.
  'list(distinct hash(labels))::varchar[] as label_sets',
].join(',\n  ');
