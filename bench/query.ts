import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../scripts/table';
import { windowOf, writeWorld } from './query/made-up-files';
import { serve, type Server, untilIngested } from './query/server';
import { peakOf } from './storage/measure';

/**
 * `npm run bench:query`: measures how long it takes to ingest a month of data from 50 clusters, and to query that data
 * over HTTP. Measures each query with one client and with 16 concurrent clients, with and without the server's cache of
 * answers, and with and without volumes in each row. Prints tables with medians and 99th percentiles.
 */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      days: { type: 'string', default: '30' },
      clusters: { type: 'string', default: '50' },
      allocations: { type: 'string', default: '4000' },
      requests: { type: 'string', default: '32' },
      dir: { type: 'string', default: path.join(os.tmpdir(), 'federated-etl-bench-query') },
      keep: { type: 'boolean', default: false },
    },
  });
  const [days, clusters, allocations] = [values.days, values.clusters, values.allocations].map(Number) as [
    number,
    number,
    number,
  ];
  const etl = path.join(values.dir, `etl-${days}-${clusters}-${allocations}`);
  const database = path.join(values.dir, 'database');
  await mkdir(values.dir, { recursive: true });
  try {
    if (!(await isThere(path.join(etl, 'written')))) {
      console.log('Making the files …');
      await writeWorld(etl, { days, clusters, allocations });
      await mkdir(path.join(etl, 'written'));
    }
    await rm(database, { recursive: true, force: true });
    const server = await serve(etl, database);
    try {
      const ingest = await untilIngested(server, days * clusters * allocations);
      const bytes = await sizeOf(path.join(etl, 'bingen'));
      const databaseBytes = await sizeOf(database);
      console.log(`${days} days × ${clusters} clusters × ${allocations} allocations a day`);
      console.log(`${os.cpus().length} cores, ${os.cpus()[0]?.model}, Node ${process.version}\n`);
      console.log(
        formatTable(
          ['ingest', 'value'],
          [
            ['rows', ingest.rows],
            ['seconds', ingest.seconds.toFixed(1)],
            ['rows/s', Math.round(ingest.rows / ingest.seconds)],
            ['MB/s of files', Math.round(bytes / 1e6 / ingest.seconds)],
            ['peak memory, MB', Math.round(ingest.peak / 1e6)],
            ['files, MB', Math.round(bytes / 1e6)],
            ['database, MB', Math.round(databaseBytes / 1e6)],
            ['database / files', (databaseBytes / bytes).toFixed(2)],
          ],
        ),
      );
      console.log(`\n${await measureQueries(server, days, Number(values.requests))}`);
      console.log(`\npeak memory while asked: ${Math.round((await peakOf(server.pid)) / 1e6)} MB`);
    } finally {
      await server.stop();
    }
  } finally {
    if (!values.keep) await rm(values.dir, { recursive: true, force: true });
  }
}

async function measureQueries(server: Server, days: number, requests: number): Promise<string> {
  const end = windowOf(days - 1).end;
  const last = (count: number) => `${end - Math.min(count, days) * 86_400},${end}`;
  const questions: Record<string, string> = {
    '7 days by cluster': `/model/allocation?window=${last(7)}&aggregate=cluster`,
    '30 days by namespace, accumulated': `/model/allocation?window=${last(30)}&aggregate=namespace&accumulate=true`,
    '30 days by label:app, daily, idle shared': `/model/allocation?window=${last(30)}&aggregate=label:app&shareIdle=true`,
    'one namespace by controller, 30 days': `/model/allocation?window=${last(30)}&aggregate=controller&accumulate=true&filter=namespace:"namespace-3"`,
    'assets by type, 30 days': `/model/assets?window=${last(30)}&aggregate=type&accumulate=true`,
  };
  const rows: (string | number)[][] = [];
  const asked = Object.entries(questions).flatMap(([name, question]) =>
    question.startsWith('/model/allocation')
      ? [
          [`${name}, without volumes`, `${question}&includeVolumes=false`],
          [name, question],
        ]
      : [[name, question]],
  );
  for (const [name = '', question = ''] of asked) {
    for (const clients of [1, 16]) {
      // A unique offset makes every query different, so that the server cannot answer from its cache.
      const uncached = await measure(
        server,
        (index) => `${question}&offset=${index + clients * 1_000}`,
        clients,
        Math.max(clients, clients === 1 ? 7 : requests),
      );
      const kept = await measure(server, () => question, clients, requests);
      rows.push([
        name,
        clients,
        ...[uncached, kept].flatMap((times) => [quantile(times, 0.5), quantile(times, 0.99)]),
      ]);
    }
  }
  return formatTable(['question', 'clients', 'new: median ms', 'p99', 'kept: median ms', 'p99'], rows).join(
    '\n',
  );
}

async function measure(
  { url }: Server,
  question: (index: number) => string,
  clients: number,
  requests: number,
): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (next < requests) {
        const index = next++;
        const started = performance.now();
        const response = await fetch(`${url}${question(index)}`);
        await response.arrayBuffer();
        // Count a failed query as infinitely slow.
        times.push(response.ok ? performance.now() - started : Infinity);
      }
    }),
  );
  return times;
}

/**
 * Returns the time in milliseconds within which a given fraction (`share`) of the queries was answered. Failed queries
 * count as infinitely slow. If too few queries succeeded, returns `none`.
 */
function quantile(times: readonly number[], share: number): number | string {
  const sorted = [...times].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return Number.isFinite(found) ? Math.round(found) : 'none';
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(path.join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

void bench();
