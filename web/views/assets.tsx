import { useMemo } from 'preact/hooks';
import type { Asset, AssetSets } from '../api-types';
import { useAnswer } from '../ask';
import { displayName, money } from '../format';
import { CsvLink } from '../parts/csv-link';
import { FilterControl } from '../parts/filter-control';
import { Failed, Notice, Select } from '../parts/states';
import { type Column, Table } from '../parts/table';
import { WindowControl } from '../parts/window-control';
import { comparison, filterParts, formatState, joinFilter } from '../url-state';
import type { ViewProps } from './view';

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

/** What nodes, disks and the like cost. */
export function Assets({ state, go, status, onToken, say }: ViewProps) {
  const window = state['window'] ?? '7d';
  const aggregate = state['group'] ?? 'type';
  const sort = state['sort'] ?? '-total';
  const parts = filterParts(state['assets']);
  const currency = status?.currency ?? 'USD';
  const parameters = new URLSearchParams({ window, aggregate, accumulate: 'true' });
  if (parts.length > 0) parameters.set('filter', joinFilter(parts));
  const path = `/model/assets?${parameters.toString()}`;
  const { answer, error, loading, again } = useAnswer<AssetSets>(path);
  const rows = useMemo(
    () => Object.entries(answer?.data[0] ?? {}).map(([key, asset]) => ({ key, asset })),
    [answer],
  );
  const columns = useMemo((): Column<Row>[] => {
    const sum = (read: (row: Row) => number) =>
      money(
        rows.reduce((total, row) => total + read(row), 0),
        currency,
      );
    return [
      {
        id: 'name',
        title: groupings.find(([one]) => one === aggregate)?.[1] ?? aggregate,
        value: ({ key }) => key,
        show: ({ key }) => {
          const field = fields[aggregate];
          if (field === undefined) return <span class="name">{displayName(key)}</span>;
          const value = key === '__undefined__' ? '' : key;
          const target = {
            ...state,
            group: aggregate === 'type' ? 'name' : 'type',
            assets: [...parts, comparison(field, ':', value)].join('\n'),
          };
          return (
            <a
              class="name"
              href={formatState(target)}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                go(target);
              }}
            >
              {key === '__undefined__' ? '(none)' : key}
            </a>
          );
        },
        total: `${rows.length} rows`,
      },
      { id: 'cluster', title: 'Cluster', value: ({ asset }) => asset.properties['cluster'] ?? '' },
      { id: 'provider', title: 'Provider', value: ({ asset }) => asset.properties['provider'] ?? '' },
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
          onChange={(value) => go({ ...state, group: value })}
        />
        <CsvLink path={path} name="assets.csv" say={say} />
      </div>
      <FilterControl
        of="assets"
        window={window}
        fields={[
          'cluster',
          'assetType',
          'category',
          'provider',
          'account',
          'project',
          'service',
          'name',
          'label',
        ]}
        parts={parts}
        onChange={(next) => go({ ...state, assets: next.join('\n') })}
      />
      {answer?.warning !== undefined && <Notice>{answer.warning}</Notice>}
      {error !== undefined ? (
        <Failed error={error} again={again} onToken={onToken} />
      ) : (
        <div aria-busy={loading} class={loading ? 'busy' : undefined}>
          <p class="about">Totals of the window, in {currency}.</p>
          <Table
            caption={`Assets by ${aggregate}, total of the window`}
            columns={columns}
            rows={rows}
            keyOf={({ key }) => key}
            sort={sort}
            onSort={(next) => go({ ...state, sort: next }, true)}
            empty={loading ? 'Loading…' : 'There are no assets here: widen the window or remove a filter.'}
          />
        </div>
      )}
    </>
  );
}
