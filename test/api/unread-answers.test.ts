import { EventEmitter } from 'node:events';
import { UnreadAnswers } from '../../api/unread-answers';

it('refuses a client that has too many unread answers, until it has read them', () => {
  const unread = new UnreadAnswers();
  const [first, second] = [0, 1].map(() => Object.assign(new EventEmitter(), { closed: false }));
  unread.count('ann', 600_000, first as never);
  expect(() => unread.check('ann', 1)).not.toThrow();
  unread.count('ann', 600_000, second as never);
  expect(() => unread.check('ann', 1)).toThrow(expect.objectContaining({ code: 'QUERY_BUSY' }));
  expect(() => unread.check('bob', 1)).not.toThrow();
  first?.emit('close');
  expect(() => unread.check('ann', 1)).not.toThrow();
});

it('does not count an answer whose client is gone', () => {
  const unread = new UnreadAnswers();
  unread.count('ann', 2_000_000, { closed: true } as never);
  expect(() => unread.check('ann', 1)).not.toThrow();
});
