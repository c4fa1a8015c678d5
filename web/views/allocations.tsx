import { useMemo } from 'preact/hooks';
import type { Allocation, AllocationSets, Summary } from '../api-types';
import { useAnswer } from '../ask';
import { dates, displayName, money, pastHours, percent, rated } from '../format';
import { Chart } from '../parts/chart';
import { CsvLink } from '../parts/csv-link';
import { FilterControl } from '../parts/filter-control';
import { Failed, Notice, Select } from '../parts/states';
import { type Column, Table } from '../parts/table';
import { WindowControl } from '../parts/window-control';
import { drillDown, filterParts, finerThan, formatState, joinFilter } from '../url-state';
import type { ViewProps } from './view';

const groupings = [
  ['cluster', 'Cluster'],
  ['cluster,namespace', 'Cluster and namespace'],
  ['namespace', 'Namespace'],
  ['controllerKind', 'Kind of controller'],
  ['controller', 'Controller'],
  ['deployment', 'Deployment'],
  ['statefulset', 'Stateful set'],
  ['daemonset', 'Daemon set'],
  ['job', 'Job'],
  ['service', 'Service'],
  ['node', 'Node'],
  ['pod', 'Pod'],
  ['container', 'Container'],
  ['department', 'Department'],
  ['environment', 'Environment'],
  ['owner', 'Owner'],
  ['product', 'Product'],
  ['team', 'Team'],
] as const;
const idles = [
  ['show', 'Shown'],
  ['split', 'Shown by cluster'],
  ['share', 'Shared'],
  ['hide', 'Left out'],
] as const;
const rates = [
  ['total', 'Total of the window'],
  ['day', 'Per day'],
  ['month', 'Per month (730 h)'],
] as const;
const bars = [
  ['', 'Days or hours'],
  ['week', 'Weeks'],
  ['month', 'Months'],
] as const;
const filterFields = [
  'cluster',
  'namespace',
  'controllerName',
  'controllerKind',
  'node',
  'pod',
  'container',
  'services',
  'label',
  'annotation',
  'department',
  'environment',
  'owner',
  'product',
  'team',
];

