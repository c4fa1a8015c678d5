import { assetCostSum, costBounds, listedCost, paidCost } from './asset-cost';
import { type ColumnsMergedBy, columnsMergedBy } from './asset-fields';
import { assetColumns } from './asset-source';
import { exactSum, roughSum } from './exact-sum';
import { peakOf, type Peaks } from './peaks';
import { agreed } from './rollup';

/**
 * The costs that means can be weighted by. For each: SQL for the cost of one asset, and the column of the grouped rows
 * that holds the sum of this cost.
 */
const weights = {
  cpu: ['cpu_cost', 'cpu_cost'],
  ram: ['ram_cost', 'ram_cost'],
  disk: ['cost', 'cost'],
  listed: [listedCost, 'by_list'],
  paid: [paidCost, 'paid'],
} as const;
type Weight = keyof typeof weights;

/**
 * The weight of each column that is merged to a mean. If a column holds an array of shares, there is one weight per
 * share.
 */
const weightOf: Readonly<Record<ColumnsMergedBy<'mean'>, Weight | readonly Weight[]>> = {
  discount: 'listed',
  preemptible: 'paid',
  cpu_breakdown: ['cpu', 'cpu', 'cpu', 'cpu'],
  ram_breakdown: ['ram', 'ram', 'ram', 'ram'],
  disk_breakdown: ['disk', 'disk', 'disk', 'disk'],
  // No weight for the third share, that of the cost: it is computed from the means of the first two (CPU and RAM).
  overhead: ['cpu', 'ram'],
};

/** A share that is merged to a weighted mean. */
interface Mean {
  readonly name: string;
  readonly value: string;
  /** Upper bound on the share. */
  readonly most: number;
  readonly weight: Weight;
}

/** Returns the means to compute. Shares that are 0 in all files need none. */
function meansOf(peaks: Peaks): Mean[] {
  return Object.entries(weightOf)
    .flatMap(([column, weighting]): Mean[] => {
      const most = peakOf(peaks, column);
      if (typeof weighting === 'string') return [{ name: column, value: column, most, weight: weighting }];
      return weighting.map((weight, index) => ({
        ...{ name: `${column}_${index + 1}`, value: `${column}[${index + 1}]`, most, weight },
      }));
    })
    .filter(({ most }) => most > 0);
}

/**
 * Returns SQL that groups the assets of `source` by the columns `by`. For each group it computes sums, means, and the
 * values that all assets of the group share.
 */
export function gatherAssets(by: string, peaks: Peaks): string {
  const { listed, paid } = costBounds(peaks);
  const most = {
    ...{ cpu: peakOf(peaks, 'cpu_cost'), ram: peakOf(peaks, 'ram_cost'), disk: peakOf(peaks, 'cost') },
    ...{ listed, paid },
  };
  const means = meansOf(peaks);
  const gathered = [
    ...[...Object.values(assetColumns), ...columnsMergedBy('same')].map(
      (name) => `${agreed(name)} as ${name}`,
    ),
    'min(start_at) as start_at, max(end_at) as end_at, count(*) as assets, count(overhead) as overheads',
    ...columnsMergedBy('sum').map((name) => `${exactSum(name, peakOf(peaks, name))} as ${name}`),
    `${assetCostSum(peaks)} as total`,
    `${exactSum(listedCost, listed)} as by_list, ${exactSum(paidCost, paid)} as paid`,
    ...means.map(({ name, value, most: largest, weight }) => {
      const weighted = exactSum(`${value} * ${weights[weight][0]}`, largest * most[weight]);
      return `${weighted} as of_${name}, ${roughSum(value, largest)} as all_${name}, count(${value}) as n_${name}, min(${value}) as least_${name}`;
    }),
    'min(overhead[3]) as overhead_of_one',
    // Maxima are kept only in groups of a single asset: those of several assets may have occurred at different times.
    ...columnsMergedBy('single').map((name) => `case when count(*) = 1 then min(${name}) end as ${name}`),
    // A hash of 64 bits suffices, because a collision only matters within one group.
    'list(distinct hash(labels))::varchar[] as label_sets',
  ];
  // If only one asset of the group has a value, that value is kept exactly. If all weights are 0, the mean is not
  // weighted.
  const mean = ({ name, weight }: Mean) =>
    `case when n_${name} = 1 then least_${name} else coalesce(of_${name} / nullif(${weights[weight][1]}, 0), all_${name} / nullif(n_${name}, 0)) end`;
  const overhead = (index: number) => {
    const found = means.find(({ name }) => name === `overhead_${index}`);
    return found === undefined ? '0::double' : mean(found);
  };
  // The overhead of a group is known only if that of all its assets is. For several assets, the overhead of the cost is
  // computed from the overheads of CPU and RAM.
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
