import { useMemo } from 'preact/hooks';
import { ownValue } from '../../etl/own-value';
import type { Asset, AssetSet, AssetSets } from '../api-types';
import { useAnswer } from '../ask';
import { appliesTo } from '../filter-fields';
import { count, dates, displayName, money } from '../format';
import { CsvLink } from '../parts/csv-link';
import { FilterControl } from '../parts/filter-control';
import { Link } from '../parts/link';
import { Failed, Notice, Select } from '../parts/states';
import { type Column, Table } from '../parts/table';
import { WindowControl } from '../parts/window-control';
import { comparison, filterParts, joinFilter, regroup } from '../url-state';
import { warningsOf } from '../warnings';
import { type ViewProps, whyOpened } from './view';

const groupings = [
  ['type', 'Type'],
  ['cluster', 'Cluster'],
  ['category', 'Category'],
  ['provider', 'Provider'],
  ['account', 'Account'],
  ['project', 'Project'],
  ['service', 'Service'],
  ['name', 'Name'],
] as const;
const fields: Readonly<Record<string, string>> = {
  type: 'assetType',
  cluster: 'cluster',
  category: 'category',
  provider: 'provider',
  account: 'account',
  project: 'project',
  service: 'service',
};

interface Row {
  readonly key: string;
  readonly asset: Asset;
}

/** Shows the costs of nodes, disks and other assets. */
export function Assets({ state, go, status, opening, onToken, say }: ViewProps) {
  const window = state['window'] ?? opening.window;
  const aggregate = state['group'] ?? 'type';
  const sort = state['assetsSort'] ?? '-total';
  const parts = filterParts(state['filter']);
  const filter = joinFilter(parts.filter((part) => appliesTo('assets', part)));
  const currency = status?.currency ?? 'USD';
  const parameters = new URLSearchParams({ window, aggregate, accumulate: 'true' });
  if (filter !== '') parameters.set('filter', filter);
  const path = `/model/assets?${parameters.toString()}`;
  const { answer, error, loading, again } = useAnswer<AssetSets>(path);
  const rows = useMemo(() => {
    const data = answer?.data ?? [];
    const [set = {}] = (Array.isArray(data) ? data : [data]) as readonly AssetSet[];
    return Object.entries(set).map(([key, asset]) => ({ key, asset }));
  }, [answer]);
  const span = rows[0]?.asset.window;
  const columns = useMemo((): Column<Row>[] => {
    const sum = (read: (row: Row) => number) =>
      money(
        rows.reduce((total, row) => total + read(row), 0),
        currency,
      );
    // If the assets of a row have different values of a property, the row does not have this property. For example, a
    // row with assets of several clusters has no `cluster`. If no row has a property, omit its column.
    const property = (id: string, title: string): Column<Row>[] =>
      rows.some(({ asset }) => ownValue(asset.properties, id) !== undefined)
        ? [{ id, title, value: ({ asset }) => ownValue(asset.properties, id) ?? '' }]
        : [];
    return [
      {
        id: 'name',
        title: groupings.find(([one]) => one === aggregate)?.[1] ?? aggregate,
        value: ({ key }) => key,
        show: ({ key }) => {
          const field = ownValue(fields, aggregate);
          if (field === undefined) return <span class="name">{displayName(key)}</span>;
          const value = key === '__undefined__' ? '' : key;
          const target = {
            ...state,
            group: aggregate === 'type' ? 'name' : 'type',
            filter: [...parts, comparison(field, ':', value)].join('\n'),
          };
          return (
            <Link class="name" to={target} go={go}>
              {key === '__undefined__' ? '(none)' : key}
            </Link>
          );
        },
        total: count(rows.length, 'row'),
      },
      ...property('cluster', 'Cluster'),
      ...property('provider', 'Provider'),
      {
        id: 'hours',
        title: 'Hours',
        value: ({ asset }) => asset.minutes / 60,
        show: ({ asset }) => Math.round(asset.minutes / 60).toLocaleString('en-US'),
        numeric: true,
      },
      {
        id: 'adjustment',
        title: 'Adjustment',
        value: ({ asset }) => asset.adjustment,
        show: ({ asset }) => money(asset.adjustment, currency),
        numeric: true,
        total: sum(({ asset }) => asset.adjustment),
      },
      {
        id: 'total',
        title: 'Total',
        value: ({ asset }) => asset.totalCost,
        show: ({ asset }) => money(asset.totalCost, currency),
        numeric: true,
        total: sum(({ asset }) => asset.totalCost),
      },
    ];
  }, [rows, currency, state]);
  return (
    <>
      <div class="controls">
        <WindowControl value={window} onChange={(value) => go({ ...state, window: value })} />
        <Select
          label="Group by"
          value={aggregate}
          options={groupings}
          onChange={(value) => go(regroup(state, 'group', value))}
        />
        <CsvLink path={path} name="assets.csv" say={say} />
      </div>
      <FilterControl
        of="assets"
        window={window}
        parts={parts}
        onChange={(next) => go({ ...state, filter: next.join('\n') })}
      />
      <Notice
        sentences={[...whyOpened(state, opening), ...(status?.notes ?? []), ...warningsOf([answer?.warning])]}
      />
      {error !== undefined ? (
        <Failed error={error} again={again} onToken={onToken} />
      ) : (
        <div aria-busy={loading} class={loading ? 'busy' : undefined}>
          <p class="about">
            {span !== undefined && `${dates(span)} (UTC). `}Costs in {currency}, total for the window.
          </p>
          <Table
            caption={`Assets by ${aggregate}, total for the window`}
            columns={columns}
            rows={rows}
            keyOf={({ key }) => key}
            sort={sort}
            onSort={(next) => go({ ...state, assetsSort: next }, true)}
            empty={loading ? 'Loading…' : 'No assets in this window. Widen the window or remove a filter.'}
          />
        </div>
      )}
    </>
  );
}
