import { useState } from 'preact/hooks';
import type { FederationView } from '../../api/contract';
import { act, Refused, useAnswer } from '../ask';
import { Dialog } from '../parts/dialog';
import { Failed } from '../parts/states';
import { Table } from '../parts/table';
import { federationColumns } from './federation-columns';
import type { ViewProps } from './view';

/** Shows the federation runs with their outcomes. Each run links to its history in Temporal. */
export function Federations({ state, go, status, say, onToken }: ViewProps) {
  const { answer, error, again, loading } = useAnswer<{ federations: FederationView[] }>(
    '/api/federations?limit=100',
  );
  const [asked, setAsked] = useState<{ replay?: string }>();
  const [why, setWhy] = useState('');
  const columns = federationColumns(
    Date.now(),
    status?.canAct === true ? (run) => setAsked({ replay: run }) : undefined,
  );
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
              ? 'This server reads a local ETL folder only, so it has no federations.'
              : 'No federation has run yet. The first starts 5 minutes after the federator.'
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
              <span>Reason, shown with the run</span>
              <input value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
            </label>
          ) : (
            <p>
              Runs the same request again on the current files. Windows that are already merged are reused.
            </p>
          )}
        </Dialog>
      )}
    </>
  );
}
