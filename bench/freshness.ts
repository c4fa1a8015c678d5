import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { newestGenerationNumber } from '../activities/read-generations';
import { clusterId } from '../etl/cluster-id';
import { windowId, type WindowRef } from '../etl/window';
import { count } from '../federation/count';
import { clusterEtlKey, generationKey } from '../federation/layout';
import { writeAtomically } from '../local-etl/write';
import { startFederation } from '../operator/start-federation';
import { gapMs } from '../workers/federate-on-push';
import { Releasers } from '../workers/releasers';
import type { FederationSummary } from '../workflows/federation';
import { names } from '../workflows/names';
import { fill, windowsBefore, writer } from './federation/made-up-store';
import { type Place, type RunningCluster, startFederator, startPlace, startRoles } from './federation/place';
import { madeUpFile } from './merge/made-up-clusters';
import { begin, showResults } from './results';
import { type Cell, markdownTable, medianOf } from './table';

const records = { allocations: 40, assets: 10 };

/**
 * `npm run bench:freshness`: measures the time from the change of a file on a Federated Cluster until the primary's
 * answers contain the change. Splits this time into legs, such as push and pull. Measures it in two set-ups. In the
 * first, the benchmark triggers the federation schedule after each push. In the second, the push itself starts a
 * federation run. Each cluster runs in its own process.
 */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      store: { type: 'string', default: 'FILESYSTEM' },
      clusters: { type: 'string' },
      windows: { type: 'string' },
      rounds: { type: 'string' },
    },
  });
  const usual = values.quick
    ? { clusters: '2', windows: '8', rounds: '1' }
    : { clusters: '5', windows: '280', rounds: '5' };
  const { clusters, windows, rounds } = { ...usual, ...values };
  const begun = begin('freshness');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-bench-freshness-'));
  try {
    const rows = await measureFreshness(folder, values.store, {
      clusters: Number(clusters),
      windows: windowsBefore(new Date(), Number(windows)),
      rounds: Number(rounds),
    });
    await showResults(
      begun,
      values.write,
      `${clusters} clusters × ${windows} windows of ${records.allocations} allocations or ${records.assets} assets on ` +
        `${values.store}. One of them rebuilds its newest daily window; a Federated Cluster, the Federator and the ` +
        `Primary Cluster are processes of their own. Seconds, medians of ${count(Number(rounds), 'round')}. The push ` +
        'is the first one for a minute, so that it starts a run at once; the schedule is triggered as soon as the file is pushed.',
      markdownTable(['run begun by', ...legs, 'in all', 'slowest'], rows),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Wanted {
  readonly clusters: number;
  readonly windows: readonly WindowRef[];
  readonly rounds: number;
}

async function measureFreshness(folder: string, store: string, wanted: Wanted): Promise<Cell[][]> {
  const { windows, clusters, rounds } = wanted;
  await using held = new Releasers();
  const place = await startPlace(held, folder, store);
  console.error(`Making ${clusters * windows.length} files …`);
  await fill(writer(place.bucket, place.store.directory), { clusters, windows, records });
  const federator = await startFederator(held, place);
  const federated = await startRoles(held, place, 'cluster-1', { federatedCluster: true });
  for (const ref of windows) await build(federated, ref, 0);
  const run = await startFederation(place.client, '', { trigger: 'person', at: new Date().toISOString() });
  const { generation } = (await place.client.workflow.getHandle(run).result()) as FederationSummary;
  const primary = await startRoles(held, place, 'primary', { primaryCluster: true });
  const [ref] = windows;
  if (ref === undefined || generation === undefined) throw new Error('nothing was combined');
  const change = new Change(place, federated, primary, ref);
  await when('the primary answers', () => change.answer());

  const measureRounds = async (
    name: string,
    first: number,
    onPushed: () => Promise<void>,
    beforeRound: () => Promise<void> = async () => undefined,
  ): Promise<Cell[]> => {
    const all: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      console.error(`${name}: round ${round + 1} of ${rounds} …`);
      await beforeRound();
      await when('the last run ends', () => nothingRuns(place));
      all.push(await change.measure(first + round, onPushed));
    }
    const total = (times: readonly number[]) => times.reduce((sum, time) => sum + time, 0);
    return [
      name,
      ...legs.map((_, leg) => medianOf(all, (times) => times[leg] ?? NaN)),
      medianOf(all, total),
      Math.max(...all.map(total)),
    ];
  };
  const schedule = place.client.schedule.getHandle(names('').schedule);
  const triggered = await measureRounds('the schedule, triggered', 1, () => schedule.trigger());
  await federator.stop();
  await startFederator(held, place, { federateOnPush: true });
  const onPush = await measureRounds(
    'the push',
    1 + rounds,
    async () => undefined,
    () => sleep(gapMs),
  );
  return [triggered, onPush];
}

const legs = ['changed → pushed', 'pushed → combined', 'combined → pulled', 'pulled → answered'] as const;

/**
 * Rebuilds one cluster's file of one window, and measures how long it takes until the cluster has pushed the file, the
 * federator has combined it, the primary has pulled it, and the primary's API returns the new data.
 */
class Change {
  constructor(
    private readonly place: Place,
    private readonly federated: RunningCluster,
    private readonly primary: RunningCluster,
    private readonly ref: WindowRef,
  ) {}

  /** Rebuilds the window. Returns the duration of each leg (see `legs`), in seconds. */
  async measure(built: number, onPushed: () => Promise<void>): Promise<number[]> {
    const { bucket } = this.place;
    const key = clusterEtlKey(clusterId('cluster-1'), windowId(this.ref));
    const next = generationKey((await newestGenerationNumber(bucket)) + 1);
    const version = async () => (await bucket.head(key))?.version;
    const [pushedBefore, pulledBefore, answeredBefore] = [
      await version(),
      await this.pulledFile(),
      await this.answer(),
    ];
    const moments = [performance.now()];
    const reached = async (what: string, look: () => Promise<boolean>) => {
      await when(what, look);
      moments.push(performance.now());
    };
    await build(this.federated, this.ref, built);
    await reached('the file is pushed', async () => (await version()) !== pushedBefore);
    await onPushed();
    await reached('it is combined', async () => (await bucket.head(next)) !== undefined);
    await reached('it is pulled', async () => (await this.pulledFile()) !== pulledBefore);
    await reached('it is answered', async () => (await this.answer()) !== answeredBefore);
    return moments.slice(1).map((moment, index) => (moment - (moments[index] ?? NaN)) / 1_000);
  }

  /** Asks the primary's API for the cost of `cluster-1` in the window. Returns undefined if there is no cost yet. */
  async answer(): Promise<number | undefined> {
    const { start, end } = this.ref.window;
    const question = `window=${start},${end}&aggregate=cluster&accumulate=true&idle=false`;
    const response = await fetch(`${this.primary.apiUrl}/model/allocation?${question}`);
    const { data } = (await response.json()) as { data: Record<string, { totalCost: number }>[] | null };
    return data?.[0]?.['cluster-1']?.totalCost;
  }

  /**
   * Returns the inode of the primary's local file of the window. The inode changes when the primary replaces the file.
   */
  private async pulledFile(): Promise<bigint> {
    return (await stat(localFile(this.primary, this.ref), { bigint: true })).ino;
  }
}

async function build(cluster: RunningCluster, ref: WindowRef, built: number): Promise<void> {
  const bytes = madeUpFile({ ...ref, cluster: 1, records: records[ref.pipeline], built });
  await writeAtomically(localFile(cluster, ref), bytes);
}

function localFile({ etl }: RunningCluster, ref: WindowRef): string {
  return path.join(etl, 'bingen', windowId(ref));
}

async function nothingRuns({ client }: Place): Promise<boolean> {
  const query = `WorkflowType = 'federation' AND ExecutionStatus = 'Running'`;
  return (await client.workflow.count(query)).count === 0;
}

const patienceMs = 180_000;
const lookEveryMs = 10;

/** Waits until `look` returns something other than undefined or false. If `look` throws, tries again. */
async function when(what: string, look: () => Promise<unknown>): Promise<void> {
  let last: unknown;
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(lookEveryMs)) {
    const found = await look().catch((error: unknown) => {
      last = error;
      return false;
    });
    if (found !== undefined && found !== false) return;
  }
  throw new Error(`waited in vain until ${what}`, { cause: last });
}

void bench();
