import type { FederationView } from '../../api/contract';
import { age, moment, shortRun, span } from '../format';
import type { Column } from '../parts/table';

const tones: Readonly<Record<FederationView['outcome'], string>> = {
  complete: 'good',
  partial: 'fair',
  nothing: 'fair',
  'on-hold': 'fair',
  running: 'fair',
  failed: 'bad',
  cancelled: 'bad',
  died: 'bad',
  unknown: 'fair',
};

/**
 * Returns the columns of the list of federation runs. If `onReplay` is given, each run that did not succeed has a
 * button that replays it.
 */
export function federationColumns(now: number, onReplay?: (run: string) => void): Column<FederationView>[] {
  return [
    {
      id: 'run',
      title: 'Run',
      value: ({ startedAt, run }) => startedAt ?? run,
      show: ({ run, link }) =>
        link === undefined ? (
          <span class="name">{shortRun(run)}</span>
        ) : (
          <a class="name" href={link} target="_blank" rel="noreferrer">
            {shortRun(run)}
          </a>
        ),
    },
    {
      id: 'started',
      title: 'Started',
      value: ({ startedAt }) => startedAt ?? '',
      show: ({ startedAt }) => (
        <time title={`${moment(startedAt)} UTC`}>
          {startedAt === undefined ? '–' : `${age(startedAt, now)} ago`}
        </time>
      ),
    },
    {
      id: 'trigger',
      title: 'Trigger',
      value: ({ trigger }) => trigger ?? '',
      show: ({ trigger, by, change, why: reason }) => (
        <>
          <span title={[by, reason].filter(Boolean).join(': ') || undefined}>{trigger ?? '–'}</span>
          {change !== undefined && <small> {change}</small>}
        </>
      ),
    },
    {
      id: 'outcome',
      title: 'Outcome',
      value: ({ outcome }) => outcome,
      show: ({ outcome, error: failed, nameConflicts = [], warnings = [] }) => (
        <>
          <span class={`badge ${tones[outcome]}`}>{outcome}</span>
          {failed !== undefined && (
            <small title={failed.hint}>
              {' '}
              {failed.code}: {failed.message}
            </small>
          )}
          {[...nameConflicts, ...warnings].map((warning) => (
            <small key={warning}> {warning}</small>
          ))}
        </>
      ),
    },
    {
      id: 'took',
      title: 'Duration',
      value: took,
      show: (run) => (run.endedAt === undefined ? '–' : span(took(run))),
      numeric: true,
    },
    {
      id: 'merged',
      title: 'Merged',
      value: ({ windows }) => windows?.merged ?? 0,
      show: ({ windows }) => (windows === undefined ? '–' : `${windows.merged} of ${windows.all}`),
      numeric: true,
    },
    {
      id: 'clusters',
      title: 'Clusters',
      value: ({ clusters }) => clusters ?? 0,
      show: ({ clusters, excluded = [] }) => (
        <span title={excluded.length === 0 ? undefined : `Excluded: ${excluded.join(', ')}`}>
          {clusters ?? '–'}
        </span>
      ),
      numeric: true,
    },
    {
      id: 'quarantined',
      title: 'Quarantined',
      value: ({ quarantined }) => quarantined ?? 0,
      show: ({ quarantined }) =>
        quarantined === undefined ? '–' : quarantined === 0 ? '0' : <span class="stale">{quarantined}</span>,
      numeric: true,
    },
    {
      id: 'generation',
      title: 'Generation',
      value: ({ generation }) => generation ?? 0,
      show: ({ generation }) => generation ?? '–',
      numeric: true,
    },
    ...(onReplay !== undefined
      ? [
          {
            id: 'act',
            title: '',
            value: () => '',
            show: ({ run, outcome }: FederationView) =>
              outcome === 'failed' || outcome === 'died' || outcome === 'cancelled' ? (
                <button type="button" class="small" onClick={() => onReplay(run)}>
                  Replay
                </button>
              ) : null,
          },
        ]
      : []),
  ];
}

function took({ startedAt, endedAt }: FederationView): number {
  return startedAt === undefined || endedAt === undefined ? 0 : Date.parse(endedAt) - Date.parse(startedAt);
}
