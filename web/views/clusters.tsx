import { useState } from 'preact/hooks';
import type { ClusterView, SilenceView } from '../../api/contract';
import { act, Refused } from '../ask';
import { age, moment } from '../format';
import { Dialog } from '../parts/dialog';
import { FederationState } from '../parts/federation-state';
import { Link } from '../parts/link';
import { Notice } from '../parts/states';
import { type Column, Table } from '../parts/table';
import { comparison } from '../url-state';
import type { ViewProps } from './view';

const memberships = { in: 'in', excluded: 'excluded', removed: 'removed', 'not yet': 'not yet' } as const;
/**
 * Age after which the data of a cluster is marked as stale, in milliseconds. Usually, data is much newer: a cost-model
 * (the agent of Kubecost and OpenCost) writes files every few minutes.
 */
const staleAfterMs = 2 * 86_400_000;

/**
 * Shows all clusters with their membership, last push, and served windows. Lets the operator exclude and include
 * clusters.
 */
export function Clusters({ state, go, status, say, onToken, refresh }: ViewProps) {
  const [asked, setAsked] = useState<{ kind: 'exclude' | 'include'; cluster: string }>();
  const [reason, setReason] = useState('');
  const now = Date.now();
  const held = (cluster: ClusterView) => cluster.windows.reduce((sum, one) => sum + one.held, 0);
  const missing = (cluster: ClusterView) => cluster.windows.reduce((sum, one) => sum + one.missing, 0);
  const columns: Column<ClusterView>[] = [
    {
      id: 'cluster',
      title: 'Cluster',
      value: ({ cluster }) => cluster,
      show: ({ cluster }) => (
        <Link
          class="name"
          to={{ ...state, view: '', aggregate: 'namespace', filter: comparison('cluster', ':', cluster) }}
          go={go}
        >
          {cluster}
        </Link>
      ),
    },
    {
      id: 'membership',
      title: 'Membership',
      value: ({ membership }) => membership,
      show: ({ membership, reason: why }) => (
        <>
          <span class={`badge ${membership === 'in' ? 'good' : 'bad'}`}>{memberships[membership]}</span>
          {why !== undefined && (
            <small title={why}> {membership === 'removed' ? why.replace(/^removed /, '') : why}</small>
          )}
        </>
      ),
    },
    {
      id: 'push',
      title: 'Last push',
      value: ({ lastPush }) => lastPush ?? '',
      show: ({ lastPush, silence }) => (
        <>
          <Ago time={lastPush} now={now} />
          {silence !== undefined && isSilent(silence) && (
            <>
              {' '}
              <span class="badge bad" title={silenceText(silence, now)}>
                {silence.state}
              </span>
            </>
          )}
        </>
      ),
    },
    {
      id: 'data',
      title: 'Latest data',
      value: ({ lastData }) => lastData ?? '',
      show: ({ lastData }) =>
        lastData === undefined ? (
          'none'
        ) : (
          <span class={now - Date.parse(lastData) > staleAfterMs ? 'stale' : undefined}>
            {Date.parse(lastData) >= now ? 'today' : `${age(lastData, now)} old`}
          </span>
        ),
    },
    {
      id: 'first',
      title: 'Data since',
      value: ({ firstData }) => firstData ?? '',
      show: ({ firstData }) => moment(firstData).slice(0, 10),
    },
    {
      id: 'held',
      title: 'Windows',
      value: held,
      show: (cluster) => <span title={windowsText(cluster)}>{held(cluster).toLocaleString('en-US')}</span>,
      numeric: true,
    },
    {
      id: 'missing',
      title: 'Missing',
      value: missing,
      show: (cluster) =>
        missing(cluster) === 0 ? (
          '0'
        ) : (
          <span class="stale" title={windowsText(cluster)}>
            {missing(cluster)}
          </span>
        ),
      numeric: true,
    },
    {
      id: 'allocations',
      title: 'Allocations',
      value: ({ allocations }) => allocations,
      show: ({ allocations }) => allocations.toLocaleString('en-US'),
      numeric: true,
    },
    ...((status?.clusters ?? []).some(({ inventory }) => inventory?.program !== undefined)
      ? [
          {
            id: 'version',
            title: 'Version',
            value: ({ inventory }: ClusterView) => inventory?.program ?? '',
            show: ({ inventory }: ClusterView) => (
              <span title={inventory === undefined ? undefined : inventoryText(inventory)}>
                {inventory?.program ?? 'unknown'}
              </span>
            ),
          },
        ]
      : []),
    ...(status?.canAct === true
      ? [
          {
            id: 'act',
            title: '',
            value: () => '',
            show: ({ cluster, membership }: ClusterView) => {
              if (membership === 'removed') return undefined;
              const kind = membership === 'excluded' ? 'include' : 'exclude';
              return (
                <button type="button" class="small" onClick={() => setAsked({ kind, cluster })}>
                  {kind === 'exclude' ? 'Exclude' : 'Include'}
                </button>
              );
            },
          },
        ]
      : []),
  ];
  const confirm = () => {
    if (asked === undefined) return;
    act(
      `/api/clusters/${encodeURIComponent(asked.cluster)}/${asked.kind}`,
      asked.kind === 'exclude' ? { reason } : {},
    ).then(
      (message) => {
        say(message);
        refresh();
      },
      (error: unknown) => {
        say(error instanceof Error ? error.message : String(error));
        if (error instanceof Refused && error.status === 401) onToken();
      },
    );
    setAsked(undefined);
    setReason('');
  };
  return (
    <>
      {status !== undefined && <FederationState status={status} now={now} />}
      <Notice sentences={status?.skew ?? []} />
      <Table
        caption="Clusters"
        columns={columns}
        rows={status?.clusters ?? []}
        keyOf={({ cluster }) => cluster}
        sort={state['clustersSort'] ?? 'cluster'}
        onSort={(sort) => go({ ...state, clustersSort: sort }, true)}
        empty={status === undefined ? 'Loading…' : 'No cluster has pushed yet.'}
      />
      {asked !== undefined && (
        <Dialog
          title={asked.kind === 'exclude' ? `Exclude ${asked.cluster}?` : `Include ${asked.cluster} again?`}
          confirm={asked.kind === 'exclude' ? 'Exclude' : 'Include'}
          onConfirm={confirm}
          onCancel={() => setAsked(undefined)}
        >
          {asked.kind === 'exclude' ? (
            <>
              <p>
                From the next federation on, no window contains it. It keeps pushing, so that you can include
                it again with its full history.
              </p>
              <label class="control">
                <span>Reason, shown with the cluster</span>
                <input value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
              </label>
            </>
          ) : (
            <p>From the next federation on, every window contains it again, with its full history.</p>
          )}
        </Dialog>
      )}
    </>
  );
}

function isSilent({ state }: SilenceView): boolean {
  return state === 'late' || state === 'gone';
}

function silenceText({ usualMs, back }: SilenceView, now: number): string {
  const usually = `Usually pushes every ${age(new Date(now - usualMs).toISOString(), now)}.`;
  return back === undefined ? usually : `${usually} Came back ${age(back, now)} ago.`;
}

function windowsText({ windows }: ClusterView): string {
  return windows
    .map((one) => `${one.pipeline} ${one.resolution}: ${one.held} stored, ${one.missing} missing`)
    .join('\n');
}

function Ago({ time, now }: { readonly time: string | undefined; readonly now: number }) {
  if (time === undefined) return <>–</>;
  return (
    <time dateTime={time} title={`${moment(time)} UTC`}>
      {age(time, now)} ago
    </time>
  );
}

/** Describes what wrote and pushed the newest file of a cluster, such as `Agent: github.com/opencost/…`. */
function inventoryText({ agent, codecs }: NonNullable<ClusterView['inventory']>): string {
  const written = Object.entries(codecs).map(([pipeline, codec]) => `${pipeline} ${codec}`);
  return `Agent: ${agent ?? 'unknown'}. Codecs: ${written.join(', ') || 'unknown'}.`;
}
