import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { UnreadAnswers } from '../../api/unread-answers';
import type { Answers } from '../../query/answers';
import { until } from '../until';
import { atOnce, serverOver } from './served';

function response() {
  return Object.assign(new EventEmitter(), { closed: false });
}

describe('the answers that a client has not read', () => {
  it('keep it from getting more, until it has read them', () => {
    const unread = new UnreadAnswers();
    const [first, second] = [response(), response()];
    unread.count('ann', Buffer.alloc(600_000), first as never);
    expect(() => unread.check('ann', 1)).not.toThrow();
    unread.count('ann', Buffer.alloc(600_000), second as never);
    expect(() => unread.check('ann', 1)).toThrow(expect.objectContaining({ code: 'QUERY_BUSY' }));
    expect(() => unread.check('bob', 1)).not.toThrow();
    first.emit('close');
    expect(() => unread.check('ann', 1)).not.toThrow();
  });

  it('count once if they are the same bytes, until the last response with them is closed', () => {
    const unread = new UnreadAnswers();
    const [same, more] = [Buffer.alloc(600_000), Buffer.alloc(600_000)];
    const [first, second] = [response(), response()];
    unread.count('ann', same, first as never);
    unread.count('ann', same, second as never);
    expect(() => unread.check('ann', 1)).not.toThrow();
    first.emit('close');
    unread.count('ann', more, response() as never);
    expect(() => unread.check('ann', 1)).toThrow(expect.objectContaining({ code: 'QUERY_BUSY' }));
    second.emit('close');
    expect(() => unread.check('ann', 1)).not.toThrow();
  });

  it('do not count if the client is gone', () => {
    const unread = new UnreadAnswers();
    unread.count('ann', Buffer.alloc(2_000_000), { ...response(), closed: true } as never);
    expect(() => unread.check('ann', 1)).not.toThrow();
  });
});

test('a client that does not read gets no more answers from the cache either', async () => {
  const span = { start: 0, end: 86_400 };
  const answer = { sets: [{ window: span, rows: [] }], window: span };
  const answers: Answers = {
    megabytes: 1,
    inTurn: atOnce,
    // The answer is larger than what the sockets of both sides hold, and small enough for the cache.
    allocations: async () => ({ ...answer, warnings: ['x'.repeat(15_000_000)] }),
    assets: async () => ({ ...answer, warnings: [] }),
    autocomplete: async () => [],
    state: () => ({ empty: false, clusters: [], generation: 7 }),
  };
  const app = await serverOver(answers, { openRead: true });
  try {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const path = '/model/allocation?window=0,86400';
    const read = async () => {
      const reply = await fetch(url + path);
      const { code, message } = (await reply.json()) as { code: number; message?: string };
      return { code, message, timing: reply.headers.get('server-timing') };
    };
    expect((await read()).code).toBe(200);
    expect((await read()).timing).toContain('cache');

    const slow = connect(Number(new URL(url).port), '127.0.0.1');
    slow.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await once(slow, 'data');
    slow.pause();
    expect(await read()).toMatchObject({ code: 503, message: expect.stringContaining('has not read yet') });

    slow.destroy();
    await until('the client may ask again', async () => (await read()).code === 200 || undefined);
  } finally {
    await app.close();
  }
});
