import { useMemo } from 'preact/hooks';
import type { AllocationSets, Summary } from '../api-types';
import { isOfOneGeneration, Refused, useAnswer, usePair } from '../ask';
import { aboutBars, barsOf, seriesOf, unitOf } from '../bars';
import { appliesTo } from '../filter-fields';
import { dates, money, pastHours, rated } from '../format';
import { BarNumbers } from '../parts/bar-numbers';
import { Chart } from '../parts/chart';
import { CsvLink } from '../parts/csv-link';
import { FilterControl } from '../parts/filter-control';
import { Failed, Notice, Select } from '../parts/states';
import { Table } from '../parts/table';
import { WindowControl } from '../parts/window-control';
import { foldSeries } from '../series';
import { filterParts, joinFilter, regroup } from '../url-state';
import { warningsOf } from '../warnings';
import { barUnits, groupings, idles, rates } from './allocation-choices';
import { allocationColumns } from './allocation-columns';
import { type ViewProps, whyOpened } from './view';

/**
 * Shows allocation costs: a bar chart over time, and a table of the totals. Each row of the table links to finer
 * groups.
 */
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

  // The chart and the table request the same sets, so that their numbers agree.
  // The chart shows each set. The table shows the sum of all sets.
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
  // The chart and the table both divide costs by the hours that have elapsed by `now`, so they must use the same `now`.
  const now = useMemo(() => Date.now(), [answer]);
  const hours = span === undefined ? 0 : pastHours(span, now);
  const columns = useMemo(
    () =>
      allocationColumns({
        rows,
        amount: (cost) => money(rated(cost, hours, rate), currency),
        state,
        groups,
        parts,
        go,
      }),
    [rows, rate, currency, state],
  );

  const unit = unitOf(sets, state['bars']);
  const bars = useMemo(() => {
    const all = barsOf(sets, unit);
    return { labels: all.map(({ label }) => label), series: foldSeries(seriesOf(all, rate, now)) };
  }, [answer, unit, rate]);
  const notes = [
    ...whyOpened(state, opening),
    ...(status?.notes ?? []),
    ...warningsOf([
      answer?.first.warning,
      ...(overTime instanceof Refused
        ? [`No chart: ${overTime.message}`]
        : [
            overTime?.warning,
            answer !== undefined && !isOfOneGeneration(answer)
              ? 'A new generation arrived during loading: chart and table show different generations'
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
        <Select label="Costs" value={rate} options={rates} onChange={change('rate')} />
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
            empty={loading ? 'Loading…' : 'No costs in this window. Widen the window or remove a filter.'}
          />
        </div>
      )}
    </>
  );
}
