import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { clusterId } from '../etl/cluster-id';
import type { WindowRef } from '../etl/window';
import { count } from '../federation/count';
import { clusterEtlPrefix } from '../federation/layout';
import { Releasers } from '../workers/releasers';
import { type Contents, fill, push, windowsBefore, writer } from './federation/made-up-store';
import { type MeasuredRun, measureRun, mergeActivitySeconds } from './federation/measured-run';
import { forgetCombined, type Place, startFederator, startPlace } from './federation/place';
import { runCells, runHeadings } from './federation/run-table';
import { begin, showResults } from './results';
import { measure } from './storage/measure';
import { type Cell, markdownTable, median, medianOf } from './table';

/**
 * `npm run bench:federation`: measures federation runs with a real federator, a Temporal server and a store. Measures
 * three kinds of run: the first run, a run after one window of one cluster has changed, and a run after nothing has
 * changed. Prints Markdown tables of medians and ratios.
 */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      stores: { type: 'string' },
      clusters: { type: 'string' },
      windows: { type: 'string' },
      large: { type: 'string' },
      allocations: { type: 'string' },
      rounds: { type: 'string' },
    },
  });
  // A quick run has rows in common with a full one, so that `--compare` finds their ratios.
  const usual = values.quick
    ? { stores: 'FILESYSTEM', clusters: '5', windows: '280', large: '1', allocations: '200', rounds: '1' }
    : {
        stores: 'FILESYSTEM,S3',
        clusters: '5,50',
        windows: '280',
        large: '4',
        allocations: '4000',
        rounds: '3',
      };
  const { stores, clusters, windows, large, allocations, rounds } = { ...usual, ...values };
  const begun = begin('federation');
  const now = new Date();
  const most = Math.max(...clusters.split(',').map(Number));
  const small = { allocations: 40, assets: 10 };
  const all: Measured[] = [];
  for (const store of stores.split(',')) {
    for (const number of clusters.split(',').map(Number)) {
      const contents = { clusters: number, windows: windowsBefore(now, Number(windows)), records: small };
      all.push(await measureContents(store, contents, Number(rounds)));
    }
  }
  const largeContents: Contents = {
    clusters: most,
    // Use only daily windows of allocations. They come first in the result of `windowsBefore` and make up more than a
    // quarter of it, so the first quarter contains no other windows.
    windows: windowsBefore(now, Number(large) * 4).slice(0, Number(large)),
    records: { allocations: Number(allocations), assets: 0 },
  };
  const ofLarge = await measureContents('FILESYSTEM', largeContents, Number(rounds));

  await showResults(
    begun,
    values.write,
    `Clusters with ${windows} windows each, as an agent keeps them (91 days and 49 hours of each pipeline), of ` +
      `${small.allocations} allocations or ${small.assets} assets. The federator is a process of its own, and so is the ` +
      `Temporal server, its state in a file. Medians of ${count(Number(rounds), 'round')}, each with a new process and ` +
      'nothing combined yet. Seconds are from the start of the workflow to its end; the merge is from the end of the plan ' +
      'to the commit. LIST counts listings, of any number of pages.',
    markdownTable(headings, all.flatMap(runRows)),
    '### What a change costs',
    'The first run’s share of a window is its time by its windows; the merge of the window that changed is the time of its ' +
      'activity. A full listing lists the folders of all clusters, 16 at once; a run may list less.',
    markdownTable(changeHeadings, all.map(changeRow)),
    '### What the workflow engine costs',
    'From the end of the plan to the last merge of a first run: by the workflows, and by the same activities called one ' +
      'after another, as many at once, in one process without Temporal.',
    markdownTable(
      engineHeadings,
      all.filter(({ withoutTemporal }) => withoutTemporal.length > 0).map(engineRow),
    ),
    '### Large windows',
    `${count(largeContents.windows.length, 'daily window')} of ${most} clusters with ${allocations} allocations each, on FILESYSTEM.`,
    markdownTable(headings, runRows(ofLarge)),
    markdownTable(changeHeadings, [changeRow(ofLarge)]),
  );
}

const kinds = ['first', 'one window changed', 'nothing changed'] as const;
type Kind = (typeof kinds)[number];

interface Measured {
  readonly store: string;
  readonly contents: Contents;
  readonly runs: Readonly<Record<Kind, MeasuredRun[]>>;
  /** Time to list the folders of all clusters, in seconds. One number per repetition of the benchmark. */
  readonly listing: number[];
  /**
   * Time that the merges of the first run take without Temporal, in seconds. One number per repetition of the
   * benchmark. Only measured if the store is a folder, otherwise empty.
   */
  readonly withoutTemporal: number[];
}

