import { useMemo } from 'preact/hooks';
import type { Allocation, AllocationSets, Summary } from '../api-types';
import { isOfOneGeneration, Refused, useAnswer, usePair } from '../ask';
import { aboutBars, barsOf, seriesOf, unitOf } from '../bars';
import { appliesTo } from '../filter-fields';
import { dates, displayName, money, pastHours, percent, rated } from '../format';
import { BarNumbers } from '../parts/bar-numbers';
import { Chart } from '../parts/chart';
import { CsvLink } from '../parts/csv-link';
import { FilterControl } from '../parts/filter-control';
import { Link } from '../parts/link';
import { Failed, Notice, Select } from '../parts/states';
import { type Column, Table } from '../parts/table';
import { WindowControl } from '../parts/window-control';
import { foldSeries } from '../series';
import { drillDown, filterParts, finerThan, joinFilter, regroup } from '../url-state';
import { warningsOf } from '../warnings';
import { type ViewProps, whyOpened } from './view';

const groupings = [
  ['cluster', 'Cluster'],
  ['cluster,namespace', 'Cluster, namespace'],
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
  ['account', 'Account'],
  ['provider', 'Provider'],
  ['region', 'Region'],
] as const;
const idles = [
  ['show', 'Shown'],
  ['split', 'Shown by cluster'],
  ['share', 'Shared'],
  ['hide', 'Left out'],
] as const;
const rates = [
  ['total', 'Total'],
  ['day', 'Per day'],
  ['month', 'Per month'],
] as const;
const barUnits = [
  ['', 'Days'],
  ['hour', 'Hours'],
  ['week', 'Weeks'],
  ['month', 'Months'],
] as const;

/** What allocations cost: over time as bars, and in all as a table that leads deeper. */
export function Allocations({ state, go, status, opening, theme, onToken, say }: ViewProps) {
  const window = state['window'] ?? opening.window;
  const aggregate = state['aggregate'] ?? 'cluster';
  const idle = state['idle'] ?? 'show';
  const rate = state['rate'] ?? 'total';
  const sort = state['sort'] ?? '-total';
  const parts = filterParts(state['filter']);
  const filter = joinFilter(parts.filter((part) => appliesTo('allocation', part)));
  const currency = status?.currency ?? 'USD';
  const groups = aggregate.split(',');

  // Bars and table are the same sets, once each and once together: neither can know of costs that the other does not.
  const query = useMemo(() => {
    const parameters = new URLSearchParams({
      window,
      aggregate,
      idle: String(idle !== 'hide'),
      splitIdle: String(idle === 'split'),
      shareIdle: String(idle === 'share'),
      includeVolumes: 'false',
    });
    if (state['bars'] === 'hour') parameters.set('step', '1h');
    if (filter !== '') parameters.set('filter', filter);
    return parameters.toString();
  }, [window, aggregate, idle, state['bars'], filter]);
  const tablePath = `/model/allocation?${query}&accumulate=true`;
  const { answer, error, loading, again } = usePair<AllocationSets, Summary>(
    tablePath,
    `/model/allocation/summary?${query}`,
  );
  const labelled = /^(label|annotation):/.test(aggregate);
  const labels = useAnswer<{ data: string[] }>(
    `/model/allocation/autocomplete?field=label&limit=200&window=${encodeURIComponent(window)}`,
  );

  const rows = useMemo(() => Object.values(answer?.first.data[0] ?? {}), [answer]);
  const overTime = answer?.second;
  const sets = overTime === undefined || overTime instanceof Refused ? [] : overTime.data.sets;
  const span = rows[0]?.window;
  // One moment for bars and table: rates are by the hours that are over.
  const now = useMemo(() => Date.now(), [answer]);
  const hours = span === undefined ? 0 : pastHours(span, now);
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
            <Link class="name" to={target} go={go} title={`${displayName(row.name)} by ${next}`}>
              {displayName(row.name)}
            </Link>
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

  const unit = unitOf(sets, state['bars']);
  const bars = useMemo(() => {
    const all = barsOf(sets, unit);
    return { labels: all.map(({ label }) => label), series: foldSeries(seriesOf(all, rate, now)) };
  }, [answer, unit, rate]);
  const notes = [
    ...whyOpened(state, opening),
    ...warningsOf([
      answer?.first.warning,
      ...(overTime instanceof Refused
        ? [`There are no bars: ${overTime.message}`]
        : [
            overTime?.warning,
            answer !== undefined && !isOfOneGeneration(answer)
              ? 'New data came in while this was asked: the bars are not of the same generation as the table'
              : undefined,
          ]),
    ]),
  ];

  const change = (name: string) => (value: string) => go({ ...state, [name]: value });
  const regroupBy = (value: string) => go(regroup(state, 'aggregate', value));
  return (
    <>
      <div class="controls">
        <WindowControl value={window} onChange={change('window')} />
        <Select label="Group by" value={aggregate} options={groupings} onChange={regroupBy} />
        <label class="control">
          <span>or by label</span>
          <input
            list="label-keys"
            placeholder="app"
            value={labelled ? aggregate.slice(aggregate.indexOf(':') + 1) : ''}
            onChange={(event) => {
              const key = event.currentTarget.value.trim();
              regroupBy(key === '' ? 'cluster' : `label:${key}`);
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
        <Select label="Bars" value={state['bars'] ?? ''} options={barUnits} onChange={change('bars')} />
        <CsvLink path={tablePath} name="allocations.csv" say={say} />
      </div>
      <FilterControl
        of="allocation"
        window={window}
        parts={parts}
        onChange={(next) => go({ ...state, filter: next.join('\n') })}
      />
      <Notice sentences={notes} />
      {error !== undefined ? (
        <Failed error={error} again={again} onToken={onToken} />
      ) : (
        <div aria-busy={loading} class={loading ? 'busy' : undefined}>
          {span !== undefined && (
            <p class="about">
              {dates(span)} (UTC). {aboutBars(unit, rate, currency)}
            </p>
          )}
          {!(overTime instanceof Refused) && (
            <>
              <Chart title="Cost over time" {...bars} currency={currency} theme={theme} />
              <BarNumbers unit={unit} {...bars} currency={currency} adds={rate === 'total'} />
            </>
          )}
          <Table
            caption={`Cost by ${aggregate}, ${rates.find(([one]) => one === rate)?.[1] ?? rate}`}
            columns={columns}
            rows={rows}
            keyOf={(row) => row.name}
            sort={sort}
            onSort={(next) => go({ ...state, sort: next }, true)}
            empty={loading ? 'Loading…' : 'Nothing costs anything here: widen the window or remove a filter.'}
          />
        </div>
      )}
    </>
  );
}
