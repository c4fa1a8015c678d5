import { mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Pipeline, pipelines } from '../etl/window';
import { count } from '../federation/count';
import { writeCluster } from './merge/made-up-clusters';
import { tableBytes } from './merge/table-bytes';
import type { Way, Worked } from './merge/work';
import { begin, showResults } from './results';
import { measure } from './storage/measure';
import { type Cell, markdownTable, medianOf } from './table';

/**
 * Largest number of clusters for which merging by decoding is measured. For more clusters, it would need too much
 * memory: about 30 times the size of its input files.
 */
const mostDecoded = 50;

/**
 * Speed at which OpenCost's own Go code merges files like these, in MB/s. It was measured on one core, on the same kind
 * of machine as the results in `bench/results.md`.
 */
const openCost = { typical: 32, best: 39.8 };

/**
 * Goal for the memory that a merge needs, beyond what an idle process uses: at most `bytes` plus `tables` times the
 * size of the merged file's string table.
 */
const aim = { bytes: 150e6, tables: 2 };

/**
 * `npm run bench:merge`: merges the same daily window of 5, 50 and 500 clusters in four ways:
 * - as a federator does;
 * - by splicing encoded records, all in one thread;
 * - by decoding and encoding all records;
 * - by only concatenating the files.
 *
 * Each merge reads its inputs from disk, writes the merged file with fsync, and computes its SHA-256. The benchmark
 * alternates between the four ways, and runs each merge in a separate process. Prints Markdown tables of speeds, ratios
 * and memory.
 */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      clusters: { type: 'string' },
      allocations: { type: 'string', default: '4000' },
      assets: { type: 'string', default: '1000' },
      rounds: { type: 'string' },
      dir: { type: 'string', default: path.join(os.tmpdir(), 'federated-etl-bench-merge') },
      keep: { type: 'boolean', default: false },
    },
  });
  const { clusters: sizes = '5,50,500', rounds = '5' } = values.quick
    ? { clusters: '5', rounds: '3', ...values }
    : values;
  const begun = begin('merge');
  const files = path.join(values.dir, 'files');
  const windows: MeasuredWindow[] = [];
  try {
    await mkdir(files, { recursive: true });
    for (const pipeline of pipelines) {
      for (const clusters of sizes.split(',').map(Number)) {
        console.error(`${pipeline} of ${clusters} clusters …`);
        const records = Number(values[pipeline]);
        for (let number = 1; number <= clusters; number++)
          await writeCluster(files, pipeline, number, records);
        const folder = path.join(files, `${pipeline}-${records}`);
        windows.push(await measureWindow(pipeline, folder, clusters, Number(rounds), values.dir));
      }
    }
  } finally {
    if (!values.keep) await rm(values.dir, { recursive: true, force: true });
  }
  await showResults(
    begun,
    values.write,
    `One daily window of clusters with ${values.allocations} allocations or ${values.assets} assets each, from files to a ` +
      `file with its SHA-256 and an fsync; medians of ${count(Number(rounds), 'round')}. OpenCost's own code, in Go and on one core, goes ` +
      `through ${openCost.typical} MB of such files a second, ${openCost.best} at best (measured apart, on such a machine); ` +
      'what is alone is without the reading and writing. The splice does everything in one thread; the federator splices as a ' +
      'federator does, in a worker thread, and reads and writes beside it. By CPU, ratios are of the time of all cores.',
    markdownTable(speedHeadings, windows.map(speedRow)),
    `Memory in MB: the most that a process held, less what it held with its code loaded, after one file. The aim is at most ` +
      `${aim.bytes / 1e6} MB and ${aim.tables} times the string table of the merged file.`,
    markdownTable(memoryHeadings, windows.map(memoryRow)),
  );
}

interface MeasuredWindow {
  readonly pipeline: Pipeline;
  readonly clusters: number;
  /** Measurements of each way of merging, one per repetition of the benchmark. Empty for a way that was skipped. */
  readonly done: Record<Way, (Worked & { peakBytes: number })[]>;
  /** Size of the string table in the merged file, in bytes. */
  readonly tableBytes: number;
}

async function measureWindow(
  pipeline: Pipeline,
  folder: string,
  clusters: number,
  rounds: number,
  dir: string,
): Promise<MeasuredWindow> {
  const all: Way[] = ['federator', 'splice', 'decoding', 'copy'];
  const ways = all.filter((way) => way !== 'decoding' || clusters <= mostDecoded);
  const done: MeasuredWindow['done'] = { federator: [], splice: [], decoding: [], copy: [] };
  let table = 0;
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      const out = path.join(dir, 'merged');
      const script = path.join(__dirname, 'merge', 'work.ts');
      const args = ['--import', 'tsx', script, way, pipeline, folder, String(clusters), out];
      const { output, peakBytes } = await measure(process.execPath, args, process.env);
      done[way].push({ ...(JSON.parse(output) as Worked), peakBytes });
      if (way === 'splice') table = await tableBytes(out);
      await rm(out);
    }
  }
  return { pipeline, clusters, done, tableBytes: table };
}

const speedHeadings = [
  'pipeline',
  'clusters',
  'records',
  'MB',
  'federator MB/s',
  'records/s',
  'splice MB/s',
  'decoding MB/s',
  'copy MB/s',
  'splice / decoding',
  'federator / copy',
  'splice / copy',
  'CPU: splice / copy',
  'splice alone MB/s',
  `alone / OpenCost's ${openCost.typical}`,
];

function speedRow({ pipeline, clusters, done }: MeasuredWindow): Cell[] {
  const { bytes = 0, records = 0 } = done.splice[0] ?? {};
  const seconds = (way: Way) => medianOf(done[way], (worked) => worked.seconds);
  const speed = (way: Way) => bytes / 1e6 / seconds(way);
  const cpu = (way: Way) => medianOf(done[way], (worked) => worked.cpu);
  const alone = bytes / 1e6 / medianOf(done.splice, (worked) => worked.alone);
  return [
    pipeline,
    clusters,
    records,
    bytes / 1e6,
    speed('federator'),
    records / seconds('federator'),
    speed('splice'),
    speed('decoding'),
    speed('copy'),
    speed('splice') / speed('decoding'),
    speed('federator') / speed('copy'),
    speed('splice') / speed('copy'),
    cpu('copy') / cpu('splice'),
    alone,
    alone / openCost.typical,
  ];
}

const memoryHeadings = [
  'pipeline',
  'clusters',
  'idle',
  'federator above idle',
  'splice above idle',
  'string table',
  'aim',
  'federator / aim',
  'decoding above idle',
  'copy above idle',
];

function memoryRow({ pipeline, clusters, done, tableBytes: table }: MeasuredWindow): Cell[] {
  const above = (way: Way) =>
    done[way].length === 0
      ? undefined
      : Math.max(...done[way].map(({ peakBytes, idleBytes }) => peakBytes - idleBytes)) / 1e6;
  const most = (aim.bytes + aim.tables * table) / 1e6;
  return [
    pipeline,
    clusters,
    medianOf(done.splice, ({ idleBytes }) => idleBytes) / 1e6,
    above('federator'),
    above('splice'),
    table / 1e6,
    most,
    (above('federator') ?? NaN) / most,
    above('decoding'),
    above('copy'),
  ];
}

void bench();