async function measureContents(storeName: string, contents: Contents, rounds: number): Promise<Measured> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-bench-federation-'));
  try {
    await using held = new Releasers();
    const place = await startPlace(held, folder, storeName);
    const put = writer(place.bucket, place.store.directory);
    const what = `${place.store.name}, ${contents.clusters} clusters × ${contents.windows.length} windows`;
    console.error(`${what}: making the files …`);
    await fill(put, contents);
    const measured: Measured = {
      store: place.store.name,
      contents,
      runs: { first: [], 'one window changed': [], 'nothing changed': [] },
      listing: [],
      withoutTemporal: [],
    };
    for (let round = 1; round <= rounds; round++) {
      console.error(`${what}: round ${round} of ${rounds} …`);
      await forgetCombined(place);
      // Start a new process for each repetition, so that nothing is cached from an earlier one.
      const federator = await startFederator(held, place);
      const run = async (kind: Kind) => measured.runs[kind].push(await measureRun(place, federator));
      await run('first');
      await change(put, contents, round);
      await run('one window changed');
      await run('nothing changed');
      await federator.stop();
      measured.listing.push(await listAll(place, contents));
      // Measure the merges without Temporal only if the store is a folder. The time that a server takes would make the
      // cost of Temporal hard to see.
      if (place.store.directory === undefined) continue;
      await forgetCombined(place);
      measured.withoutTemporal.push(await mergeWithoutTemporal(place));
    }
    return measured;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Replaces one cluster's file of the newest daily window, as if the cluster had rebuilt and pushed it. */
function change(
  put: Parameters<typeof push>[0],
  { windows, records }: Contents,
  round: number,
): Promise<void> {
  const [newest] = windows as [WindowRef];
  return push(put, newest, { cluster: 1, records: records[newest.pipeline], built: round });
}

const listingsAtOnce = 16;

async function listAll({ bucket }: Place, { clusters }: Contents): Promise<number> {
  const start = performance.now();
  const numbers = Array.from({ length: clusters }, (_, index) => index + 1);
  await mapConcurrently(numbers, listingsAtOnce, async (number) => {
    for await (const _entry of bucket.list(clusterEtlPrefix(clusterId(`cluster-${number}`)))) continue;
  });
  return (performance.now() - start) / 1_000;
}

async function mergeWithoutTemporal({ storeFile }: Place): Promise<number> {
  const script = path.join(__dirname, 'federation', 'without-temporal.ts');
  const { output } = await measure(process.execPath, ['--import', 'tsx', script, storeFile], process.env);
  return (JSON.parse(output) as { seconds: number }).seconds;
}

const headings = ['store', 'clusters', 'windows', 'run', ...runHeadings];

function runRows({ store, contents, runs }: Measured): Cell[][] {
  return kinds.map((kind) => [
    store,
    contents.clusters,
    contents.windows.length,
    kind,
    ...runCells(runs[kind]),
  ]);
}

const changeHeadings = [
  'store',
  'clusters',
  'windows',
  'first run: ms a window',
  'changed window: merge, ms',
  'first / changed',
  'nothing changed: seconds',
  'full listing: seconds',
  'beyond the listing',
];

function changeRow({ store, contents, runs, listing }: Measured): Cell[] {
  const share = medianOf(runs.first, ({ seconds, summary }) => (seconds / summary.planned) * 1_000);
  const changed = medianOf(runs['one window changed'], mergeActivitySeconds) * 1_000;
  const nothing = medianOf(runs['nothing changed'], ({ seconds }) => seconds);
  return [
    store,
    contents.clusters,
    contents.windows.length,
    share,
    changed,
    share / changed,
    nothing,
    median(listing),
    nothing - median(listing),
  ];
}

const engineHeadings = [
  'store',
  'clusters',
  'windows',
  'by the workflows: seconds',
  'activities alone: seconds',
  'with / without',
  'engine: ms a window',
];

function engineRow({ store, contents, runs, withoutTemporal }: Measured): Cell[] {
  const withTemporal = medianOf(runs.first, ({ phases }) => phases.merge ?? NaN);
  const without = median(withoutTemporal);
  const windows = contents.windows.length;
  return [
    store,
    contents.clusters,
    windows,
    withTemporal,
    without,
    withTemporal / without,
    ((withTemporal - without) / windows) * 1_000,
  ];
}

void bench();
