import { assetCostSum, costBounds, listedCost, paidCost } from './asset-cost';
import { type ColumnsMergedBy, columnsMergedBy } from './asset-fields';
import { assetColumns } from './asset-source';
import { exactSum, roughSum } from './exact-sum';
import { peakOf, type Peaks } from './peaks';
import { agreed } from './rollup';

/**
 * The costs that serve as weights when means are computed. For each: SQL for the cost of one asset, and the column that
 * contains the cost of a group of assets.
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
 * For each column whose values are averaged, the cost that serves as weight. If the column contains an array of
 * fractions, there is one weight for each fraction.
 */
const weightOf: Readonly<Record<ColumnsMergedBy<'mean'>, Weight | readonly Weight[]>> = {
  discount: 'listed',
  preemptible: 'paid',
  cpu_breakdown: ['cpu', 'cpu', 'cpu', 'cpu'],
  ram_breakdown: ['ram', 'ram', 'ram', 'ram'],
  disk_breakdown: ['disk', 'disk', 'disk', 'disk'],
  // The third fraction of `overhead` is not listed, because it is not averaged: it is computed from the first two.
  overhead: ['cpu', 'ram'],
};

/** A value that is averaged over the assets of a group, weighted by a cost. */
interface Mean {
  readonly name: string;
  readonly value: string;
  /** Upper bound on the absolute values that are averaged. */
  readonly most: number;
  readonly weight: Weight;
}

/** Returns the means to compute. Values that are 0 in all files are omitted. */
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
 * Returns SQL that groups the rows of `source` by the columns `by`. For each group, it computes sums and means, and
 * reads the values that are the same for all assets of the group.
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
    // The maxima of several assets cannot be added up, because they may have occurred at different times.
    ...columnsMergedBy('single').map((name) => `case when count(*) = 1 then min(${name}) end as ${name}`),
    // A 64-bit hash is enough: even with a million label sets, a collision is very unlikely.
    'list(distinct hash(labels))::varchar[] as label_sets',
  ];
  // If only one asset has a value, the mean is exactly this value. If all weights are 0, the mean is unweighted.
  const mean = ({ name, weight }: Mean) =>
    `case when n_${name} = 1 then least_${name} else coalesce(of_${name} / nullif(${weights[weight][1]}, 0), all_${name} / nullif(n_${name}, 0)) end`;
  const overhead = (index: number) => {
    const found = means.find(({ name }) => name === `overhead_${index}`);
    return found === undefined ? '0::double' : mean(found);
  };
  // For several assets, the third fraction (cost overhead) is computed from the first two (CPU and RAM overhead).
  const several = `coalesce((${overhead(1)} * cpu_cost + ${overhead(2)} * ram_cost) / nullif(total, 0), 0)`;
  const overheads = [
    overhead(1),
    overhead(2),
    `case when assets = 1 then overhead_of_one else ${several} end`,
  ];
  const columns = [
    '* exclude (overheads, assets)',
    ...means.flatMap((one) => (one.name.startsWith('overhead') ? [] : [`${mean(one)} as ${one.name}`])),
    // A group has an overhead only if all of its assets have one.
    ...overheads.map((sql, index) => `case when overheads = assets then ${sql} end as overhead_${index + 1}`),
  ];
  return `select ${columns.join(',\n  ')}
from (select ${by}, ${gathered.join(',\n  ')} from source group by ${by})`;
}
