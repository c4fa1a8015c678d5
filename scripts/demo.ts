import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client, Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Command } from 'commander';
import { FederationError } from '../errors/federation-error';
import { openBucketFromFile } from '../storage/open-bucket';
import type { FederationSummary } from '../workflows/federation';
import { pullState, pushState, type PullState, type PushState } from '../workflows/messages';
import { Releasers } from '../workers/releasers';
import { names } from '../workflows/names';
import { askPrimary, costsUrl } from './demo/ask-primary';
import { checkUnion } from './demo/check-union';
import { startCluster, type ClusterProcess } from './demo/cluster-process';
import { laidOutDay, layOutClusters, type DemoCluster } from './demo/clusters';
import { exampleWindow, firstDay, parseDay, yesterday } from './demo/example-days';
import { until } from './demo/until';
import { describeFederation, showFederation } from './federation-progress';
import { stopOnSignals } from './stop-on-signals';
import { freePort } from './set-up/free-port';
import { findTemporal } from './set-up/temporal-cli';
import { startTemporalServer } from './set-up/temporal-server';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description("run the guide's five-cluster example on this machine, on a folder as the bucket")
    .option('--once', 'check the outcome, print it and exit')
    .option('--dir <dir>', 'where everything of the example is kept', '.federated-etl/demo')
    .option('--date <day>', "the last day of the example's data (default: yesterday, in UTC)", parseDay)
    .addHelpText('after', '\nExample:\n  federated-etl demo --once --dir /tmp/five-clusters\n')
    .action(async (options: DemoOptions, command: Command) => {
      const { once = false, date } = options;
      const dir = resolve(options.dir);
      const there = await laidOutDay(dir);
      if (date !== undefined && there !== undefined && there !== date) {
        command.error(
          `error: --date ${date}: the example in ${dir} ends on ${there}. Delete that folder, or name another with --dir`,
          { exitCode: 2 },
        );
      }
      const newest = date ?? yesterday(new Date());
      await demo({ once, dir, lastDay: there ?? newest, isOld: there !== undefined && there < newest });
    });
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const namespace = 'default';
/** Where OpenCost's API usually is. */
const usualPort = 9003;
/** For this machine alone: the example listens nowhere else. */
const operatorToken = 'demo';

interface DemoOptions {
  readonly once?: true;
  readonly dir: string;
  readonly date?: string;
}

interface Demo {
  readonly once: boolean;
  readonly dir: string;
  readonly lastDay: string;
  /** Whether an earlier start laid it out, and yesterday is another day by now. */
  readonly isOld: boolean;
}

async function demo({ once, dir, lastDay, isOld }: Demo): Promise<void> {
  const stop = stopOnSignals({ info: (_fields: unknown, message?: string) => say(message ?? '') });
  await using held = new Releasers();

  step(1, 'Temporal');
  const server = await temporalServer(dir, held);
  const connection = await Connection.connect({ address: server.address });
  held.defer(() => connection.close());
  const client = new Client({ connection, namespace });

  step(2, 'Five clusters, one bucket');
  const bucketFolder = join(dir, 'bucket');
  await mkdir(bucketFolder, { recursive: true });
  const port = await freePort(usualPort);
  const apiUrl = `http://127.0.0.1:${port}`;
  const window = exampleWindow(lastDay);
  const clusters = await layOutClusters(dir, {
    lastDay,
    api: { listen: `127.0.0.1:${port}`, token: operatorToken },
    ...(server.uiUrl === '' ? {} : { temporalUi: server.uiUrl }),
    temporal: { address: server.address, namespace },
    store: { type: 'FILESYSTEM', config: { directory: bucketFolder } },
  });
  say(`  bucket    ${bucketFolder}`);
  say(`  days      ${firstDay(lastDay)} to ${lastDay}`);
  if (isOld) {
    say('  They stay as an earlier start laid them out.');
    say(`  For days that end with yesterday delete ${dir}, or name another folder with --dir.`);
  }
  const started = await startClusters(clusters, held);

  step(3, 'Push: each cluster brings its ETL files to federated/<cluster id>');
  for (const { id } of clusters) await showPush(client, id, stop);

  step(4, 'Federate: the schedule starts a run; the example does not wait the 5 minutes for its first one');
  const federated = await federate(client, stop);

  step(5, 'Pull: the primary brings what is combined over its local ETL');
  const primary = clusters.find(({ roles }) => roles.primary === true);
  if (primary !== undefined) await showPull(client, primary.id, federated.generation ?? 0, stop);

  const isIn = clusters.filter(({ id }) => !federated.excluded.includes(id));
  const out = federated.excluded.length === 0 ? '' : ` (without ${federated.excluded.join(', ')}: excluded)`;
  const union = `the union of the ${['none', 'one', 'two', 'three', 'four', 'five'][isIn.length]}${out}`;
  step(6, `Check: is the combined set ${union}?`);
  await check(dir, isIn, union);

  step(7, "Ask: the primary's API, over all clusters");
  const costs = await askPrimary(apiUrl, window, federated.generation ?? 0, patienceMs, stop);
  say(`  GET ${costsUrl(apiUrl, window)}`);
  for (const { cluster, totalCost } of costs) say(`  ${cluster}  ${totalCost.toFixed(2).padStart(8)} USD`);

  if (once) return;
  say('');
  say(`Page          ${apiUrl}/?window=${window} (operator token: ${operatorToken})`);
  say(`API           ${apiUrl}/api/docs`);
  say(
    `Temporal UI   ${server.uiUrl === '' ? '(headless)' : `${server.uiUrl}/namespaces/${namespace}/workflows`}`,
  );
  const [federator] = clusters.filter(({ roles }) => roles.federator === true);
  const config = federator?.config ?? '';
  say(`What is what  npx federated-etl status --config ${config}`);
  say(`Exclude one   npx federated-etl exclude cluster-3 --reason 'trying it out' --config ${config}`);
  say(`Run again     npx federated-etl federate --wait --config ${config}`);
  say(`Logs          ${join(dir, 'logs')}`);
  say('\nIt runs until Ctrl-C; a second start goes on from here.');
  const stopped = new Promise<void>((done) => stop.addEventListener('abort', () => done(), { once: true }));
  const ended = started.map(async ({ cluster, ended: end }) => {
    await end;
    if (!stop.aborted) throw clusterEnded(cluster);
  });
  await Promise.race([stopped, ...ended.map((end) => end.then(() => stopped))]);
}

