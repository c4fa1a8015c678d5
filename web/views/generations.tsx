import { useState } from 'preact/hooks';
import type { Decided, GenerationDiff, GenerationView } from '../../api/contract';
import { useAnswer } from '../ask';
import { age, bytes, moment, money } from '../format';
import { Failed, Select } from '../parts/states';
import { type Column, Table } from '../parts/table';
import type { ViewProps } from './view';

interface Change {
  readonly window: string;
  readonly change: string;
  readonly cluster: string;
  readonly before: number | null;
  readonly after: number | null;
}

/** Shows the list of generations, and the differences between two of them. */
export function Generations({ state, go, status, onToken }: ViewProps) {
  const { answer, error, again, loading } = useAnswer<{ generations: GenerationView[] }>('/api/generations');
  const generations = answer?.data.generations ?? [];
  const numbers = generations.map(({ generation }) => String(generation));
  const [from, to] = [state['from'] ?? numbers[1] ?? '', state['to'] ?? numbers[0] ?? ''];
  const now = Date.now();
  const columns: Column<GenerationView>[] = [
    {
      id: 'generation',
      title: 'Generation',
      value: ({ generation }) => generation,
      show: ({ generation }) => (
        <>
          {generation} {generation === status?.served.generation && <span class="badge good">served</span>}
        </>
      ),
    },
    {
      id: 'committed',
      title: 'Committed',
      value: ({ committedAt }) => committedAt,
      show: ({ committedAt }) => (
        <time title={`${moment(committedAt)} UTC`}>{age(committedAt, now)} ago</time>
      ),
    },
    { id: 'run', title: 'Run', value: ({ run }) => run },
    { id: 'clusters', title: 'Clusters', value: ({ clusters }) => clusters, numeric: true },
    { id: 'windows', title: 'Windows', value: ({ windows }) => windows, numeric: true },
    {
      id: 'bytes',
      title: 'Size',
      value: ({ bytes: size }) => size,
      show: ({ bytes: size }) => bytes(size),
      numeric: true,
    },
    {
      id: 'quarantined',
      title: 'Quarantined',
      value: countOpen,
      show: (generation) => (
        <span class={countOpen(generation) === 0 ? undefined : 'stale'} title={describeSources(generation)}>
          {countOpen(generation)}
        </span>
      ),
      numeric: true,
    },
  ];
  if (error !== undefined) return <Failed error={error} again={again} onToken={onToken} />;
  const choices = numbers.map((number) => [number, `Generation ${number}`] as const);
  return (
    <>
      <Table
        caption="Generations"
        columns={columns}
        rows={generations}
        keyOf={({ generation }) => String(generation)}
        sort={state['generationsSort'] ?? '-generation'}
        onSort={(sort) => go({ ...state, generationsSort: sort }, true)}
        empty={loading ? 'Loading…' : 'No generation has been committed yet.'}
      />
      {numbers.length > 1 && (
        <section aria-label="Compare generations">
          <h2>Compare generations</h2>
          <div class="controls">
            <Select
              label="From"
              value={from}
              options={choices}
              onChange={(value) => go({ ...state, from: value, to })}
            />
            <Select
              label="To"
              value={to}
              options={choices}
              onChange={(value) => go({ ...state, from, to: value })}
            />
          </div>
          <Diff from={from} to={to} currency={status?.currency ?? 'USD'} onToken={onToken} />
        </section>
      )}
    </>
  );
}

function Diff({
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
  const path =
    from === '' || to === '' || from === to ? undefined : `/api/generations/diff?from=${from}&to=${to}`;
  const { answer, error, again, loading } = useAnswer<GenerationDiff>(path);
  if (error !== undefined) return <Failed error={error} again={again} onToken={onToken} />;
  const diff = answer?.data;
  if (diff === undefined)
    return <p role="status">{loading ? 'Comparing…' : 'Choose two different generations.'}</p>;
  const changes = diff.changes.flatMap(({ window, change, clusters }): Change[] =>
    clusters.length === 0
      ? [{ window, change, cluster: '(costs unchanged)', before: null, after: null }]
      : clusters.map((cluster) => ({ window, change, ...cluster })),
  );
  const amount = (value: number | null) => (value === null ? '–' : money(value, currency));
  const difference = ({ before, after }: Change) => (after ?? 0) - (before ?? 0);
  const columns: Column<Change>[] = [
    {
      id: 'window',
      title: 'Window',
      value: ({ window }) => window,
      show: ({ window }) => windowText(window),
    },
    { id: 'change', title: 'Change', value: ({ change }) => change },
    { id: 'cluster', title: 'Cluster', value: ({ cluster }) => cluster },
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
      value: difference,
      show: (change) => money(difference(change), currency),
      numeric: true,
    },
  ];
  return (
    <>
      <p class="about">
        {diff.joined.length > 0 && `Joined: ${diff.joined.join(', ')}. `}
        {diff.left.length > 0 && `Left: ${diff.left.join(', ')}. `}
        {diff.changes.length === 0 ? 'No windows differ.' : `${diff.changes.length} windows differ.`}
        {diff.omitted > 0 && ` ${diff.omitted} older windows were not compared.`}
      </p>
      {changes.length > 0 && (
        <Table
          caption="Costs by cluster in changed windows"
          columns={columns}
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

/** Counts the quarantined sources that nobody has dropped. */
function countOpen({ quarantined }: GenerationView): number {
  return quarantined.filter(({ dropped }) => dropped === undefined).length;
}

/** Lists quarantined and accepted sources, one line for all windows of a cluster with the same state and reason. */
function describeSources({ quarantined, accepted }: GenerationView): string | undefined {
  const decidedBy = ({ by, reason, at }: Decided) =>
    `by ${by} at ${moment(at)} UTC${reason === '' ? '' : `: ${reason}`}`;
  const sources = [
    ...quarantined.map(({ cluster, window, state, code, detail, dropped }) => {
      const decision = dropped === undefined ? '' : `, dropped ${decidedBy(dropped)}`;
      return { cluster, window, why: `${state}${decision}; ${code}: ${detail}` };
    }),
    ...accepted.map(({ cluster, window, code, decided }) => {
      return { cluster, window, why: `accepted ${decidedBy(decided)}; it was ${code}` };
    }),
  ];
  const groups = new Map<string, typeof sources>();
  for (const source of sources) {
    const key = `${source.cluster}\n${source.why}`;
    groups.set(key, [...(groups.get(key) ?? []), source]);
  }
  const lines = [...groups.values()].map(([first, ...others]) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `${first?.cluster} ${first?.window}${more}: ${first?.why}`;
  });
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** Formats the id of a window: `allocations 1d 2026-11-14 00:00`. */
function windowText(window: string): string {
  const [pipeline, resolution, name = ''] = window.split('/');
  return `${pipeline} ${resolution} ${moment(new Date(Number(name.split('-')[0]) * 1_000).toISOString())}`;
}
