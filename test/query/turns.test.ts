import { isFederationError } from '../../errors/federation-error';
import { type TurnLimits, Turns } from '../../query/turns';

const patient = new AbortController().signal;

/** Turns, and queries that run until the test ends them. `events` says what happened, in order. */
function world(limits: TurnLimits) {
  const turns = new Turns(limits);
  const events: string[] = [];
  const running = new Map<string, () => void>();
  const ask = async (client: string, name: string, signal = patient) => {
    try {
      await turns.take(client, signal, async () => {
        events.push(name);
        await new Promise<void>((resolve) => running.set(name, resolve));
      });
    } catch (error) {
      events.push(`${name}: ${isFederationError(error) ? error.code : (error as Error).message}`);
    }
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** Ends a query, and returns what happened since the last call. */
  const after = async (...names: string[]): Promise<string[]> => {
    for (const name of names) {
      await settle();
      running.get(name)?.();
    }
    await settle();
    return events.splice(0);
  };
  return { turns, ask, after };
}

const names = (client: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${client}${index + 1}`);

it('starts as many queries as may run, and the others as places become free', async () => {
  const { turns, ask, after } = world({ concurrent: 2, waiting: 9 });
  for (const name of names('ann', 4)) void ask('ann', name);
  expect(await after()).toEqual(['ann1', 'ann2']);
  expect(turns.load()).toEqual({ running: 2, waiting: 2 });
  expect(await after('ann2')).toEqual(['ann3']);
  expect(await after('ann1', 'ann3')).toEqual(['ann4']);
  expect(await after('ann4')).toEqual([]);
  expect(turns.load()).toEqual({ running: 0, waiting: 0 });
});

it('lets clients take turns, whatever one of them has asked before', async () => {
  const { ask, after } = world({ concurrent: 1, waiting: 99 });
  for (const name of names('ann', 4)) void ask('ann', name);
  for (const client of ['bob', 'cy']) for (const name of names(client, 2)) void ask(client, name);
  // Bob runs nothing yet, so one of his queries may run besides Ann's.
  expect(await after()).toEqual(['ann1', 'bob1']);
  expect(await after('ann1', 'bob1', 'ann2', 'bob2', 'cy1')).toEqual(['ann2', 'bob2', 'cy1', 'ann3', 'cy2']);
  expect(await after('ann3', 'cy2')).toEqual(['ann4']);
});

it('starts the query of a client that has none running, even if another occupies every place', async () => {
  const { ask, after } = world({ concurrent: 2, waiting: 9 });
  for (const name of names('ann', 5)) void ask('ann', name);
  void ask('bob', 'bob1');
  expect(await after()).toEqual(['ann1', 'ann2', 'bob1']);
  // Only one query more than `concurrent` runs, and it is the only one of its client.
  void ask('cy', 'cy1');
  void ask('bob', 'bob2');
  expect(await after()).toEqual([]);
  expect(await after('bob1')).toEqual(['cy1']);
  expect(await after('ann1')).toEqual(['bob2']);
  expect(await after('ann2', 'cy1')).toEqual(['ann3']);
});

it('refuses queries of the client with the most waiting ones, when too many wait', async () => {
  const { turns, ask, after } = world({ concurrent: 1, waiting: 4 });
  for (const name of names('ann', 6)) void ask('ann', name);
  expect(await after()).toEqual(['ann1', 'ann6: QUERY_BUSY']);
  for (const name of names('bob', 4)) void ask('bob', name);
  expect(await after()).toEqual(['bob1', 'ann5: QUERY_BUSY', 'ann4: QUERY_BUSY', 'bob4: QUERY_BUSY']);
  expect(turns.load()).toEqual({ running: 2, waiting: 4 });
  void ask('cy', 'cy1');
  expect(await after()).toEqual(['ann3: QUERY_BUSY']);
});

it('refuses whatever cannot start at once, if none may wait', async () => {
  const { ask, after } = world({ concurrent: 1, waiting: 0 });
  for (const name of names('ann', 2)) void ask('ann', name);
  expect(await after()).toEqual(['ann1', 'ann2: QUERY_BUSY']);
});

it('forgets a query that waits no longer', async () => {
  const { turns, ask, after } = world({ concurrent: 1, waiting: 1 });
  const gone = new AbortController();
  void ask('ann', 'ann1');
  void ask('ann', 'ann2', gone.signal);
  gone.abort(new Error('gone'));
  expect(await after()).toEqual(['ann1', 'ann2: gone']);
  expect(turns.load()).toEqual({ running: 1, waiting: 0 });
  void ask('ann', 'ann3');
  expect(await after('ann1')).toEqual(['ann3']);
});

it('frees the place of a query that fails', async () => {
  const { turns } = world({ concurrent: 1, waiting: 1 });
  await expect(turns.take('ann', patient, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(turns.load()).toEqual({ running: 0, waiting: 0 });
  await expect(turns.take('ann', patient, async () => 'yes')).resolves.toBe('yes');
});
