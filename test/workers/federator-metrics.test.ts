import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { Registry } from 'prom-client';
import { type Log, silentLog } from '../../config/log';
import { clusterId } from '../../etl/cluster-id';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import type { Generation } from '../../federation/generation';
import { clusterEtlKey } from '../../federation/layout';
import { advice } from '../../operator/describe-silence';
import { roleGone } from '../../operator/stopped-pushes';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { judgeClusters, silenceLog } from '../../workers/cluster-silence';
import { Readiness } from '../../workers/health';
import { lastEnds } from '../../workers/last-federations';
import { registerRoleMetrics } from '../../workers/metrics';
import { newestGenerationIn } from '../../workers/newest-generation';
import { names } from '../../workflows/names';
import { overriding } from '../activities/federated-bucket';
import { generation, membership } from '../federation/made-up';
import { temporaryFolder } from '../storage/temporary-folder';

const hold = { generation: 1, by: 'ann@host', reason: '', at: '2026-11-20T12:00:00Z' };

describe('The last federations', () => {
  it('are the newest of each outcome; one that died counts as failed', () => {
    const at = (minute: number) => `2026-11-20T10:0${minute}:00.000Z`;
    const ends = lastEnds([
      { outcome: 'running' },
      { outcome: 'died', endedAt: at(5) },
      { outcome: 'failed', endedAt: at(4) },
      { outcome: 'complete', endedAt: at(2) },
      { outcome: 'complete', endedAt: at(3) },
      { outcome: 'unknown', endedAt: at(6) },
    ]);
    expect(ends).toEqual(
      new Map([
        ['failed', Date.parse(at(5))],
        ['complete', Date.parse(at(3))],
      ]),
    );
  });
});

test('the metrics show a hold that another process put on the federation, and its end', async () => {
  const folder = openFilesystem({ directory: temporaryFolder() });
  const read: string[] = [];
  const bucket = overriding(folder, {
    get: (key, options) => {
      read.push(key);
      return folder.get(key, options);
    },
  });
  const commit = (number: number, more: Partial<Generation>) =>
    replaceDocument(
      folder,
      documents.generation.at(number),
      generation({}, membership(['a', 'b']), { generation: number, ...more }),
    );
  const registry = new Registry();
  const roles = { federatedCluster: false, federator: true, primaryCluster: false };
  const metrics = registerRoleMetrics(registry, new Readiness(roles));
  const look = newestGenerationIn(bucket);
  const shown = async () => {
    const newest = await look();
    if (newest !== undefined) metrics.generationFound(newest);
    const text = await registry.metrics();
    return [...text.matchAll(/^federated_etl_(on_hold|generation|generation_clusters) (\d+)$/gm)].map(
      ([, name, value]) => `${name} ${value}`,
    );
  };
  expect(await shown()).toEqual([]);
  await commit(2, { hold });
  const held = ['generation 2', 'generation_clusters 2', 'on_hold 1'];
  expect(await shown()).toEqual(held);
  // The generation is not read again, because no newer one has been committed.
  expect(await shown()).toEqual(held);
  expect(read).toEqual([documents.generation.at(2).key]);
  await commit(3, {});
  expect(await shown()).toEqual(['generation 3', 'generation_clusters 2', 'on_hold 0']);
});

test('the metrics show when each cluster last pushed, and which of them have gone silent', async () => {
  const directory = temporaryFolder();
  const bucket = openFilesystem({ directory });
  const now = Date.now();
  const window = 'allocations/1h/1794614400-1794618000';
  const hoursAgo = { a: 1, b: 5, c: 80, stopped: 80, out: 80 };
  for (const [cluster, hours] of Object.entries(hoursAgo)) {
    const key = clusterEtlKey(clusterId(cluster), window);
    await bucket.put(key, Buffer.from('a file'));
    const at = now / 1_000 - hours * 3_600;
    utimesSync(join(directory, key), at, at);
  }
  const excluded = { [clusterId('out')]: { by: 'person' as const, reason: 'moved' } };
  const members = membership(['a', 'b', 'c', 'stopped'], { excluded });
  await replaceDocument(bucket, documents.generation.at(1), generation({}, members));
  const registry = new Registry();
  const roles = { federatedCluster: false, federator: true, primaryCluster: false };
  const metrics = registerRoleMetrics(registry, new Readiness(roles));
  const judge = async (at: number) =>
    metrics.clustersJudged(await judgeClusters({ bucket, ...temporalThatStopped('stopped') }, at));
  const shown = async () => {
    const text = await registry.metrics();
    return [...text.matchAll(/^federated_etl_cluster_push_state\{cluster_id="(.*)",state="(.*)"\} 1$/gm)].map(
      ([, cluster, state]) => `${cluster} ${state}`,
    );
  };
  await judge(now);
  expect(await shown()).toEqual(['a on-time', 'b late', 'c gone']);
  expect(await registry.metrics()).toMatch(/^federated_etl_cluster_last_push_.*cluster_id="out"\} \d/m);
  await bucket.put(clusterEtlKey(clusterId('c'), window), Buffer.from('a newer file'));
  await judge(now);
  expect(await shown()).toEqual(['a on-time', 'b late', 'c on-time']);
});

