import { mapConcurrently } from '../../concurrency/map-concurrently';

/** Returns a `work` function. Each call of it waits until the test calls `end` with the same item. */
function controlled() {
  const calls = new Map<string, PromiseWithResolvers<string>>();
  const work = (item: string) => {
    const call = Promise.withResolvers<string>();
    calls.set(item, call);
    return call.promise;
  };
  const started = () => [...calls.keys()].join('');
  return { work, started, end: (item: string) => calls.get(item)?.resolve(item.toUpperCase()), calls };
}

/** Waits until all pending promise callbacks have run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function* read(items: Iterable<string>) {
  yield* items;
}

describe.each([
  ['an array', (text: string) => [...text]],
  ['an async iterator', (text: string) => read(text)],
])('mapConcurrently over %s', (_, source) => {
  it('runs at most `limit` calls and returns the results in order', async () => {
    const { work, started, end } = controlled();
    const results = mapConcurrently(source('abc'), 2, work);
    await settle();
    expect(started()).toBe('ab');
    end('b');
    await settle();
    expect(started()).toBe('abc');
    end('c');
    end('a');
    expect(await results).toEqual(['A', 'B', 'C']);
  });

  it('passes the index', async () => {
    expect(await mapConcurrently(source('abc'), 2, async (item, index) => `${item}${index}`)).toEqual([
      'a0',
      'b1',
      'c2',
    ]);
  });

  it('starts nothing after a failure, waits for the calls in progress and throws the first error', async () => {
    const { work, started, calls } = controlled();
    let settled = false;
    const results = mapConcurrently(source('abcd'), 3, work).finally(() => (settled = true));
    await settle();
    calls.get('b')?.reject(new Error('first'));
    await settle();
    calls.get('a')?.reject(new Error('second'));
    await settle();
    expect({ settled, started: started() }).toEqual({ settled: false, started: 'abc' });
    calls.get('c')?.resolve('C');
    await expect(results).rejects.toThrow('first');
  });
});

describe('an iterator', () => {
  it('that fails: waits for the calls in progress and throws its error', async () => {
    const { work, end } = controlled();
    let settled = false;
    async function* failing() {
      yield 'a';
      throw new Error('unreadable');
    }
    const results = mapConcurrently(failing(), 2, work).finally(() => (settled = true));
    results.catch(() => undefined);
    await settle();
    expect(settled).toBe(false);
    end('a');
    await expect(results).rejects.toThrow('unreadable');
  });

  it('is closed after a failure, and its pending read is awaited', async () => {
    const { work, calls } = controlled();
    const slow = Promise.withResolvers<void>();
    let settled = false;
    let closed = false;
    async function* pending() {
      try {
        yield 'a';
        await slow.promise;
        yield 'b';
      } finally {
        closed = true;
      }
    }
    const results = mapConcurrently(pending(), 2, work).finally(() => (settled = true));
    results.catch(() => undefined);
    await settle();
    calls.get('a')?.reject(new Error('first'));
    await settle();
    expect(settled).toBe(false);
    slow.resolve();
    await expect(results).rejects.toThrow('first');
    expect({ closed, started: [...calls.keys()] }).toEqual({ closed: true, started: ['a'] });
  });
});
