import { HashIndex, hashWords } from '../../query/hash-index';
import { writeHash } from '../../query/identity';

test('an index finds every hash that was added, and no other', () => {
  const count = 20_000;
  const hashes = new Uint32Array(2 * count * hashWords);
  for (let at = 0; at < 2 * count; at++) writeHash(String(at), hashes, at);
  const index = new HashIndex();
  for (let at = 0; at < count; at++) index.set(hashes, at, at + 1);
  index.set(hashes, 5, 7);
  for (let at = 0; at < count; at++) expect(index.get(hashes, at)).toBe(at === 5 ? 7 : at + 1);
  for (let at = count; at < 2 * count; at++) expect(index.get(hashes, at)).toBe(0);
});

test('hashes with the same first word are distinguished', () => {
  const hashes = new Uint32Array([1, 2, 3, 4, 1, 2, 3, 5, 1, 9, 3, 4]);
  const index = new HashIndex();
  index.set(hashes, 0, 10);
  index.set(hashes, 1, 11);
  expect([0, 1, 2].map((at) => index.get(hashes, at))).toEqual([10, 11, 0]);
});
