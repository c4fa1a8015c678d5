import type { Decided, GenerationView } from '../../api/contract';
import { useAnswer } from '../ask';
import { age, bytes, moment, shortRun } from '../format';
import { Failed, Select } from '../parts/states';
import { type Column, Table } from '../parts/table';
import { Diff } from './diff';
import type { ViewProps } from './view';

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
      show: ({ generation, hold }) => (
        <>
          {generation} {generation === status?.served.generation && <span class="badge good">served</span>}{' '}
          {hold !== undefined && String(generation) === numbers[0] && <span class="badge fair">on hold</span>}
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
    {
      id: 'decision',
      title: 'Decision',
      value: (generation) => describeCommit(generation).join(' '),
      show: (generation) => {
        const [what, ...details] = describeCommit(generation);
        return what === undefined ? (
          '–'
        ) : (
          <>
            {what} <small title={details.join(', ')}>{details.join(', ')}</small>
          </>
        );
      },
    },
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
    { id: 'run', title: 'Run', value: ({ run }) => run, show: ({ run }) => shortRun(run) },
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

/**
 * Describes what is special about a generation: the decision of a person that led to it, and the generation that it
 * replaces. Returns an empty list for an ordinary generation.
 */
function describeCommit({ decision, replaces }: GenerationView): string[] {
  const instead = replaces === undefined ? [] : [`in place of generation ${replaces}`];
  return decision === undefined ? instead : [decision.what, decidedBy(decision), ...instead];
}

function decidedBy({ by, reason, at }: Decided): string {
  return `by ${by} at ${moment(at)} UTC${reason === '' ? '' : `: ${reason}`}`;
}

/** Counts the quarantined sources that nobody has dropped. */
function countOpen({ quarantined }: GenerationView): number {
  return quarantined.filter(({ dropped }) => dropped === undefined).length;
}

/**
 * Describes the quarantined and accepted sources. If a cluster has several windows with the same state and reason, they
 * share one line.
 */
function describeSources({ quarantined, accepted }: GenerationView): string | undefined {
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
