import { useState } from 'preact/hooks';
import type { GenerationDiff } from '../../api/contract';
import { useAnswer } from '../ask';
import { count, moment, money } from '../format';
import { Failed, Notice } from '../parts/states';
import { type Column, Table } from '../parts/table';

interface Change {
  readonly window: string;
  readonly change: string;
  readonly cluster: string;
  readonly before: number | null;
  readonly after: number | null;
  /** Why the costs could not be compared. Undefined if they could. */
  readonly unreadable?: string;
}

/** Shows the differences between two generations. */
export function Diff({
  from,
  to,
  currency,
  onToken,
}: {
  readonly from: string;
  readonly to: string;
  readonly currency: string;
  readonly onToken: () => void;
}) {
  const [sort, setSort] = useState('window');
  const [totalsSort, setTotalsSort] = useState('kind');
  const path =
    from === '' || to === '' || from === to ? undefined : `/api/generations/diff?from=${from}&to=${to}`;
  const { answer, error, again, loading } = useAnswer<GenerationDiff>(path);
  if (error !== undefined) return <Failed error={error} again={again} onToken={onToken} />;
  const diff = answer?.data;
  if (diff === undefined)
    return <p role="status">{loading ? 'Comparing…' : 'Choose two different generations.'}</p>;
  const changes = diff.changes.flatMap(({ window, change, clusters, unreadable }): Change[] =>
    clusters.length === 0
      ? [
          {
            window,
            change,
            cluster: '(costs unchanged)',
            before: null,
            after: null,
            ...(unreadable !== undefined && { unreadable }),
          },
        ]
      : clusters.map((cluster) => ({ window, change, ...cluster })),
  );
  const unreadable = changes.filter((change) => change.unreadable !== undefined).length;
  const costs = costColumns(diff, currency);
  return (
    <>
      <p class="about">
        {diff.joined.length > 0 && `Joined: ${diff.joined.join(', ')}. `}
        {diff.left.length > 0 && `Left: ${diff.left.join(', ')}. `}
        {diff.changes.length === 0 ? 'No windows differ.' : `${count(diff.changes.length, 'window')} differ.`}
        {diff.omitted > 0 &&
          ` ${count(diff.omitted, 'window')}, all older, differ too, but were not compared.`}
      </p>
      <Notice
        sentences={
          unreadable === 0
            ? []
            : [
                `${count(unreadable, 'window')} could not be read, so the totals lack ${unreadable === 1 ? 'it' : 'them'}.`,
              ]
        }
      />
      {diff.totals.length > 0 && (
        <Table
          caption="Costs in all compared windows"
          columns={[
            {
              id: 'kind',
              title: 'Costs that differ',
              value: ({ pipeline, resolution }) => `${pipeline} ${resolution}`,
            },
            { id: 'cluster', title: 'Cluster', value: ({ cluster = 'all' }) => cluster },
            ...costs,
          ]}
          rows={diff.totals}
          keyOf={({ pipeline, resolution, cluster = '' }) => `${pipeline} ${resolution} ${cluster}`}
          sort={totalsSort}
          onSort={setTotalsSort}
          empty=""
        />
      )}
      {changes.length > 0 && (
        <Table
          caption="Costs by cluster in changed windows"
          columns={[
            {
              id: 'window',
              title: 'Window',
              value: ({ window }) => window,
              show: ({ window }) => windowText(window),
            },
            { id: 'change', title: 'Change', value: ({ change }) => change },
            {
              id: 'cluster',
              title: 'Cluster',
              value: ({ cluster }) => cluster,
              show: ({ cluster, unreadable: why }) =>
                why === undefined ? (
                  cluster
                ) : (
                  <>
                    <span class="badge bad">not compared</span> <small title={why}>{why}</small>
                  </>
                ),
            },
            ...costs,
          ]}
          rows={changes}
          keyOf={({ window, cluster }) => `${window} ${cluster}`}
          sort={sort}
          onSort={setSort}
          empty=""
        />
      )}
    </>
  );
}

/** Returns the columns of the costs in both generations and of their difference. Unknown costs are shown as a dash. */
function costColumns(
  { from, to }: GenerationDiff,
  currency: string,
): Column<Pick<Change, 'before' | 'after'>>[] {
  const amount = (value: number | null) => (value === null ? '–' : money(value, currency));
  const difference = ({ before, after }: Pick<Change, 'before' | 'after'>) =>
    before === null && after === null ? null : (after ?? 0) - (before ?? 0);
  return [
    {
      id: 'before',
      title: `Generation ${from}`,
      value: ({ before }) => before ?? 0,
      show: ({ before }) => amount(before),
      numeric: true,
    },
    {
      id: 'after',
      title: `Generation ${to}`,
      value: ({ after }) => after ?? 0,
      show: ({ after }) => amount(after),
      numeric: true,
    },
    {
      id: 'difference',
      title: 'Difference',
      value: (change) => difference(change) ?? 0,
      show: (change) => amount(difference(change)),
      numeric: true,
    },
  ];
}

/** Formats the id of a window: `allocations 1d 2026-11-14 00:00`. */
function windowText(window: string): string {
  const [pipeline, resolution, name = ''] = window.split('/');
  return `${pipeline} ${resolution} ${moment(new Date(Number(name.split('-')[0]) * 1_000).toISOString())}`;
}
