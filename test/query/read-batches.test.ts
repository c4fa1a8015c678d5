import { gzipSync } from 'node:zlib';
import { type ReadThreads, startReadThreads } from '../../activities/threads/read-threads';
import { encodeSet } from '../../etl/file';
import type { WindowRef } from '../../etl/window';
import type { AllocationColumns } from '../../query/allocation-columns';
import { type AllocationBatches, toColumns } from '../../query/columns';
import { allocation, allocationSet } from '../etl/build-records';
import { openEngine } from './engine-over';
import { firstDay, instant, timeWindow } from './made-up-sets';

const count = 10_000;
const window = { start: firstDay, end: firstDay + 86_400 };
const ref: WindowRef = { pipeline: 'allocations', resolution: '1d', window };
const times = { window: timeWindow(window), start: instant(window.start), end: instant(window.end) };
const set = {
  ...allocationSet(
    Array.from({ length: count }, (_, index) =>
      allocation(`c/n/ns/pod-${index % 7_000}/container-${index}`, {
        ...times,
        properties: null,
        cpuCost: index,
      }),
    ),
  ),
  window: timeWindow(window),
};
const bytes = encodeSet(set);
const { signal } = new AbortController();

describe('a large window', () => {
  let threads: ReadThreads;
  // Use a single thread, so that one reader that occupies it makes all others wait.
  beforeEach(() => (threads = startReadThreads({ threads: 1, mostUnpacked: 2 ** 26 })));
  afterEach(() => threads.close());

  const read = async (allIdentities = false, from = bytes, ending = signal) =>
    (await threads.read(ref, new Uint8Array(from), ending, allIdentities)) as AllocationBatches;

  it('is read in batches that together are complete', async () => {
    const whole = toColumns(set) as AllocationColumns;
    const hashes: number[] = [];
    let sent = 0;
    let costs = 0;
    let batches = 0;
    for await (const columns of (await read()).batches) {
      batches++;
      hashes.push(...columns.hashes.subarray(0, 4 * columns.rows));
      sent += columns.identityRows.length;
      // The CPU cost is column 9. It comes after start, end, three maxima, CPU hours and three averages.
      for (let row = 0; row < columns.rows; row++) costs += columns.numbers[9 * columns.stride + row] ?? 0;
    }
    expect(batches).toBeGreaterThan(2);
    expect(hashes).toEqual([...whole.hashes]);
    expect(costs).toBe((count * (count - 1)) / 2);
    expect(sent).toBe(count);
  });

  it('has its identities sent again only on request', async () => {
    const sentBy = async (allIdentities: boolean) => {
      let sent = 0;
      for await (const columns of (await read(allIdentities)).batches) sent += columns.identityRows.length;
      return sent;
    };
    expect([await sentBy(false), await sentBy(false), await sentBy(true)]).toEqual([count, 0, count]);
  });

  it('frees its thread when the reader stops early, and can be read again', async () => {
    (await read()).close();
    for await (const columns of (await read()).batches) {
      expect(columns.identityRows.length).toBe(columns.rows);
      break;
    }
    const rest = await read();
    let rows = 0;
    for await (const columns of rest.batches) rows += columns.rows;
    expect(rows).toBe(count);
  });

  it('returns no batch if its end is invalid', async () => {
    await expect(read(false, bytes.subarray(0, -3))).rejects.toMatchObject({ code: 'ETL_TRUNCATED' });
    const other = { ...ref, window: { start: window.end, end: window.end + 86_400 } };
    await expect(threads.read(other, new Uint8Array(bytes), signal)).rejects.toMatchObject({
      code: 'ETL_WRONG_WINDOW',
    });
  });

  it('is refused if it is gzipped and unpacks to more than the limit', async () => {
    const limited = startReadThreads({ threads: 1, mostUnpacked: bytes.length - 1 });
    const reading = limited.read(ref, gzipSync(bytes), signal);
    await expect(reading).rejects.toMatchObject({ code: 'ETL_TOO_LARGE' });
    await limited.close();
    expect(await read(false, gzipSync(bytes))).toMatchObject({ pipeline: 'allocations' });
  });

  it('fails with the reason of the abort, before and after its first batch', async () => {
    const ending = new AbortController();
    const aborted = await read(false, bytes, ending.signal);
    const batches = aborted.batches[Symbol.asyncIterator]();
    await batches.next();
    const queued = read(false, bytes, ending.signal);
    ending.abort(new Error('enough'));
    await expect(queued).rejects.toThrow('enough');
    await expect(batches.next()).rejects.toThrow('enough');
    // A thread sends each allocation's identity only once. The abort terminated the only thread.
    // The new thread has not sent any identity yet, so it sends all of them.
    let identities = 0;
    for await (const columns of (await read()).batches) identities += columns.identityRows.length;
    expect(identities).toBe(count);
  });

  it('fails when its thread dies midway', async () => {
    const batches = (await read()).batches[Symbol.asyncIterator]();
    await batches.next();
    const next = batches.next().then(() => batches.next());
    await Promise.all([expect(next).rejects.toThrow('Terminating worker thread'), threads.close()]);
  });

  it('is ingested once, also after an ingest that was aborted midway', async () => {
    const engine = await openEngine();
    try {
      const wanted = (digest: string, readIt: (allIdentities?: boolean) => Promise<AllocationBatches>) => ({
        ...ref,
        digest,
        read: readIt,
      });
      const broken = async (allIdentities?: boolean): Promise<AllocationBatches> => {
        const { batches, close } = await read(allIdentities);
        return {
          pipeline: 'allocations',
          close,
          batches: (async function* () {
            let taken = 0;
            for await (const columns of batches) {
              if (taken++ > 0) throw new Error('given up');
              yield columns;
            }
          })(),
        };
      };
      await expect(engine.serve([wanted('a', broken)], { ingestedAt: 'a' })).rejects.toThrow('given up');
      const summary = await engine.serve([wanted('b', read)], { ingestedAt: 'b' });
      expect(summary).toEqual({ files: 1, ingested: 1, rows: count });
      const found = await engine.withConnection(async (connection) =>
        (
          await connection.runAndReadAll(
            `select (select count(*) from allocation)::integer, (select count(*) from identity)::integer,
  (select count(distinct identity) from allocation)::integer, (select sum("cpuCost") from rollup)::integer`,
          )
        ).getRowsJS(),
      );
      expect(found).toEqual([[count, count, count, (count * (count - 1)) / 2]]);
    } finally {
      engine.dispose();
    }
  });
});