describe('The log', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  const lastPush = '2026-11-20T07:00:00Z';
  type State = 'on-time' | 'late' | 'back' | 'gone' | 'not-expected' | 'no files';
  /**
   * Returns a cluster in the given state. `back` is not a state of its own: the cluster is late only because it has
   * just come back.
   */
  const seen = (state: State) => ({
    cluster: 'a',
    ...(state !== 'no files' && { lastPush }),
    silence: {
      state: state === 'back' ? ('late' as const) : state === 'no files' ? ('gone' as const) : state,
      usualMs: 3_600_000,
      ...(state === 'back' && { back: lastPush }),
    },
  });
  const logged = (looks: readonly (State | undefined)[]) => {
    const lines: string[] = [];
    const write = (level: string) => (_: object, message: string) => void lines.push(`${level} ${message}`);
    const logSilence = silenceLog({ ...silentLog, warn: write('warn'), info: write('info') } as Log);
    for (const state of looks) logSilence(state === undefined ? [] : [seen(state)], now);
    return lines;
  };
  const last = 'it last pushed 5h ago, and usually pushes every 1h';
  const late = `warn Federator sees that a is late: ${last}. ${advice.late}`;
  const gone = `warn Federator sees that a is gone: ${last}. ${advice.gone}`;
  const empty = `warn Federator sees that a is gone: it has no files for the last 14d. ${advice.gone}`;
  const back = 'info Federator sees that a pushes as usual again';

  it.each<[looks: readonly (State | undefined)[], lines: readonly string[]]>([
    [['on-time', 'on-time'], []],
    [
      ['on-time', 'late', 'late', 'late', 'on-time', 'on-time'],
      [late, back],
    ],
    [
      ['late', 'gone', 'gone', 'no files', 'back', 'back', 'on-time'],
      [late, gone, back],
    ],
    [
      ['gone', 'back', 'late', 'gone'],
      [gone, gone],
    ],
    [['no files', 'gone'], [empty]],
    [['back', 'back', 'on-time'], []],
    [['back', 'late'], [late]],
    [['not-expected', 'not-expected'], []],
    // Excluded, included again, and removed.
    [['late', 'not-expected', 'not-expected', 'on-time'], [late]],
    [
      ['late', 'not-expected', 'late'],
      [late, late],
    ],
    [['late', undefined, 'on-time'], [late]],
  ])('of a cluster that is %j has each change once', (looks, lines) => {
    expect(logged(looks)).toEqual(lines);
  });
});

/**
 * Makes a fake Temporal client. In it, the push workflow of one cluster was terminated, because the cluster lost the
 * role.
 */
function temporalThatStopped(cluster: string) {
  const attributes = { reason: roleGone };
  const statusOf = (id: string) => ({ name: id === names('').push(cluster) ? 'TERMINATED' : 'RUNNING' });
  const client = {
    options: { namespace: 'default' },
    workflow: {
      getHandle: (id: string) => ({ describe: async () => ({ runId: 'r', status: statusOf(id) }) }),
    },
    workflowService: {
      getWorkflowExecutionHistoryReverse: async () => ({
        history: { events: [{ workflowExecutionTerminatedEventAttributes: attributes }] },
      }),
    },
  } as unknown as Client;
  return { client, names: names('') };
}
