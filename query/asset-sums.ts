import { assetColumns } from './asset-source';
import { exactSum, roughSum } from './exact-sum';
import { peakOf, type Peaks } from './peaks';
import { agreed } from './rollup';

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
  // What a disk is weighted by.
  'cost',
];

/** Columns that only some types have, and that are kept where all assets say the same. */
const kept = ['node_type', 'storage_class', 'volume_name', 'claim_name', 'claim_namespace', 'ip', 'private'];

/** What CPU and RAM cost by list: what a discount is of. */
const listed = '(cpu_cost + ram_cost)';
/** A node without its adjustment, with its own discount. */
const paid = `(${listed} * (1 - discount) + gpu_cost)`;

const total = `case type when 'Node' then ${paid} + adjustment when 'Shared' then cost else cost + adjustment + credit end`;

/** No number is larger, whatever its sign: what a node costs by list, with its discount, and in all. */
function bounds(peaks: Peaks) {
  const most = (column: string) => peakOf(peaks, column);
  const byList = most('cpu_cost') + most('ram_cost');
  const ofNode = byList * (1 + most('discount')) + most('gpu_cost');
  return { byList, ofNode, total: ofNode + most('cost') + most('adjustment') + most('credit') };
}

/** What assets cost in all, as SQL. */
export function assetCostSum(peaks: Peaks): string {
  return exactSum(total, bounds(peaks).total);
}

/** A share of something that is kept as the mean by weight, as it is called when it was gathered. */
interface Mean {
  readonly name: string;
  readonly value: string;
  /** The largest value. */
  readonly most: number;
  readonly weight: keyof typeof weights;
}

/** What shares are weighted by: as SQL, and what it is called when it was gathered. */
const weights = {
  cpu: ['cpu_cost', 'cpu_cost'],
  ram: ['ram_cost', 'ram_cost'],
  disk: ['cost', 'cost'],
  byList: [listed, 'by_list'],
  paid: [paid, 'paid'],
} as const;

/** Those that are not 0 in all of the files. */
function meansOf(peaks: Peaks): Mean[] {
  const share = (column: string, index: number, weight: Mean['weight']): Mean => ({
    name: `${column}_${index}`,
    value: `${column}[${index}]`,
    most: peakOf(peaks, column),
    weight,
  });
  const four = (column: string, weight: Mean['weight']) =>
    [1, 2, 3, 4].map((index) => share(column, index, weight));
  const single = (column: string, weight: Mean['weight']): Mean => ({
    ...{ name: column, value: column, most: peakOf(peaks, column), weight },
  });
  const all = [
    single('discount', 'byList'),
    single('preemptible', 'paid'),
    ...four('cpu_breakdown', 'cpu'),
    ...four('ram_breakdown', 'ram'),
    ...four('disk_breakdown', 'disk'),
    share('overhead', 1, 'cpu'),
    share('overhead', 2, 'ram'),
  ];
  // What is 0 in all files need not be worked out.
  return all.filter(({ most }) => most > 0);
}

/** The groups of `source` by some columns, as a statement: what is added up, and means of shares. */
export function gatherAssets(by: string, peaks: Peaks): string {
  const { byList, ofNode } = bounds(peaks);
  const mostOf = {
    cpu: peakOf(peaks, 'cpu_cost'),
    ram: peakOf(peaks, 'ram_cost'),
    disk: peakOf(peaks, 'cost'),
  };
  const most = { ...mostOf, byList, paid: ofNode };
  const means = meansOf(peaks);
  const gathered = [
    ...[...Object.values(assetColumns), ...kept].map((name) => `${agreed(name)} as ${name}`),
    'min(start_at) as start_at, max(end_at) as end_at, count(*) as assets, count(overhead) as overheads',
    ...added.map((name) => `${exactSum(name, peakOf(peaks, name))} as ${name}`),
    `${assetCostSum(peaks)} as total`,
    `${exactSum(listed, byList)} as by_list, ${exactSum(paid, ofNode)} as paid`,
    ...means.map(({ name, value, most: largest, weight }) => {
      const weighted = exactSum(`${value} * ${weights[weight][0]}`, largest * most[weight]);
      return `${weighted} as of_${name}, ${roughSum(value, largest)} as all_${name}, count(${value}) as n_${name}, min(${value}) as least_${name}`;
    }),
    'min(overhead[3]) as overhead_of_one',
    // Maxima of several at different times say nothing of all.
    'case when count(*) = 1 then min(byte_usage_max) end as byte_usage_max',
    // 64 bits suffice: it would take two of a group that are alike.
    'list(distinct hash(labels))::varchar[] as label_sets',
  ];
  // Where nothing has a weight it is the plain mean. What is of one asset stays as it is.
  const mean = ({ name, weight }: Mean) =>
    `case when n_${name} = 1 then least_${name} else coalesce(of_${name} / nullif(${weights[weight][1]}, 0), all_${name} / nullif(n_${name}, 0)) end`;
  const overhead = (index: number) => {
    const found = means.find(({ name }) => name === `overhead_${index}`);
    return found === undefined ? '0::double' : mean(found);
  };
  // Known only where all nodes know theirs; of several, the share of the whole cost follows from those of CPU and RAM.
  const several = `coalesce((${overhead(1)} * cpu_cost + ${overhead(2)} * ram_cost) / nullif(total, 0), 0)`;
  const overheads = [
    overhead(1),
    overhead(2),
    `case when assets = 1 then overhead_of_one else ${several} end`,
  ];
  const columns = [
    '* exclude (overheads, assets)',
    ...means.flatMap((one) => (one.name.startsWith('overhead') ? [] : [`${mean(one)} as ${one.name}`])),
    ...overheads.map((sql, index) => `case when overheads = assets then ${sql} end as overhead_${index + 1}`),
  ];
  return `select ${columns.join(',\n  ')}
from (select ${by}, ${gathered.join(',\n  ')} from source group by ${by})`;
}
