import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { FederationError } from '../../errors/federation-error';
import { discard } from '../../storage/body';
import type { Bucket, CallOptions } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import { repeatable, withRetry } from '../../storage/with-retry';
import { runs } from '../etl/run-counts';
import { until } from '../until';
import { type Fault, type FaultProxy, slowMs, startFaultProxy } from './fault-proxy';

/** A kind of store that is tested through a proxy which injects faults. */
export interface FaultSuite {
  /** Returns the address of the real server, including its port. */
  readonly server: () => Promise<string>;
  /**
   * Opens the driver at the address `host`, without retries. Every call opens the same bucket. The driver must give up
   * on a connection that is silent for `silentMs`, and must upload streams larger than 8 MiB in parts.
   */
  readonly open: (host: string, silentMs: number) => Promise<Bucket>;
  /** The store's response to a client that sends too many requests. */
  readonly slowDown: Fault;
  /** Opens the driver with wrong credentials. Undefined if the server requires no credentials. */
  readonly openAsStranger?: (host: string) => Promise<Bucket>;
  /**
   * Returns the number of multipart uploads that were neither completed nor aborted. Undefined if the store cannot list
   * them.
   */
  readonly orphans?: () => Promise<number>;
  /** Whether the store provides a checksum that reveals changes to a body in transit. */
  readonly noticesFlips: boolean;
  /**
   * Operations that use HEAD. A response to HEAD has no body, so the driver cannot recognize throttling by an error
   * message.
   */
  readonly byHead: readonly string[];
}

const before = randomBytes(300_000);
const after = randomBytes(310_000);
const mebibyte = 1024 * 1024;
const large = randomBytes(12 * mebibyte + 5);

/**
 * Time-out of silent connections in milliseconds, for tests in which a request is never answered. The driver may take
 * up to twice as long to give up. Do not use this time-out in other tests: on a busy machine, a normal response may
 * take just as long.
 */
const soonMs = 150;
/**
 * Time-out of silent connections in milliseconds, for all other tests. It is never reached, because no test takes this
 * long.
 */
const neverMs = 200_000;

const metadata = { state: 'after' };
type Objects = Readonly<
  Record<string, { readonly bytes: Buffer; readonly metadata: Readonly<Record<string, string>> }>
>;
const begin = { bytes: before, metadata: { state: 'before' } };

const busy: Fault = { kind: 'status', status: 503 };
const faults: Readonly<Record<string, Fault>> = {
  '503': busy,
  '500': { kind: 'status', status: 500 },
  '429': { kind: 'status', status: 429 },
  'request lost': { kind: 'request lost' },
  'answer lost': { kind: 'answer lost' },
  'no answer': { kind: 'no answer' },
  'body stalls': { kind: 'stall' },
  'body is cut': { kind: 'cut' },
  'body ends early': { kind: 'closed' },
};

/**
 * Operations to test. The bucket must contain `old` and three objects below `list/`. Each operation throws if its
 * result is wrong.
 */
const operations: Readonly<Record<string, (bucket: Bucket, options?: CallOptions) => Promise<void>>> = {
  list: async (bucket, options) => expect((await keysOf(bucket, 'list/', options)).length).toBe(3),
  head: async (bucket, options) =>
    expect(await bucket.head('old', options)).toMatchObject({ size: before.length }),
  get: async (bucket, options) =>
    expect((await readAll(bucket, 'old', options)).bytes.equals(before)).toBe(true),
  'get a range': async (bucket, options) => {
    const { body } = await bucket.get('old', { ...options, range: { offset: 1_000, length: 250_000 } });
    expect((await collect(body)).equals(before.subarray(1_000, 251_000))).toBe(true);
  },
  put: async (bucket, options) =>
    expect(await bucket.put('old', after, { ...options, metadata })).toMatchObject({ size: after.length }),
  'put a stream': async (bucket, options) =>
    expect(
      await bucket.put(
        'old',
        repeatable(() => slices(large)),
        { ...options, metadata },
      ),
    ).toMatchObject({ size: large.length }),
  create: async (bucket, options) =>
    expect(await bucket.create('new', after, { ...options, metadata })).toMatchObject({ key: 'new' }),
  copy: async (bucket, options) =>
    expect(await bucket.copy('old', 'new', options)).toMatchObject({ key: 'new', size: before.length }),
  delete: async (bucket, options) => bucket.delete('old', options),
};

