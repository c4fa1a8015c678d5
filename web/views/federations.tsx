import { useState } from 'preact/hooks';
import type { FederationView } from '../../api/contract';
import { act, Refused, useAnswer } from '../ask';
import { age, moment, span } from '../format';
import { Dialog } from '../parts/dialog';
import { Failed } from '../parts/states';
import { type Column, Table } from '../parts/table';
import type { ViewProps } from './view';

const tones: Readonly<Record<FederationView['outcome'], string>> = {
  complete: 'good',
  partial: 'fair',
  nothing: 'fair',
  running: 'fair',
  failed: 'bad',
  cancelled: 'bad',
  died: 'bad',
  unknown: 'fair',
};

/** Runs and how they ended, each with its history in Temporal. */
export function Federations({ state, go, status, say, onToken }: ViewProps) {
  const { answer, error, again, loading } = useAnswer<{ federations: FederationView[] }>(
    '/api/federations?limit=100',
  );
  const [asked, setAsked] = useState<{ replay?: string }>();
  const [why, setWhy] = useState('');
  const now = Date.now();
  const columns: Column<FederationView>[] = [
    {
      id: 'run',
      title: 'Run',
      value: ({ startedAt, run }) => startedAt ?? run,
      show: ({ run, link }) =>
        link === undefined ? (
          <span class="name">{shortName(run)}</span>
        ) : (
          <a class="name" href={link} target="_blank" rel="noreferrer">
            {shortName(run)}
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
      title: 'By',
      value: ({ trigger }) => trigger ?? '',
      show: ({ trigger, why: reason }) => <span title={reason}>{trigger ?? '–'}</span>,
    },
    {
      id: 'outcome',
      title: 'Outcome',
      value: ({ outcome }) => outcome,
      show: ({ outcome, error: failed, warnings = [] }) => (
        <>
          <span class={`badge ${tones[outcome]}`}>{outcome}</span>
          {failed !== undefined && (
            <small title={failed.hint}>
              {' '}
              {failed.code}: {failed.message}
            </small>
          )}
          {warnings.map((warning) => (
            <small key={warning}> {warning}</small>
          ))}
        </>
      ),
    },
    {
      id: 'took',
      title: 'Took',
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
        <span title={excluded.length === 0 ? undefined : `excluded: ${excluded.join(', ')}`}>
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
    ...(status?.canAct === true
      ? [
          {
            id: 'act',
            title: '',
            value: () => '',
            show: ({ run, outcome }: FederationView) =>
              outcome === 'failed' || outcome === 'died' || outcome === 'cancelled' ? (
                <button type="button" class="small" onClick={() => setAsked({ replay: run })}>
                  Replay
                </button>
              ) : null,
          },
        ]
      : []),
  ];
  const confirm = () => {
    const done =
      asked?.replay === undefined
        ? act('/api/federations', { why })
        : act(`/api/federations/${encodeURIComponent(asked.replay)}/replay`, {});
    done.then(
      (message) => {
        say(message);
        again();
      },
      (refused: unknown) => {
        say(refused instanceof Error ? refused.message : String(refused));
        if (refused instanceof Refused && refused.status === 401) onToken();
      },
    );
    setAsked(undefined);
    setWhy('');
  };
  if (error !== undefined) return <Failed error={error} again={again} onToken={onToken} />;
  return (
    <>
      <div class="controls">
        <button type="button" onClick={again}>
          Refresh
        </button>
        {status?.canAct === true && (
          <button type="button" onClick={() => setAsked({})}>
            Federate now
          </button>
        )}
        {status?.temporalUi !== undefined && (
          <a class="button" href={status.temporalUi} target="_blank" rel="noreferrer">
            Temporal UI
          </a>
        )}
      </div>
      <Table
        caption="Federations"
        columns={columns}
        rows={answer?.data.federations ?? []}
        keyOf={({ run }) => run}
        sort={state['federationsSort'] ?? '-run'}
        onSort={(sort) => go({ ...state, federationsSort: sort }, true)}
        empty={
          loading
            ? 'Loading…'
            : status?.kind === 'local'
              ? 'This server is over a local ETL store alone: nothing is federated here.'
              : 'No federation has run yet: the first comes 5 minutes after the federator starts.'
        }
      />
      {asked !== undefined && (
        <Dialog
          title={asked.replay === undefined ? 'Start a federation now?' : `Replay ${asked.replay}?`}
          confirm={asked.replay === undefined ? 'Start' : 'Replay'}
          onConfirm={confirm}
          onCancel={() => setAsked(undefined)}
        >
          {asked.replay === undefined ? (
            <label class="control">
              <span>Why, for whoever looks later</span>
              <input value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
            </label>
          ) : (
            <p>
              A new run of the same request, against what is there today. What is merged already is not merged
              again.
            </p>
          )}
        </Dialog>
      )}
    </>
  );
}

function took({ startedAt, endedAt }: FederationView): number {
  return startedAt === undefined || endedAt === undefined ? 0 : Date.parse(endedAt) - Date.parse(startedAt);
}

/** What all of them begin with says nothing. */
function shortName(run: string): string {
  return run.replace(/^federation-/, '');
}
