import { appendFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import pMap from 'p-map';
import { FederationError, isFederationError } from '../../errors/federation-error';
import { discard } from '../../storage/body';
import type { Bucket } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import { repeatable, withRetry } from '../../storage/with-retry';
import { startFaultProxy, type Fault, type FaultProxy } from './fault-proxy';

/** A store behind a proxy. */
export interface FaultSuite {
  /** Where the real server is, with its port. */
  readonly server: () => Promise<string>;
  /**
   * Opens the driver, without retries, at this address: a bucket that the other calls open as well. It gives up a silent
   * connection after a third of a second; streams above 5 MiB go in parts.
   */
  readonly open: (host: string) => Promise<Bucket>;
  /** How the store says that it is asked too often. */
  readonly slowDown: Fault;
  /** Opens the driver with credentials that are wrong; where the server asks for some. */
  readonly openAsStranger?: (host: string) => Promise<Bucket>;
  /** Uploads in parts that were begun and neither finished nor removed; where the store can tell. */
  readonly orphans?: () => Promise<number>;
  /** Whether a body that was changed on its way is noticed, by a checksum of the store's own. */
  readonly noticesFlips: boolean;
  /** Operations that ask by HEAD: its answer has no body, so it cannot say that it is about being too busy. */
  readonly byHead: readonly string[];
}

const before = randomBytes(300_000);
const after = randomBytes(310_000);
const large = randomBytes(12 * 1024 * 1024 + 5);

const busy: Fault = { kind: 'status', status: 503 };
const faults: Readonly<Record<string, Fault>> = {
  '503': busy,
  '500': { kind: 'status', status: 500 },
  'request lost': { kind: 'request lost' },
  'answer lost': { kind: 'answer lost' },
  'no answer': { kind: 'no answer' },
  'body stalls': { kind: 'stall' },
  'body is cut': { kind: 'cut' },
  'body ends early': { kind: 'closed' },
};

/** An operation on a bucket that holds `old` and `list/…`; it throws when what it gets is wrong. */
const operations: Readonly<Record<string, (bucket: Bucket) => Promise<void>>> = {
  list: async (bucket) => expect((await keysOf(bucket, 'list/')).length).toBe(3),
  head: async (bucket) => expect(await bucket.head('old')).toMatchObject({ size: before.length }),
  get: async (bucket) => expect((await readAll(bucket, 'old')).bytes.equals(before)).toBe(true),
  'get a range': async (bucket) => {
    const { body } = await bucket.get('old', { range: { offset: 1_000, length: 250_000 } });
    expect((await collect(body)).equals(before.subarray(1_000, 251_000))).toBe(true);
  },
  put: async (bucket) => void (await bucket.put('old', after, { metadata: { state: 'after' } })),
  'put a stream': async (bucket) =>
    void (await bucket.put(
      'old',
      repeatable(() => slices(large)),
    )),
  create: async (bucket) => void (await bucket.create('new', after, { metadata: { state: 'after' } })),
  copy: async (bucket) => void (await bucket.copy('old', 'new')),
  delete: async (bucket) => bucket.delete('old'),
};

/** What the bucket may hold once an operation is over: before it, or as it wants it; nothing in between. */
const ends: Readonly<Record<string, Readonly<Record<string, Buffer>>>> = {
  put: { old: after },
  'put a stream': { old: large },
  create: { old: before, new: after },
  copy: { old: before, new: before },
  delete: {},
};

/** Everything that can go wrong on the way to a real server: each operation completes, or fails by a catalogued error. */
export function describeBucketFaults(name: string, suite: FaultSuite): void {
  describe(name, () => {
    let proxy: FaultProxy;
    let direct: Bucket;
    let behind: Bucket;
    const patient = (tries: number) =>
      withRetry(behind, { tries, firstPauseMs: 2, longestPauseMs: 20, budget: 1_000 });

    beforeAll(async () => {
      const [hostname = '', port] = (await suite.server()).split(':');
      proxy = await startFaultProxy({ hostname, port: Number(port) });
      direct = await suite.open(`${hostname}:${port}`);
      behind = await suite.open(proxy.host);
    }, 60_000);
    afterAll(async () => {
      await behind?.close();
      await direct?.close();
      await proxy?.close();
    });

    /** The bucket as the operations find it. */
    async function reset(): Promise<void> {
      proxy.plan(() => undefined);
      const wanted = { old: before, 'list/1': after, 'list/2': after, 'list/3': after };
      for (const key of await keysOf(direct, '')) if (!(key in wanted)) await direct.delete(key);
      for (const [key, bytes] of Object.entries(wanted)) await direct.put(key, bytes);
    }

    /** Looked at past the proxy: what is there is whole, and either of before or of after. */
    async function expectWhole(operation: string): Promise<boolean> {
      const found: Record<string, Buffer> = {};
      for (const key of await keysOf(direct, ''))
        if (!key.startsWith('list/')) found[key] = (await readAll(direct, key)).bytes;
      const end = ends[operation] ?? { old: before };
      const isEnd = sameObjects(found, end);
      expect(isEnd || sameObjects(found, { old: before })).toBe(true);
      return isEnd;
    }

    async function outcomeOf(operation: string, tries: number): Promise<string> {
      try {
        await operations[operation]?.(patient(tries));
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

      test.each([...Object.keys(faults), 'slow down'])('completes when once: %s', async (fault) => {
        const once = faults[fault] ?? suite.slowDown;
        proxy.plan((_, n) => (n === 1 ? once : undefined));
        const outcome = await outcomeOf(operation, 4);
        tell(operation, `once: ${fault}`, outcome);
        expect(outcome).toBe('completes');
        expect(await expectWhole(operation)).toBe(true);
      });

      test.each([
        ['503', 'STORAGE_UNAVAILABLE'],
        ['slow down', 'STORAGE_THROTTLED'],
        ['request lost', 'STORAGE_UNAVAILABLE'],
        ['no answer', 'STORAGE_UNAVAILABLE'],
      ])('fails when always: %s', async (fault, code) => {
        const always = faults[fault] ?? { ...suite.slowDown, retryAfter: '0' };
        proxy.plan(() => always);
        const outcome = await outcomeOf(operation, 2);
        tell(operation, `always: ${fault}`, outcome);
        const isMute = fault === 'slow down' && suite.byHead.includes(operation);
        expect(outcome).toBe(isMute ? 'STORAGE_UNAVAILABLE' : code);
        expect(proxy.seen.length).toBeGreaterThanOrEqual(2);
        proxy.plan(() => undefined);
        await expectWhole(operation);
      });
    });

    describe('besides', () => {
      beforeEach(reset);

      test.each([1, 2, 3])(
        'one request in five fails, and everything completes (seed %d)',
        async (seed) => {
          const random = seeded(seed);
          const kinds = Object.values(faults).filter(({ kind }) => kind !== 'no answer' && kind !== 'stall');
          proxy.plan(() => (random() < 0.2 ? kinds[Math.floor(random() * kinds.length)] : undefined));
          const bucket = patient(12);
          const model = new Map<string, Buffer>();
          await pMap(
            Array.from({ length: 30 }, (_, i) => `busy/${i}`),
            async (key, i) => {
              const bytes = randomBytes(20_000 + i);
              await bucket.put(key, bytes);
              await bucket.copy(key, `${key}-copy`);
              expect((await readAll(bucket, key)).bytes.equals(bytes)).toBe(true);
              model.set(`${key}-copy`, bytes);
              if (i % 3 === 0) await bucket.delete(key);
              else model.set(key, bytes);
            },
            { concurrency: 6 },
          );
          const racers = Array.from({ length: 6 }, (_, i) => Buffer.from(`racer ${i}`));
          const results = await Promise.allSettled(racers.map((racer) => bucket.create('busy/race', racer)));
          const winners = racers.filter((_, i) => results[i]?.status === 'fulfilled');
          expect(winners).toHaveLength(1);
          model.set('busy/race', winners[0] ?? Buffer.of());
          expect(new Set(await keysOf(bucket, 'busy/'))).toEqual(new Set(model.keys()));
          proxy.plan(() => undefined);
          for (const [key, bytes] of model)
            expect((await readAll(direct, key)).bytes.equals(bytes)).toBe(true);
        },
        60_000,
      );

      test('a create whose answer is lost has succeeded, and a rival’s has not', async () => {
        proxy.plan((_, n) => (n === 1 ? { kind: 'answer lost' } : undefined));
        expect(await patient(4).create('new', after)).toMatchObject({ key: 'new', size: after.length });
        proxy.plan((_, n) => (n === 1 ? { kind: 'answer lost' } : undefined));
        await expect(patient(4).create('new', before)).rejects.toMatchObject({
          code: 'STORAGE_PRECONDITION_FAILED',
        });
        expect((await readAll(direct, 'new')).bytes.equals(after)).toBe(true);
      });

      test('a stream that cannot be made anew is sent once, and leaves nothing when that fails', async () => {
        // While a store is down, what was begun cannot be removed either: other tests left some.
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

      test('a body that was cut goes on with the same object, or not at all', async () => {
        let replaced: Promise<unknown> | undefined;
        proxy.plan((_, n) => {
          if (n !== 1) return undefined;
          replaced = new Promise((resolve) => setTimeout(resolve, 5)).then(() => direct.put('old', after));
          return { kind: 'cut' };
        });
        const outcome = await readAll(patient(4), 'old').then(
          ({ bytes }) => (bytes.equals(after) || bytes.equals(before) ? 'one of them' : 'a mixture'),
          (error: unknown) => (isFederationError(error, 'STORAGE_CONFLICT') ? 'conflict' : String(error)),
        );
        await replaced;
        expect(['one of them', 'conflict']).toContain(outcome);
      });

      test('a listing whose later page fails is complete, or an error; never short', async () => {
        const keys = Array.from({ length: 1_050 }, (_, i) => `pages/${String(i).padStart(5, '0')}`);
        await pMap(keys, (key) => direct.put(key, Buffer.of()), { concurrency: 16 });
        proxy.plan((_, n) => (n === 2 ? busy : undefined));
        expect(await keysOf(patient(4), 'pages/')).toEqual(keys);
        proxy.plan((_, n) => (n >= 2 ? busy : undefined));
        await expect(keysOf(patient(2), 'pages/')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      }, 60_000);

      test('an abort ends what hangs, at once and by its reason', async () => {
        const reason = new Error('enough');
        const hanging: ((signal: AbortSignal) => Promise<unknown>)[] = [
          (signal) => behind.head('old', { signal }),
          (signal) => behind.put('old', after, { signal }),
          (signal) => keysOf(behind, '', signal),
          (signal) => readAll(behind, 'old', { signal }),
        ];
        for (const [index, call] of hanging.entries()) {
          proxy.plan(() => ({ kind: index === 3 ? 'stall' : 'no answer' }));
          const stop = new AbortController();
          const timer = setTimeout(() => stop.abort(reason), 100);
          // By the time the connection is given up for its silence, it would be another error.
          await expect(call(stop.signal)).rejects.toBe(reason);
          clearTimeout(timer);
        }
      });

      test('a bucket that is closed holds no connection', async () => {
        const another = await suite.open(proxy.host);
        const held = proxy.connections();
        await readAll(another, 'old');
        await discard((await another.get('old')).body);
        expect(proxy.connections()).toBeGreaterThan(held);
        await another.close();
        for (let waited = 0; proxy.connections() > held && waited < 100; waited += 1)
          await new Promise((resolve) => setTimeout(resolve, 20));
        expect(proxy.connections()).toBeLessThanOrEqual(held);
      });

      if (suite.noticesFlips) {
        test('a body that was changed on its way is refused', async () => {
          proxy.plan(() => ({ kind: 'flip' }));
          await expect(readAll(patient(2), 'old')).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
        });
      }

      const { openAsStranger } = suite;
      if (openAsStranger !== undefined) {
        test('wrong credentials are refused at once', async () => {
          const stranger = await openAsStranger(proxy.host);
          const asked = withRetry(stranger);
          for (const operation of ['list', 'get', 'put', 'put a stream', 'create', 'copy', 'delete']) {
            proxy.plan(() => undefined);
            await expect(operations[operation]?.(asked)).rejects.toMatchObject({
              code: 'STORAGE_ACCESS_DENIED',
            });
            // Who answers before he read the body may break the connection over it: then it is sent once more.
            expect(proxy.seen.length).toBeLessThanOrEqual(/put|create/.test(operation) ? 3 : 1);
          }
          await stranger.close();
          await expectWhole('get');
        });
      }
    });
  });
}

async function keysOf(bucket: Bucket, prefix: string, signal?: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  for await (const entry of bucket.list(prefix, { signal }))
    if (entry.kind === 'object') keys.push(entry.key);
  return keys;
}

function sameObjects(
  found: Readonly<Record<string, Buffer>>,
  wanted: Readonly<Record<string, Buffer>>,
): boolean {
  const names = Object.keys(wanted);
  return (
    Object.keys(found).length === names.length &&
    names.every((name) => found[name]?.equals(wanted[name] ?? Buffer.of()) === true)
  );
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

/** Numbers from 0 to 1, the same ones for the same seed. */
function seeded(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
