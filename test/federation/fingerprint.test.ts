import fc from 'fast-check';
import { parseWindowId } from '../../etl/window';
import { byBytes } from '../../federation/byte-order';
import { fingerprint } from '../../federation/fingerprint';
import { dayWindow, named, used } from './made-up';

const one = dayWindow(1);
const source = fc.record({ cluster: fc.string(), seen: fc.string(), decision: fc.string() });
const sources = fc.uniqueArray(source, { selector: (one) => one.cluster });

test('the order of the sources makes no difference', () => {
  fc.assert(
    fc.property(
      sources.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => named(one, ...all) === named(one, ...shuffled),
    ),
    { seed: 1 },
  );
});

test('sources that differ have different fingerprints, even if their concatenation is equal', () => {
  fc.assert(
    fc.property(sources, sources, (a, b) => {
      const text = (list: typeof a) =>
        JSON.stringify(
          [...list].sort((x, y) => byBytes(x.cluster, y.cluster)).map((s) => [s.cluster, s.seen, s.decision]),
        );
      return (text(a) === text(b)) === (named(one, ...a) === named(one, ...b));
    }),
    { seed: 1 },
  );
  expect(named(one, used('a', 'b'))).not.toBe(named(one, used('ab', '')));
});

test('everything that determines the bytes is part of the fingerprint', () => {
  const ref = parseWindowId(one);
  if (ref === undefined) throw new Error(one);
  const names = [
    named(one, used('a')),
    named(dayWindow(2), used('a')),
    named(one, used('b')),
    named(one, used('a', 'v2')),
    named(one, { ...used('a'), decision: 'accepted' }),
    named(one, { ...used('a'), decision: 'kept:v1' }),
    named(one, used('a'), used('b')),
    named(one.replace('allocations', 'assets'), used('a')),
    fingerprint(ref, [used('a')], 2),
  ];
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
});

test('fingerprints do not change from release to release', () => {
  // If this snapshot changes, all users' fingerprints change. To change them deliberately, raise `mergeRevision`.
  expect(named(one, used('a'), { cluster: 'b', seen: 'absent', decision: 'kept:v1' })).toMatchInlineSnapshot(
    `"5a1173dcc47778180cbcaedf950c4e2f954daf994333c28a6f415cf476a86d53"`,
  );
});

test('ids are ordered by their UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      return Math.sign(byBytes(a, b)) === Buffer.compare(Buffer.from(a), Buffer.from(b));
    }),
    { seed: 1 },
  );
});