/**
 * Content of the bucket after an operation has completed, except for the objects below `list/`. After a failed
 * operation, the bucket must have this content or be unchanged. Operations that are not listed here change nothing.
 */
const ends: Readonly<Record<string, Objects>> = {
  put: { old: { bytes: after, metadata } },
  'put a stream': { old: { bytes: large, metadata } },
  create: { old: begin, new: { bytes: after, metadata } },
  copy: { old: begin, new: begin },
  delete: {},
};

/**
 * Tests a driver against a real server. A proxy between them injects faults. With every fault, each operation must
 * either complete or fail with a FederationError.
 */
export function describeBucketFaults(name: string, suite: FaultSuite): void {
  describe(name, () => {
    let target: { hostname: string; port: number };
    let proxy: FaultProxy;
    let direct: Bucket;
    let behind: Bucket;
    let hasty: Bucket;
    const retried = (bucket: Bucket, tries: number) =>
      withRetry(bucket, { tries, firstPauseMs: 2, longestPauseMs: 20, budget: 1_000 });
    const patient = (tries: number) => retried(behind, tries);
    const isSilent = (fault: Fault) => fault.kind === 'no answer' || fault.kind === 'stall';

    beforeAll(async () => {
      const server = await suite.server();
      const [hostname = '', port] = server.split(':');
      target = { hostname, port: Number(port) };
      proxy = await startFaultProxy(target);
      // Retry this bucket's requests: the server may close an idle connection just when the next test uses it.
      direct = withRetry(await suite.open(server, neverMs));
      behind = await suite.open(proxy.host, neverMs);
      hasty = await suite.open(proxy.host, soonMs);
    });
    afterAll(async () => {
      await behind?.close();
      await hasty?.close();
      await direct?.close();
      await proxy?.close();
    });

    /** Restores the content that the bucket must have before each operation. */
    async function reset(): Promise<void> {
      proxy.plan(() => undefined);
      const listed = ['list/1', 'list/2', 'list/3'];
      const found = await keysOf(direct, '');
      for (const key of found) if (key !== 'old' && !listed.includes(key)) await direct.delete(key);
      for (const key of listed) if (!found.includes(key)) await direct.put(key, Buffer.from(key));
      await direct.put('old', begin.bytes, { metadata: begin.metadata });
    }

    /**
     * Checks that the bucket is either unchanged or in the state after the operation, and that every object is
     * complete. Returns whether it is in the state after the operation. Reads directly from the server, not through the
     * proxy.
     */
    async function expectWhole(operation: string): Promise<boolean> {
      const found: Record<string, Objects[string]> = {};
      for (const key of await keysOf(direct, '')) {
        if (key.startsWith('list/')) continue;
        const head = await direct.head(key);
        found[key] = { bytes: (await readAll(direct, key)).bytes, metadata: head?.metadata ?? {} };
      }
      const start = { old: begin };
      const isEnd = sameObjects(found, ends[operation] ?? start);
      expect(isEnd || sameObjects(found, start)).toBe(true);
      return isEnd;
    }

    async function outcomeOf(operation: string, bucket: Bucket): Promise<string> {
      try {
        await operations[operation]?.(bucket);
        return 'completes';
      } catch (error) {
        if (!(error instanceof FederationError)) throw error;
        return error.code;
      }
    }

    function tell(operation: string, fault: string, outcome: string): void {
      const file = process.env['FED_TEST_FAULT_TABLE'];
      if (file) appendFileSync(file, `${JSON.stringify({ store: name, operation, fault, outcome })}\n`);
    }

    describe.each(Object.keys(operations))('%s', (operation) => {
      beforeEach(reset);

      test.each([...Object.keys(faults), 'slow down'])('completes if once: %s', async (fault) => {
        const once = faults[fault] ?? suite.slowDown;
        proxy.plan((_, n) => (n === 1 ? once : undefined));
        const waitedOut = chosen(() => (isSilent(once) && proxy.seen.length === 0 ? hasty : behind));
        const outcome = await outcomeOf(operation, retried(waitedOut, 4));
        tell(operation, `once: ${fault}`, outcome);
        expect(outcome).toBe('completes');
        expect(await expectWhole(operation)).toBe(true);
      });

      test.each([
        ['503', 'STORAGE_UNAVAILABLE'],
        ['429', 'STORAGE_THROTTLED'],
        ['slow down', 'STORAGE_THROTTLED'],
        ['request lost', 'STORAGE_UNAVAILABLE'],
        ['answer lost', 'STORAGE_UNAVAILABLE'],
        ['no answer', 'STORAGE_UNAVAILABLE'],
        ['body is cut', 'STORAGE_UNAVAILABLE'],
        ['body ends early', 'STORAGE_UNAVAILABLE'],
      ])('fails if always: %s', async (fault, code) => {
        const always = faults[fault] ?? { ...suite.slowDown, retryAfter: '0' };
        proxy.plan(() => always);
        const outcome = await outcomeOf(operation, retried(isSilent(always) ? hasty : behind, 2));
        tell(operation, `always: ${fault}`, outcome);
        const isMute = fault === 'slow down' && suite.byHead.includes(operation);
        // A delete may complete although the body of its response is damaged, because a driver need not read that body.
        const isDone = outcome === 'completes' && operation === 'delete' && fault.startsWith('body');
        if (!isDone) expect(outcome).toBe(isMute ? 'STORAGE_UNAVAILABLE' : code);
        // Each of the two attempts sends one request. There are two exceptions: sending a stream takes several
        // requests, and so does reading a body that is cut off. On a busy machine, a hasty attempt may give up before its
        // request arrives.
        if (operation !== 'put a stream' && !fault.startsWith('body')) {
          expect(proxy.seen.length).toBeLessThanOrEqual(2);
          if (!isSilent(always)) expect(proxy.seen).toHaveLength(2);
        }
        proxy.plan(() => undefined);
        await expectWhole(operation);
      });
    });

    describe('also', () => {
      beforeEach(reset);

      test.each(runs([1], [1, 2, 3]))(
        'one request in five fails, and everything completes (seed %d)',
        async (seed) => {
          const random = seeded(seed);
          const kinds = Object.values(faults).filter(({ kind }) => kind !== 'no answer' && kind !== 'stall');
          let failed = 0;
          proxy.plan(() => {
            if (random() >= 0.2) return undefined;
            failed += 1;
            return kinds[Math.floor(random() * kinds.length)];
          });
          const bucket = patient(12);
          const model = new Map<string, Buffer>();
          await mapConcurrently(
            Array.from({ length: 30 }, (_, i) => `busy/${i}`),
            6,
            async (key, i) => {
              const bytes = randomBytes(20_000 + i);
              await bucket.put(key, bytes);
              await bucket.copy(key, `${key}-copy`);
              expect((await readAll(bucket, key)).bytes.equals(bytes)).toBe(true);
              model.set(`${key}-copy`, bytes);
              if (i % 3 === 0) await bucket.delete(key);
              else model.set(key, bytes);
            },
          );
          const racers = Array.from({ length: 6 }, (_, i) => Buffer.from(`racer ${i}`));
          const results = await Promise.allSettled(racers.map((racer) => bucket.create('busy/race', racer)));
          const winners = racers.filter((_, i) => results[i]?.status === 'fulfilled');
          expect(winners).toHaveLength(1);
          model.set('busy/race', winners[0] ?? Buffer.of());
          expect(await keysOf(bucket, 'busy/')).toEqual([...model.keys()].sort());
          expect(failed).toBeGreaterThan(20);
          proxy.plan(() => undefined);
          for (const [key, bytes] of model)
            expect((await readAll(direct, key)).bytes.equals(bytes)).toBe(true);
        },
        600_000,
      );

      test('a create whose response is lost has succeeded, and a rival’s has not', async () => {
        proxy.plan((_, n) => (n === 1 ? { kind: 'answer lost' } : undefined));
        expect(await patient(4).create('new', after)).toMatchObject({ key: 'new', size: after.length });
        proxy.plan((_, n) => (n === 1 ? { kind: 'answer lost' } : undefined));
        const rival = Buffer.from(after).reverse();
        await expect(patient(4).create('new', rival)).rejects.toMatchObject({
          code: 'STORAGE_PRECONDITION_FAILED',
        });
        expect((await readAll(direct, 'new')).bytes.equals(after)).toBe(true);
      });

      test('a stream that cannot be repeated is sent once, and leaves nothing if that fails', async () => {
        // Count the uploads that earlier tests have left unfinished. This test must not add any.
        const orphans = await suite.orphans?.();
        for (const n of [1, 2, 3]) {
          proxy.plan((_, at) => (at === n ? busy : undefined));
          await expect(patient(4).put('new', slices(large))).rejects.toMatchObject({
            code: 'STORAGE_UNAVAILABLE',
          });
          expect(await direct.head('new')).toBeUndefined();
        }
        expect(await suite.orphans?.()).toBe(orphans);
      });

      test.each(runs(['answer lost'], ['503', 'request lost', 'answer lost']))(
        'a stream in parts is created once, whichever request suffers: %s',
        async (fault) => {
          let met = true;
          for (let n = 1; met; n += 1) {
            await direct.delete('new');
            const orphans = await suite.orphans?.();
            met = false;
            proxy.plan((_, at) => {
              met ||= at === n;
              return at === n ? faults[fault] : undefined;
            });
            const stream = repeatable(() => slices(large));
            expect(await patient(4).create('new', stream)).toMatchObject({ key: 'new', size: large.length });
            expect((await readAll(direct, 'new')).bytes.equals(large)).toBe(true);
            // If the first response is lost, the driver does not know the upload's id, so it cannot abort the upload.
            if (fault !== 'answer lost' || n > 1) expect(await suite.orphans?.()).toBe(orphans);
            if (!met) expect(n).toBeGreaterThan(3);
          }
        },
        600_000,
      );

      test('a stream with a part that never arrives leaves nothing, even if other parts are late', async () => {
        const orphans = await suite.orphans?.();
        let lastLate = 0;
        const cleanUpsAfter: number[] = [];
        proxy.plan(({ method, headers }) => {
          const length = Number(headers['content-length'] ?? 0);
          if (method === 'DELETE') cleanUpsAfter.push(Date.now() - lastLate);
          if (method !== 'PUT' || length < mebibyte) return undefined;
          if (length < 5 * mebibyte) return busy;
          lastLate = Date.now();
          return { kind: 'late' };
        });
        const stream = repeatable(() => slices(large));
        await expect(patient(2).create('new', stream)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
        // A part that arrives after the abort may recreate the upload, so the abort must wait for late parts. A late
        // part takes 200 ms. The test tolerates 10 ms less.
        for (const waitedMs of cleanUpsAfter) expect(waitedMs).toBeGreaterThanOrEqual(190);
        // Wait for requests that the driver has abandoned, because the proxy may still be sending them to the store.
        await until('the end of all requests', () => proxy.underWay() === 0);
        await expectWhole('get');
        expect(await suite.orphans?.()).toBe(orphans);
      });

      test('an interrupted body does not continue with another version of the object', async () => {
        proxy.plan(async (_, n) => {
          if (n === 2) await direct.put('old', after);
          return n === 1 ? { kind: 'cut' } : undefined;
        });
        await expect(readAll(patient(4), 'old')).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
        expect((await readAll(direct, 'old')).bytes.equals(after)).toBe(true);
      });

      test('a slow body is not silent', async () => {
        proxy.plan(() => ({ kind: 'slow' }));
        const bucket = await suite.open(proxy.host, slowMs / 2);
        await operations['get']?.(bucket);
        expect(proxy.seen).toHaveLength(1);
        await bucket.close();
      });

      test('a response that was shortened, and looks complete, is detected', async () => {
        for (const operation of ['list', 'get a range', ...(suite.noticesFlips ? ['get'] : [])]) {
          proxy.plan((_, n) => (n === 1 ? { kind: 'short' } : undefined));
          const outcome = await outcomeOf(operation, patient(4));
          tell(operation, 'once: body looks complete', outcome);
          expect(['completes', 'STORAGE_CORRUPT']).toContain(outcome);
        }
      });

      test.each(Object.keys(operations))('an abort ends at once, with its reason: %s', async (operation) => {
        const reason = new Error('enough');
        const stop = new AbortController();
        proxy.plan(() => {
          setTimeout(() => stop.abort(reason), 20);
          return { kind: 'no answer' };
        });
        // Only the abort can end this call in time, because the time-out `neverMs` is longer than a test may take.
        await expect(operations[operation]?.(withRetry(behind), { signal: stop.signal })).rejects.toBe(
          reason,
        );
        proxy.plan(() => undefined);
        await expectWhole('get');
      });

      test('a closed bucket has no open connections, whether idle or of an aborted body', async () => {
        const own = await startFaultProxy(target);
        const bucket = await suite.open(own.host, neverMs);
        own.plan((_, n) => (n === 1 ? { kind: 'stall' } : undefined));
        const reason = new Error('enough');
        const stop = new AbortController();
        const { body } = await bucket.get('old', { signal: stop.signal });
        const reading = collect(
          (async function* () {
            for await (const chunk of body) {
              setTimeout(() => stop.abort(reason), 20);
              yield chunk;
            }
          })(),
        );
        await expect(reading).rejects.toBe(reason);
        await discard((await bucket.get('old')).body);
        await Promise.all([readAll(bucket, 'old'), readAll(bucket, 'list/1')]);
        expect(own.connections()).toBeGreaterThan(0);
        await bucket.close();
        await until('no connection', () => own.connections() === 0 || undefined);
        await own.close();
      });

      if (suite.noticesFlips) {
        test('a body changed in transit is refused', async () => {
          proxy.plan(() => ({ kind: 'flip' }));
          await expect(readAll(patient(2), 'old')).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
        });
      }

      const { openAsStranger } = suite;
      if (openAsStranger !== undefined) {
        test('wrong credentials are refused at once', async () => {
          const stranger = await openAsStranger(proxy.host);
          const asked = withRetry(stranger);
          for (const operation of Object.keys(operations)) {
            proxy.plan(() => undefined);
            await expect(operations[operation]?.(asked)).rejects.toMatchObject({
              code: 'STORAGE_ACCESS_DENIED',
            });
            // The driver sends the blocks of a stream concurrently, so the server may refuse up to two of them.
            expect(proxy.seen.length).toBeLessThanOrEqual(operation === 'put a stream' ? 2 : 1);
          }
          await stranger.close();
          await expectWhole('get');
        });
      }

      // Keep this test last. It creates more than a thousand objects, and `reset` would have to delete all of them
      // before the next test.
      test('a listing whose later page fails is complete or an error, never short', async () => {
        const keys = Array.from({ length: 1_050 }, (_, i) => `pages/${String(i).padStart(5, '0')}`);
        await mapConcurrently(keys, 16, (key) => direct.put(key, Buffer.of()));
        proxy.plan((_, n) => (n === 2 ? busy : undefined));
        expect(await keysOf(patient(4), 'pages/')).toEqual(keys);
        proxy.plan((_, n) => (n >= 2 ? busy : undefined));
        await expect(keysOf(patient(2), 'pages/')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      });
    });
  });
}

async function keysOf(bucket: Bucket, prefix: string, options?: CallOptions): Promise<string[]> {
  const keys: string[] = [];
  for await (const entry of bucket.list(prefix, options)) if (entry.kind === 'object') keys.push(entry.key);
  return keys;
}

function sameObjects(found: Objects, wanted: Objects): boolean {
  const names = Object.keys(wanted);
  return (
    Object.keys(found).length === names.length &&
    names.every((name) => {
      const [one, other] = [found[name], wanted[name]];
      if (one === undefined || other === undefined) return false;
      return one.bytes.equals(other.bytes) && one.metadata['state'] === other.metadata['state'];
    })
  );
}

/** Returns a bucket that forwards each call to another bucket, which `choose` selects at the time of the call. */
function chosen(choose: () => Bucket): Bucket {
  return {
    get type() {
      return choose().type;
    },
    get label() {
      return choose().label;
    },
    list: (...call) => choose().list(...call),
    head: (...call) => choose().head(...call),
    get: (...call) => choose().get(...call),
    put: (...call) => choose().put(...call),
    create: (...call) => choose().create(...call),
    copy: (...call) => choose().copy(...call),
    delete: (...call) => choose().delete(...call),
    close: () => choose().close(),
  };
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000_000) {
    await Promise.resolve();
    yield bytes.subarray(at, at + 1_000_000);
  }
}

/** Returns a generator of pseudo-random numbers from 0 (inclusive) to 1 (exclusive). Equal seeds give equal numbers. */
function seeded(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
