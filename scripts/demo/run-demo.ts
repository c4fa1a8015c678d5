import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { parseListen } from '../../config/listen';
import { defaultSettings } from '../../config/settings';
import { Releasers } from '../../workers/releasers';
import { describeFederation, showFederation } from '../federation-progress';
import { print } from '../output';
import { freePort } from '../set-up/free-port';
import { stopOnSignals } from '../stop-on-signals';
import { askPrimary, costsUrl } from './ask-primary';
import { requireUnion } from './check-union';
import { type ClusterProcess, rejectWhenOneEnds, startClusters } from './cluster-process';
import { layOutClusters } from './clusters';
import { exampleWindow, firstDay } from './example-days';
import { firstPush, patienceMs, pullOf, triggerRun } from './steps';
import { demoTemporal } from './temporal';

export interface Demo {
  /** Whether to stop after the checks. Otherwise the example runs until it receives a signal. */
  readonly once: boolean;
  /** Folder for all files of the example. */
  readonly dir: string;
  /** Last day of the example data. */
  readonly lastDay: string;
  /** Whether the example data is from an earlier run of the demo and ends before yesterday. */
  readonly isOld: boolean;
}

const namespace = 'default';
/**
 * Token for the operator's requests to the API. It need not be secret, because the API listens on this machine only.
 */
const operatorToken = 'demo';

/** Runs the example and prints each step. At the end, stops everything that it has started. */
export async function runDemo({ once, dir, lastDay, isOld }: Demo): Promise<void> {
  using stop = stopOnSignals({ info: (_fields: unknown, message?: string) => print(message ?? '') });
  await using releasers = new Releasers();

  step(1, 'Temporal');
  const server = await demoTemporal(dir, namespace, { releasers, say });
  if (server.dbFile !== undefined) say(`server    ${server.address}, state in ${server.dbFile}`);
  const connection = await Connection.connect({ address: server.address });
  releasers.defer(() => connection.close());
  const client = new Client({ connection, namespace });

  step(2, 'Five clusters, one bucket');
  const bucketFolder = join(dir, 'bucket');
  await mkdir(bucketFolder, { recursive: true });
  const { port } = parseListen(defaultSettings().api.listen, 'api.listen');
  const listen = `127.0.0.1:${await freePort(port)}`;
  const clusters = await layOutClusters(dir, {
    lastDay,
    api: { listen, token: operatorToken },
    ...(server.uiUrl !== undefined && { temporalUi: server.uiUrl }),
    temporal: { address: server.address, namespace },
    store: { type: 'FILESYSTEM', config: { directory: bucketFolder } },
  });
  say(`bucket    ${bucketFolder}`);
  say(`days      ${firstDay(lastDay)} to ${lastDay}`);
  if (isOld) {
    say('These days are from an earlier start.');
    say(`For the days up to yesterday, delete ${dir} or name another folder with --dir.`);
  }
  const started = await startClusters(clusters, { releasers, stop, onStart: showStarted });

  step(3, 'Push: each cluster uploads its ETL files to federated/<cluster id>');
  for (const { id } of clusters)
    say(`FederatedCluster[${id}] ${(await firstPush(client, id, stop)).files} files in Federated Storage`);

  step(4, 'Federate: the example triggers a run instead of waiting 5 minutes for the schedule');
  const run = await triggerRun(client, stop);
  say(run);
  const summary = await showFederation(client, run, { say: print, stop });
  print(...describeFederation(summary));
  const { generation = 0, excluded } = summary;

  step(5, 'Pull: the primary replaces its local ETL with the combined set');
  const primary = clusters.find(({ roles }) => roles.primary === true);
  if (primary !== undefined) await showPull(client, primary.id, generation, stop);

  const isIn = clusters.filter(({ id }) => !excluded.includes(id));
  const out = excluded.length === 0 ? '' : ` (without ${excluded.join(', ')}: excluded)`;
  const union = `the union of the ${['none', 'one', 'two', 'three', 'four', 'five'][isIn.length]}${out}`;
  step(6, `Check: is the combined set ${union}?`);
  const checked = await requireUnion(dir, isIn, union);
  say(`yes: ${checked.records} records in ${checked.windows} windows; the combined set equals ${union}`);

  step(7, "Ask: the primary's API, over all clusters");
  const [apiUrl, window] = [`http://${listen}`, exampleWindow(lastDay)];
  const costs = await askPrimary(apiUrl, window, generation, patienceMs, stop);
  say(`GET ${costsUrl(apiUrl, window)}`);
  for (const { cluster, totalCost } of costs) say(`${cluster}  ${totalCost.toFixed(2).padStart(8)} USD`);

  if (once || stop.aborted) return;
  const config = clusters.find(({ roles }) => roles.federator === true)?.config ?? '';
  const ui = server.uiUrl === undefined ? '(headless)' : `${server.uiUrl}/namespaces/${namespace}/workflows`;
  print(
    '',
    `Page          ${apiUrl}/?window=${window} (operator token: ${operatorToken})`,
    `API           ${apiUrl}/api/docs`,
    `Temporal UI   ${ui}`,
    `Status        npx federated-etl status --config ${config}`,
    `Exclude one   npx federated-etl exclude cluster-3 --reason 'trying it out' --config ${config}`,
    `Run again     npx federated-etl federate --wait --config ${config}`,
    `Logs          ${join(dir, 'logs')}`,
    '',
    'It runs until Ctrl-C; the next start continues from here.',
  );
  const stopped = Promise.withResolvers<void>();
  stop.addEventListener('abort', () => stopped.resolve(), { once: true });
  await Promise.race([stopped.promise, rejectWhenOneEnds(started)]);
}

/** Prints a line, indented below the title of the current step. */
function say(line: string): void {
  print(`  ${line}`);
}

function step(number: number, title: string): void {
  print('', `${number}. ${title}`);
}

function showStarted({ pid, cluster: { id, roles } }: ClusterProcess): void {
  const named = ['federated', roles.federator && 'federator', roles.primary && 'primary'];
  say(`${id} runs as process ${pid}: ${named.filter((role) => role !== undefined).join(', ')}`);
}

async function showPull(
  client: Client,
  cluster: string,
  generation: number,
  stop: AbortSignal,
): Promise<void> {
  const pulled = await pullOf(client, cluster, generation, stop);
  say(
    `PrimaryCluster[${cluster}] ${pulled.state} generation ${pulled.generation}: ${pulled.replaced} files replaced, ${pulled.unchanged} unchanged`,
  );
  if (pulled.backup !== undefined)
    say(`its own local ETL was backed up first: federated-etl/backups/${cluster}/${pulled.backup}`);
}
