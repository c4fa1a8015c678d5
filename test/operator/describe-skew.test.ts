import type { Inventory } from '../../federation/inventory';
import { describeSkew } from '../../operator/describe-skew';
import { dayWindow, generation, membership, quarantinedSource } from '../federation/made-up';

const base = generation({}, membership(['a', 'b', 'c']), { program: '0.3.1 (1a2b3c4)' });
const clusters = (inventories: Record<string, Inventory>, state: 'in' | 'excluded' = 'in') =>
  Object.entries(inventories).map(([cluster, inventory]) => ({ cluster, membership: state, inventory }));

test.each<[string, Record<string, Inventory>]>([
  [
    'equal versions',
    { a: { program: '0.3.1', codecs: { assets: 21 } }, b: { program: '0.3.1', codecs: { assets: 21 } } },
  ],
  ['a patch level', { a: { program: '0.3.0', codecs: {} }, b: { program: '0.3.9 (5d6e7f8)', codecs: {} } }],
  ['files that others pushed', { a: { codecs: {} }, b: { program: '0.3.1', codecs: { allocations: 25 } } }],
  ['one pipeline each', { a: { codecs: { allocations: 25 } }, b: { codecs: { assets: 21 } } }],
  ['a version without numbers', { a: { program: 'unknown', codecs: {} } }],
])('%s need no warning', (_, inventories) => {
  expect(describeSkew(clusters(inventories), base)).toEqual([]);
});

test.each<[string, Record<string, Inventory>, string]>([
  [
    'an older minor',
    { a: { program: '0.2.9', codecs: {} } },
    "older than the federator's 0.3.1 (1a2b3c4) on a (0.2.9)",
  ],
  [
    'an older major',
    { a: { program: '0.2.0', codecs: {} }, b: { program: '0.10.0', codecs: {} } },
    'on a (0.2.0)',
  ],
  ['a newer minor', { b: { program: '0.10.0', codecs: {} } }, 'is older than that of b (0.10.0)'],
  [
    'an older codec',
    { a: { codecs: { allocations: 22 } }, b: { codecs: { allocations: 25 } } },
    'allocations in an older codec version than the newest, 25: a (22)',
  ],
])('%s is named', (_, inventories, text) => {
  expect(describeSkew(clusters(inventories), base).join('\n')).toContain(text);
});

test('clusters that are not merged do not count, and files that are too new do', () => {
  expect(
    describeSkew(clusters({ a: { program: '0.1.0', codecs: { assets: 16 } } }, 'excluded'), base),
  ).toEqual([]);
  const tooNew = quarantinedSource('b', dayWindow(1), { code: 'ETL_TOO_NEW' });
  expect(describeSkew([], { ...base, quarantined: [tooNew] })).toEqual([
    'Some files have a codec version that the federator cannot read yet: b. Upgrade the federator.',
  ]);
});
