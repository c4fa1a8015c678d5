import { access, mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { windowOf, writeWorld } from '../../bench/query/made-up-files';
import { serve, untilIngested } from '../../bench/query/server';
import { peakOf } from '../../bench/storage/measure';
import { formatTable } from '../../scripts/table';
import type { FuzzOptions } from '../inputs/fuzz-inputs';
import { type RequestsReport, runRequests } from './run-requests';

const days = 30;
const clusters = 50;
/** Longest time in which `/healthz` may answer, in milliseconds. A liveness probe waits one second. */
const healthMs = 1_000;
/** Largest memory that the server may use beyond that of its ingest, in bytes. */
const mostGrown = 1_024 * 2 ** 20;

/**
 * Sends random requests to `federated-etl serve` over made-up data of `rows` allocations, and prints how they were
 * answered. Returns false if anything was wrong.
 */
export async function fuzzRequests({
  seed,
  count,
  only,
  folder,
  rows,
}: FuzzOptions & { readonly rows: number }): Promise<boolean> {
  const allocations = Math.ceil(rows / days / clusters);
  const etl = path.join(folder, `etl-${days}-${clusters}-${allocations}`);
  const database = path.join(folder, 'database');
  const written = path.join(etl, 'written');
  const isWritten = await access(written).then(
    () => true,
    () => false,
  );
  if (!isWritten) {
    console.log('Making the files …');
    await writeWorld(etl, { days, clusters, allocations });
    await mkdir(written);
  }
  await rm(database, { recursive: true, force: true });
  const server = await serve(etl, database);
  try {
    const ingest = await untilIngested(server, days * clusters * allocations);
    console.log(`${ingest.rows} rows ingested in ${Math.round(ingest.seconds)} s`);
    const started = performance.now();
    const report = await runRequests({
      url: server.url,
      seed,
      from: only ?? 0,
      to: only === undefined ? count : only + 1,
      data: { start: windowOf(0).start, end: windowOf(days - 1).end },
    });
    const seconds = Math.round((performance.now() - started) / 1_000);
    const peak = await peakOf(server.pid);
    const health = Math.max(...report.health);
    console.log(`npm run fuzz -- --requests ${count} --rows ${rows} --seed ${seed}\n\n${describe(report)}`);
    console.log(`memory: ${mebibytes(ingest.peak)} after the ingest, ${mebibytes(peak)} at most`);
    console.log(`${seconds} s on ${os.cpus().length} cores, Node ${process.version}`);
    for (const { index, request, why } of report.failures) {
      console.log(`\nRequest ${index}: ${why}\n${request.method} ${request.target.slice(0, 2_000)}`);
      console.log(
        `To send it again: npm run fuzz -- --requests 1 --rows ${rows} --seed ${seed} --only ${index}`,
      );
    }
    const slow = health > healthMs;
    const large = peak > ingest.peak + mostGrown;
    if (slow) console.log(`\n/healthz took ${Math.round(health)} ms.`);
    if (large) console.log(`\nThe server used ${mebibytes(peak)}.`);
    return report.failures.length === 0 && !slow && !large;
  } finally {
    await server.stop();
    await rm(database, { recursive: true, force: true });
  }
}

function describe({ counts, slowest, bytes, health, failures }: RequestsReport): string {
  const statuses = [...new Set([...counts.values()].flatMap((byStatus) => [...byStatus.keys()]))].sort();
  const rows = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([route, byStatus]) => [route, ...statuses.map((status) => byStatus.get(status) ?? 0)]);
  const totals = statuses.map((_, column) => rows.reduce((sum, row) => sum + Number(row[column + 1]), 0));
  const sorted = [...health].sort((a, b) => a - b);
  const quantile = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return [
    ...formatTable(['path', ...statuses.map(String)], [...rows, ['all', ...totals]]),
    `\n/healthz: ${health.length} times; median ${quantile(0.5)} ms, 99 % within ${quantile(0.99)} ms, at most ${quantile(1)} ms`,
    `slowest request: ${slowest.index}, ${Math.round(slowest.milliseconds)} ms`,
    `answers: ${mebibytes(bytes)}`,
    `failures: ${failures.length}`,
  ].join('\n');
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
