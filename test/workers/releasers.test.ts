import { Releasers } from '../../workers/releasers';

test('everything is released in reverse order, and the first error is thrown', async () => {
  const released: string[] = [];
  const held = new Releasers();
  held.defer(async () => void released.push('first'));
  held.defer(() => Promise.reject(new Error('second')));
  held.defer(async () => void released.push('third'));
  await expect(held[Symbol.asyncDispose]()).rejects.toThrow('second');
  expect(released).toEqual(['third', 'first']);
});
