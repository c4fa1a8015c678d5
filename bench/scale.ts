import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Releasers } from '../workers/releasers';
import type { WorkflowHistory } from './federation/histories';
import { type Contents, fill, push, windowsBefore, writer } from './federation/made-up-store';
import { type MeasuredRun, measureRun } from './federation/measured-run';
import { startFederator, startPlace } from './federation/place';
import { runCells, runHeadings } from './federation/run-table';
import { begin, showResults } from './results';
import { peakOf } from './storage/measure';
import { type Cell, markdownTable } from './table';

/**
 * Limits of Temporal. It terminates a workflow whose history exceeds `events` or `bytes`, and rejects a payload that
 * exceeds `payloadBytes`.
 */
const limits = { events: 51_200, bytes: 50 * 2 ** 20, payloadBytes: 2 * 2 ** 20 };

/**
 * `npm run bench:scale`: measures federation runs over 1,000 clusters with 280 small windows each. Uses a real
 * federator, a folder as the store, and a Temporal server with default limits. Measures the duration of each run, the
 * size of its workflow histories, and the memory of each process.
 */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      clusters: { type: 'string' },
      windows: { type: 'string' },
      allocations: { type: 'string', default: '3' },
      assets: { type: 'string', default: '2' },
    },
  });
  const usual = values.quick ? { clusters: '20', windows: '60' } : { clusters: '1000', windows: '280' };
  const { clusters, windows, allocations, assets } = { ...usual, ...values };
  const begun = begin('scale');
  const { runs, peaks, fileCount } = await measureScale({
    clusters: Number(clusters),
    windows: windowsBefore(new Date(), Number(windows)),
    records: { allocations: Number(allocations), assets: Number(assets) },
  });
  await showResults(
    begun,
    values.write,
    `${clusters} clusters × ${windows} windows of ${allocations} allocations or ${assets} assets: ${fileCount.toLocaleString('en')} ` +
      'files in a folder as the bucket, merged by one federator. Each run was once. Seconds are from the start of the ' +
      'workflow to its end; the merge is from the end of the plan to the commit. LIST counts listings, of any number of pages.',
    markdownTable(
      ['run', ...runHeadings],
      runs.map(({ kind, run }) => [kind, ...runCells([run])]),
    ),
    'The histories of each run by workflow, and of the largest one how it stands to Temporal’s limits ' +
      `(${limits.events.toLocaleString('en')} events, ${limits.bytes / 2 ** 20} MiB, a payload of ${limits.payloadBytes / 2 ** 20} MiB):`,
    markdownTable(historyHeadings, runs.flatMap(historyRows)),
    'The most memory that each process had held, in MB:',
    markdownTable(
      ['until the end of', 'federator', 'Temporal server'],
      peaks.map(({ kind, federator, server }) => [kind, federator / 1e6, server / 1e6]),
    ),
  );
}

interface Run {
  readonly kind: string;
  readonly run: MeasuredRun;
}

interface Peak {
  readonly kind: string;
  /** Peak memory of the federator's process, in bytes. */
  readonly federator: number;
  readonly server: number;
}

interface Measured {
  readonly runs: Run[];
  readonly peaks: Peak[];
  readonly fileCount: number;
}

async function measureScale(contents: Contents): Promise<Measured> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-bench-scale-'));
  try {
    await using held = new Releasers();
    const place = await startPlace(held, folder, 'FILESYSTEM');
    const put = writer(place.bucket, place.store.directory);
    const fileCount = contents.clusters * contents.windows.length;
    const start = performance.now();
    console.error(`Making ${fileCount.toLocaleString('en')} files …`);
    await fill(put, contents);
    console.error(`  in ${Math.round((performance.now() - start) / 1_000)} s`);
    const federator = await startFederator(held, place);
    const measured: Measured = { runs: [], peaks: [], fileCount };
    const measureKind = async (kind: string) => {
      console.error(`${kind} …`);
      measured.runs.push({ kind, run: await measureRun(place, federator) });
      measured.peaks.push({
        kind,
        federator: await peakOf(federator.pid),
        server: await peakOf(place.temporal.pid),
      });
    };
    await measureKind('first');
    const [newest] = contents.windows;
    if (newest !== undefined)
      await push(put, newest, { cluster: 1, records: contents.records[newest.pipeline], built: 1 });
    await measureKind('one window changed');
    await measureKind('nothing changed');
    return measured;
  } finally {
    console.error('Removing the files …');
    await rm(folder, { recursive: true, force: true });
  }
}

const historyHeadings = [
  'run',
  'workflow',
  'executions',
  'events of all',
  'KB of all',
  'events of the largest',
  'of the limit, %',
  'KB of the largest',
  'of the limit, %',
  'largest payload, KB',
  'of the limit, %',
];

function historyRows({ kind, run: { histories } }: Run): Cell[][] {
  return [...new Set(histories.map(({ type }) => type))].map((type) => {
    const all = histories.filter((history) => history.type === type);
    const sum = (number: (history: WorkflowHistory) => number) =>
      all.reduce((so, history) => so + number(history), 0);
    const most = (number: (history: WorkflowHistory) => number) => Math.max(...all.map(number));
    const [events, bytes] = [({ events }: WorkflowHistory) => events, ({ bytes }: WorkflowHistory) => bytes];
    const payload = most(({ largestPayloadBytes }) => largestPayloadBytes);
    return [
      kind,
      type,
      all.length,
      sum(events),
      sum(bytes) / 1e3,
      most(events),
      (most(events) / limits.events) * 100,
      most(bytes) / 1e3,
      (most(bytes) / limits.bytes) * 100,
      payload / 1e3,
      (payload / limits.payloadBytes) * 100,
    ];
  });
}

void bench();
