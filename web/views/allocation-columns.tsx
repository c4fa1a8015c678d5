import type { Allocation } from '../api-types';
import { count, displayName, percent } from '../format';
import { Link } from '../parts/link';
import type { Column } from '../parts/table';
import { drillDown, finerThan, type UrlState } from '../url-state';
import { groupings } from './allocation-choices';

interface ColumnOptions {
  readonly rows: readonly Allocation[];
  /** Formats a cost in the chosen currency and at the chosen rate: total, per day or per month. */
  readonly amount: (cost: number) => string;
  readonly state: UrlState;
  /** Groupings, such as `cluster` and `namespace`. The name of a row has one part per grouping. */
  readonly groups: readonly string[];
  /** Parts of the filter that is in effect. */
  readonly parts: readonly string[];
  readonly go: (change: UrlState) => void;
}

/**
 * Returns the columns of the allocation table: the name, each kind of cost, the total and the efficiency. The name is a
 * link to finer groups.
 */
export function allocationColumns({
  rows,
  amount,
  state,
  groups,
  parts,
  go,
}: ColumnOptions): Column<Allocation>[] {
  const cost = (id: string, title: string, read: (row: Allocation) => number): Column<Allocation> => ({
    id,
    title,
    value: read,
    show: (row) => amount(read(row)),
    numeric: true,
    total: amount(rows.reduce((sum, row) => sum + read(row), 0)),
  });
  return [
    {
      id: 'name',
      title: groups.map((group) => groupings.find(([one]) => one === group)?.[1] ?? group).join(' / '),
      value: (row) => row.name,
      show: (row) => {
        const filters = drillDown(groups, row.name);
        const next = finerThan(groups);
        if (filters === undefined || next === undefined)
          return <span class="name">{displayName(row.name)}</span>;
        const target = { ...state, aggregate: next, filter: [...parts, ...filters].join('\n') };
        return (
          <Link class="name" to={target} go={go} title={`Show ${displayName(row.name)} by ${next}`}>
            {displayName(row.name)}
          </Link>
        );
      },
      total: count(rows.length, 'row'),
    },
    cost('cpu', 'CPU', (row) => row.cpuCost + row.cpuCostAdjustment),
    cost('ram', 'RAM', (row) => row.ramCost + row.ramCostAdjustment),
    cost('gpu', 'GPU', (row) => row.gpuCost + row.gpuCostAdjustment),
    cost('pv', 'Volumes', (row) => row.pvCost + row.pvCostAdjustment),
    cost('network', 'Network', (row) => row.networkCost + row.networkCostAdjustment),
    cost('lb', 'Load balancers', (row) => row.loadBalancerCost + row.loadBalancerCostAdjustment),
    cost('other', 'Shared & external', (row) => row.sharedCost + row.externalCost),
    cost('total', 'Total', (row) => row.totalCost),
    {
      id: 'efficiency',
      title: 'Efficiency',
      value: (row) => row.totalEfficiency,
      show: (row) => (row.name.includes('__idle__') ? '–' : percent(row.totalEfficiency)),
      numeric: true,
    },
  ];
}
