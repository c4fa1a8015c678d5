import { AnswerCache, type Rendered } from '../../api/answer-cache';

const rendered = (text: string): Rendered => ({
  body: Buffer.from(text),
  headers: {},
  queryMs: 1,
  renderMs: 1,
});

/**
 * Returns a `make` function for the cache. Each call of `make` adds a function to `finish`, and then waits until the
 * test calls this function, or until the call is aborted.
 */
function workshop() {
  const signals: AbortSignal[] = [];
  const finish: ((text: string) => void)[] = [];
  const make = (signal: AbortSignal) =>
    new Promise<Rendered>((resolve, reject) => {
      signals.push(signal);
      finish.push((text) => resolve(rendered(text)));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  return { signals, finish, make };
}

const by = (signal: AbortSignal, client = 'ann') => ({ client, signal });
const patient = (client?: string) => by(new AbortController().signal, client);

it('computes once for simultaneous requests, and keeps the answer', async () => {
  const cache = new AnswerCache();
  const { finish, make, signals } = workshop();
  const both = [cache.get('a', patient(), make), cache.get('a', patient(), make)];
  finish[0]?.('answer');
  expect((await Promise.all(both)).map(({ origin }) => origin)).toEqual(['query', 'shared']);
  expect((await cache.get('a', patient(), make)).origin).toBe('cache');
  expect(signals).toHaveLength(1);
});

it('computes for each client, so that none waits behind another; the first answer is the answer of all', async () => {
  const cache = new AnswerCache();
  const { finish, make, signals } = workshop();
  const slow = cache.get('a', patient('ann'), make);
  const quick = cache.get('a', patient('bob'), make);
  const different = cache.get('b', patient('ann'), make);
  finish[1]?.('answer');
  expect((await quick).origin).toBe('query');
  const { origin, rendered: answer } = await slow;
  expect([origin, answer.body.toString()]).toEqual(['shared', 'answer']);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false]);
  expect((await cache.get('a', patient('cy'), make)).origin).toBe('cache');
  finish[2]?.('other answer');
  expect((await different).rendered.body.toString()).toBe('other answer');
});

it('continues while any client waits, and stops when none does', async () => {
  const cache = new AnswerCache();
  const { finish, make, signals } = workshop();
  const [one, other] = [new AbortController(), new AbortController()];
  const first = cache.get('a', by(one.signal), make);
  const second = cache.get('a', by(other.signal), make);
  one.abort(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  expect(signals[0]?.aborted).toBe(false);
  other.abort(new Error('gone, too'));
  await expect(second).rejects.toThrow('gone, too');
  expect(signals[0]?.aborted).toBe(true);
  // The computation was aborted, because all its clients have left. A new client must get an answer, not the error of
  // the aborted computation.
  const third = cache.get('a', patient(), make);
  finish[1]?.('fresh');
  expect((await third).rendered.body.toString()).toBe('fresh');
});

it('does not keep a failure', async () => {
  const cache = new AnswerCache();
  await expect(cache.get('a', patient(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const { rendered: answer } = await cache.get('a', patient(), async () => rendered('yes'));
  expect(answer.body.toString()).toBe('yes');
});

it('does not start for a client that has left', async () => {
  const cache = new AnswerCache();
  const { make, signals } = workshop();
  await expect(cache.get('a', by(AbortSignal.abort(new Error('left'))), make)).rejects.toThrow('left');
  expect(signals).toHaveLength(0);
});
