import { mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Pipeline, pipelines } from '../etl/window';
import { writeCluster } from './merge/made-up-clusters';
import type { Way, Worked } from './merge/work';
import { measure } from './storage/measure';

/** Beyond so many clusters the decoding merge is left out: it needs some 30 times the bytes of its inputs. */
const mostDecoded = 50;

/**
 * `npm run bench:merge`: one daily window of 5, 50 and 500 clusters, merged by the splice, by decoding, and just copied into
 * one file; all of them from files to a file, with its SHA-256 and an fsync, in turns, each in a process of its own.
 * Prints a Markdown table of medians and ratios.
 */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      clusters: { type: 'string', default: '5,50,500' },
      allocations: { type: 'string', default: '4000' },
      assets: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '5' },
      dir: { type: 'string', default: path.join(os.tmpdir(), 'federated-etl-bench-merge') },
      keep: { type: 'boolean', default: false },
    },
  });
  const sizes = values.clusters.split(',').map(Number);
  const files = path.join(values.dir, 'files');
  const rows: string[][] = [];
  try {
    await mkdir(files, { recursive: true });
    for (const pipeline of pipelines) {
      for (const clusters of sizes) {
        console.error(`${pipeline} of ${clusters} clusters …`);
        const records = Number(values[pipeline]);
        for (let number = 1; number <= clusters; number++)
          await writeCluster(files, pipeline, number, records);
        const folder = path.join(files, `${pipeline}-${records}`);
        rows.push(await measureWindow(pipeline, folder, clusters, Number(values.rounds), values.dir));
      }
    }
  } finally {
    if (!values.keep) await rm(values.dir, { recursive: true, force: true });
  }
  console.log(
    `Medians of ${values.rounds} rounds; ${os.cpus().length} cores, ${os.cpus()[0]?.model}, Node ${process.version}\n`,
  );
  console.log(markdown(headings, rows));
}

const headings = [
  'pipeline',
  'clusters',
  'records',
  'MB',
  'splice MB/s',
  'records/s',
  'decoding MB/s',
  'copy MB/s',
  'splice / decoding',
  'splice / copy',
  'splice alone MB/s',
  'peak MB: splice',
  'decoding',
  'copy',
];

async function measureWindow(
  pipeline: Pipeline,
  folder: string,
  clusters: number,
  rounds: number,
  dir: string,
): Promise<string[]> {
  const ways: Way[] = clusters > mostDecoded ? ['splice', 'copy'] : ['splice', 'decoding', 'copy'];
  const done: Record<Way, (Worked & { peakBytes: number })[]> = { splice: [], decoding: [], copy: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      const out = path.join(dir, 'merged');
      const script = path.join(__dirname, 'merge', 'work.ts');
      const args = ['--import', 'tsx', script, way, pipeline, folder, String(clusters), out];
      const { output, peakBytes } = await measure(process.execPath, args, process.env);
      done[way].push({ ...(JSON.parse(output) as Worked), peakBytes });
      await rm(out);
    }
  }
  const { bytes = 0, records = 0 } = done.splice[0] ?? {};
  const seconds = (way: Way) => median(done[way].map((worked) => worked.seconds));
  const speed = (way: Way) => bytes / 1e6 / seconds(way);
  const peak = (way: Way) => Math.max(...done[way].map(({ peakBytes }) => peakBytes)) / 1e6;
  const alone = bytes / 1e6 / median(done.splice.map((worked) => worked.alone));
  const decoded = ways.includes('decoding');
  return [
    pipeline,
    clusters,
    records,
    bytes / 1e6,
    speed('splice'),
    records / seconds('splice'),
    decoded ? speed('decoding') : undefined,
    speed('copy'),
    decoded ? ratio(speed('splice') / speed('decoding')) : undefined,
    ratio(speed('splice') / speed('copy')),
    alone,
    peak('splice'),
    decoded ? peak('decoding') : undefined,
    peak('copy'),
  ].map(shown);
}

function ratio(value: number): string {
  return value.toFixed(2);
}

function shown(value: number | string | undefined): string {
  if (value === undefined) return '–';
  return typeof value === 'number' ? Math.round(value).toLocaleString('en') : value;
}

function markdown(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

void bench();