/** What allocations cost: over time as bars, and in all as a table that leads deeper. */
export function Allocations({ state, go, status, theme, onToken, say }: ViewProps) {
  const window = state['window'] ?? '7d';
  const aggregate = state['aggregate'] ?? 'cluster';
  const idle = state['idle'] ?? 'show';
  const rate = state['rate'] ?? 'total';
  const sort = state['sort'] ?? '-total';
  const parts = filterParts(state['filter']);
  const currency = status?.currency ?? 'USD';
  const groups = aggregate.split(',');

  const query = useMemo(() => {
    const parameters = new URLSearchParams({
      window,
      aggregate,
      idle: String(idle !== 'hide'),
      splitIdle: String(idle === 'split'),
      shareIdle: String(idle === 'share'),
    });
    if (parts.length > 0) parameters.set('filter', joinFilter(parts));
    return parameters.toString();
  }, [window, aggregate, idle, state['filter']]);
  const table = useAnswer<AllocationSets>(`/model/allocation?${query}&accumulate=true`);
  const step = state['bars'] ?? '';
  const cut = step === '' ? (isDay(window) ? '&step=1h' : '') : `&accumulate=${step}`;
  const overTime = useAnswer<Summary>(`/model/allocation/summary?${query}${cut}`);
  const labelled = /^(label|annotation):/.test(aggregate);
  const labels = useAnswer<{ data: string[] }>(
    `/model/allocation/autocomplete?field=label&limit=200&window=${encodeURIComponent(window)}`,
  );

  const rows = useMemo(() => Object.values(table.answer?.data[0] ?? {}), [table.answer]);
  const span = rows[0]?.window;
  const hours = span === undefined ? 0 : pastHours(span, Date.now());
  const amount = (cost: number) => money(rated(cost, hours, rate), currency);
  const total = (read: (row: Allocation) => number) => amount(rows.reduce((sum, row) => sum + read(row), 0));
  const columns = useMemo((): Column<Allocation>[] => {
    const cost = (id: string, title: string, read: (row: Allocation) => number): Column<Allocation> => ({
      id,
      title,
      value: read,
      show: (row) => amount(read(row)),
      numeric: true,
      total: total(read),
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
            <a
              class="name"
              href={formatState(target)}
              title={`${displayName(row.name)} by ${next}`}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                go(target);
              }}
            >
              {displayName(row.name)}
            </a>
          );
        },
        total: `${rows.length} rows`,
      },
      cost('cpu', 'CPU', (row) => row.cpuCost + row.cpuCostAdjustment),
      cost('ram', 'RAM', (row) => row.ramCost + row.ramCostAdjustment),
      cost('gpu', 'GPU', (row) => row.gpuCost + row.gpuCostAdjustment),
      cost('pv', 'Volumes', (row) => row.pvCost + row.pvCostAdjustment),
      cost('network', 'Network', (row) => row.networkCost + row.networkCostAdjustment),
      cost('lb', 'Load balancers', (row) => row.loadBalancerCost + row.loadBalancerCostAdjustment),
      cost('other', 'Shared, external', (row) => row.sharedCost + row.externalCost),
      cost('total', 'Total', (row) => row.totalCost),
      {
        id: 'efficiency',
        title: 'Efficiency',
        value: (row) => row.totalEfficiency,
        show: (row) => (row.name.includes('__idle__') ? '–' : percent(row.totalEfficiency)),
        numeric: true,
      },
    ];
  }, [rows, rate, currency, state]);

  const chart = useMemo(() => {
    const sets = overTime.answer?.data.sets ?? [];
    const names = [...new Set(sets.flatMap(({ allocations }) => Object.keys(allocations)))];
    const hourly =
      sets[0] !== undefined && Date.parse(sets[0].window.end) - Date.parse(sets[0].window.start) < 86_400_000;
    return {
      labels: sets.map(({ window: { start } }) => (hourly ? start.slice(11, 16) : start.slice(5, 10))),
      series: names.map((name) => ({
        name,
        values: sets.map(({ allocations }) => allocations[name]?.totalCost ?? 0),
      })),
    };
  }, [overTime.answer]);

  const change = (name: string) => (value: string) => go({ ...state, [name]: value });
  return (
    <>
      <div class="controls">
        <WindowControl value={window} onChange={change('window')} />
        <Select label="Group by" value={aggregate} options={groupings} onChange={change('aggregate')} />
        <label class="control">
          <span>or by label</span>
          <input
            list="label-keys"
            placeholder="app"
            value={labelled ? aggregate.slice(aggregate.indexOf(':') + 1) : ''}
            onChange={(event) => {
              const key = event.currentTarget.value.trim();
              change('aggregate')(key === '' ? 'cluster' : `label:${key}`);
            }}
          />
          <datalist id="label-keys">
            {labels.answer?.data.data.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        </label>
        <Select label="Idle" value={idle} options={idles} onChange={change('idle')} />
        <Select label="Amounts" value={rate} options={rates} onChange={change('rate')} />
        <Select label="Bars" value={step} options={bars} onChange={change('bars')} />
        <CsvLink path={`/model/allocation?${query}&accumulate=true`} name="allocations.csv" say={say} />
      </div>
      <FilterControl
        of="allocation"
        window={window}
        fields={filterFields}
        parts={parts}
        onChange={(next) => go({ ...state, filter: next.join('\n') })}
      />
      {table.answer?.warning !== undefined && <Notice>{table.answer.warning}</Notice>}
      {table.error !== undefined ? (
        <Failed error={table.error} again={table.again} onToken={onToken} />
      ) : (
        <div aria-busy={table.loading} class={table.loading ? 'busy' : undefined}>
          <p class="about">
            {span !== undefined && `${dates(span)}, UTC. `}
            {rates.find(([one]) => one === rate)?.[1]}, in {currency}.
          </p>
          <Chart
            title="Cost over time"
            labels={chart.labels}
            series={chart.series}
            currency={currency}
            theme={theme}
          />
          <Table
            caption={`Cost by ${aggregate}, ${rates.find(([one]) => one === rate)?.[1] ?? rate}`}
            columns={columns}
            rows={rows}
            keyOf={(row) => row.name}
            sort={sort}
            onSort={(next) => go({ ...state, sort: next }, true)}
            empty={
              table.loading ? 'Loading…' : 'Nothing costs anything here: widen the window or remove a filter.'
            }
          />
        </div>
      )}
    </>
  );
}

/** Whether a window is one day, whose hours say more than the day. */
function isDay(window: string): boolean {
  const [start, end] = window.split(',').map((time) => Date.parse(time));
  const isRange = start !== undefined && end !== undefined;
  return window === 'today' || window === 'yesterday' || (isRange && end - start <= 86_400_000);
}