function step(number: number, title: string): void {
  say(`\n${number}. ${title}`);
}

async function temporalServer(dir: string, held: Releasers): Promise<{ address: string; uiUrl: string }> {
  const found = await findTemporal({ say: (line) => say(`  ${line}`) });
  if (found.kind === 'address') return { address: found.address, uiUrl: '' };
  const server = await startTemporalServer({
    binary: found.path,
    dbFile: join(dir, 'temporal.db'),
    namespace,
    logFile: join(dir, 'logs', 'temporal.log'),
  });
  held.defer(() => server.stop());
  say(`  server    ${server.address}, its state in ${join(dir, 'temporal.db')}`);
  return server;
}

async function startClusters(clusters: readonly DemoCluster[], held: Releasers): Promise<ClusterProcess[]> {
  // The first one bundles the workflow code, the others find it: all at once would do it five times.
  const [first, ...others] = clusters;
  if (first === undefined) return [];
  const start = async (cluster: DemoCluster) => {
    const process = await startCluster(cluster);
    held.defer(() => process.stop());
    const roles = ['federated', cluster.roles.federator && 'federator', cluster.roles.primary && 'primary'];
    say(
      `  ${cluster.id} runs as process ${process.pid}: ${roles.filter((role) => role !== undefined).join(', ')}`,
    );
    return process;
  };
  return [await start(first), ...(await Promise.all(others.map(start)))];
}

const patienceMs = 120_000;

async function showPush(client: Client, cluster: string, stop: AbortSignal): Promise<void> {
  const state = await until(`the push of ${cluster}`, patienceMs, stop, async () => {
    const found = await client.workflow.getHandle(names('').push(cluster)).query<PushState>(pushState);
    return found.summary === undefined ? undefined : found;
  });
  const { summary } = state;
  if (summary === undefined) return;
  say(`  FederatedCluster[${cluster}] ${summary.files} files in Federated Storage`);
}

async function federate(client: Client, stop: AbortSignal): Promise<FederationSummary> {
  const schedule = client.schedule.getHandle(names('').schedule);
  const before = (await schedule.describe()).info.recentActions.length;
  await schedule.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
  const run = await until('the run to start', patienceMs, stop, async () => {
    const actions = (await schedule.describe()).info.recentActions;
    const last = actions.at(-1);
    return actions.length > before && last !== undefined ? last.action.workflow : undefined;
  });
  say(`  ${run.workflowId}`);
  const summary = await showFederation(client, run.workflowId, { say, stop });
  say(describeFederation(summary));
  return summary;
}

async function showPull(
  client: Client,
  cluster: string,
  generation: number,
  stop: AbortSignal,
): Promise<void> {
  const state = await until(
    `the pull of generation ${generation} by ${cluster}`,
    patienceMs,
    stop,
    async () => {
      const found = await client.workflow.getHandle(names('').pull(cluster)).query<PullState>(pullState);
      return (found.summary?.generation ?? 0) >= generation && found.error === undefined ? found : undefined;
    },
  );
  const { summary } = state;
  if (summary === undefined) return;
  say(
    `  PrimaryCluster[${cluster}] ${summary.state} generation ${summary.generation}: ${summary.replaced} files replaced, ${summary.unchanged} as they should be`,
  );
  if (summary.backup !== undefined)
    say(`  its own local ETL was saved first: federated-etl/backups/${cluster}/${summary.backup}`);
}

async function check(dir: string, clusters: readonly DemoCluster[], union: string): Promise<void> {
  const bucket = await openBucketFromFile(join(dir, 'federated-store.yaml'));
  try {
    const { windows, records, differences } = await checkUnion(
      bucket,
      clusters.map(({ id }) => id),
    );
    if (differences.length === 0) {
      say(`  yes: ${records} records in ${windows} windows; the combined set equals ${union}`);
      return;
    }
    throw new FederationError('FEDERATION_FAILED', {
      detail: `The combined set is not ${union}: ${differences.slice(0, 5).join('; ')}${differences.length > 5 ? '; …' : ''}`,
      hint: `Look at the logs under ${join(dir, 'logs')}, and run \`federated-etl verify\`.`,
    });
  } finally {
    await bucket.close();
  }
}

function clusterEnded(cluster: DemoCluster): FederationError {
  return new FederationError('INTERNAL', {
    subject: { cluster: cluster.id },
    detail: `${cluster.id} ended by itself.`,
    hint: `Its log is ${cluster.log}.`,
  });
}
