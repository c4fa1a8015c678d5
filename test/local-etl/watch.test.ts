import { mkdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { localPath } from '../../local-etl/store';
import { type Watcher, watchLocalEtl } from '../../local-etl/watch';
import { until } from '../until';
import { ClusterOnDisk, day1, day2 } from './cluster-on-disk';

let disk: ClusterOnDisk;
let watcher: Watcher | undefined;
let calls: number;
const quick = { quietMs: 60, longestMs: 400, lookEveryMs: 40 };

beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  calls = 0;
});
afterEach(async () => {
  await watcher?.close();
  await disk[Symbol.asyncDispose]();
});

function watch(options = quick): void {
  watcher = watchLocalEtl(disk.store, () => void calls++, options);
}

/**
 * Makes a change, and waits until the watcher calls its callback. Then waits a little longer for further calls. Returns
 * the number of calls.
 */
async function callsAfter(change: () => Promise<unknown>): Promise<number> {
  const before = calls;
  await change();
  await until('a call', () => calls > before || undefined);
  await sleep(300);
  return calls - before;
}

it('reports new files, files written in place, and removed files', async () => {
  await disk.build(day1, Buffer.from('a'));
  expect(await callsAfter(async () => watch())).toBe(1);
  expect(await callsAfter(() => disk.build(day2, Buffer.from('b')))).toBeGreaterThan(0);
  expect(await callsAfter(() => writeFile(localPath(disk.store, day1), 'longer'))).toBeGreaterThan(0);
  expect(await callsAfter(() => rm(localPath(disk.store, day2)))).toBeGreaterThan(0);
});

it('combines many changes into one call, but waits for quiet only up to a limit', async () => {
  await disk.build(day1, Buffer.from('a'));
  // The quiet time is much longer than one write takes. So even on a busy machine, no gap between consecutive writes
  // reaches the quiet time.
  await callsAfter(async () => watch({ quietMs: 1_000, longestMs: 1_500, lookEveryMs: 40 }));
  const burst = async () => {
    for (let write = 0; write < 20; write++) await writeFile(localPath(disk.store, day1), `${write}`);
  };
  expect(await callsAfter(burst)).toBeLessThanOrEqual(2);
  const before = calls;
  while (calls === before) {
    await writeFile(localPath(disk.store, day1), 'x');
    await sleep(10);
  }
});

it('waits for a folder that does not exist yet, and for one that disappears and returns', async () => {
  watch();
  expect(await callsAfter(() => disk.build(day1, Buffer.from('a')))).toBeGreaterThan(0);
  await callsAfter(() => rm(disk.store.bingen, { recursive: true }));
  expect(await callsAfter(() => disk.build(day1, Buffer.from('a')))).toBeGreaterThan(0);
  expect(await callsAfter(() => disk.build(day2, Buffer.from('a')))).toBeGreaterThan(0);
});

it('ignores temporary files, and stops when closed', async () => {
  await disk.build(day1, Buffer.from('a'));
  await callsAfter(async () => watch());
  const before = calls;
  await writeFile(localPath(disk.store, 'allocations/1d/.tmp-1-a'), 'x');
  await sleep(300);
  expect(calls).toBe(before);
  await watcher?.close();
  await mkdir(localPath(disk.store, 'assets/1h'), { recursive: true });
  await disk.build(day2, Buffer.from('b'));
  await sleep(300);
  expect(calls).toBe(before);
});
