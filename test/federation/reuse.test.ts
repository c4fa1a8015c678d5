import { clusterId } from '../../etl/cluster-id';
import type { Contribution } from '../../etl/contribution';
import { parseWindowId, windowId } from '../../etl/window';
import type { Decision } from '../../federation/decision';
import { fingerprint } from '../../federation/fingerprint';
import type { Provenance, ProvenanceSource } from '../../federation/provenance';
import { findReuse } from '../../federation/reuse';
import type { Version } from '../../storage/bucket';
import { measureWith } from '../etl/build-records';

const ref = parseWindowId('allocations/1d/1794614400-1794700800')!;
const window = windowId(ref);

function contribution(id: string, offset: number, length = 100): Contribution {
  return {
    id,
    measure: measureWith(1),
    names: [id],
    entries: 1,
    offset,
    length,
    altered: [],
    changed: [],
    rest: '',
    marksOmitted: true,
  };
}

function used(
  cluster: string,
  given?: Contribution,
  seen = 'v1',
  decision: Decision = 'used',
): ProvenanceSource {
  return { cluster: clusterId(cluster), seen: seen as Version, decision, contribution: given };
}

function provenance(sources: ProvenanceSource[], size = 400, revision?: number): Provenance {
  const digest = '0'.repeat(64);
  return {
    ...{ format: 1, window, digest, size, sources, quarantined: [] },
    fingerprint: fingerprint(ref, sources, revision),
  };
}

const [a, b, c] = [
  used('a', contribution('a', 100)),
  used('b', contribution('b', 200)),
  used('c', contribution('c', 300)),
];
const before = provenance([a, b, c]);

function reused(
  previous: Provenance | undefined,
  sources: readonly ProvenanceSource[],
): string[] | undefined {
  const found = findReuse(previous, ref, sources);
  return found && [...found.contributions.keys()];
}

test('unchanged contributions are copied from the previous object', () => {
  expect(reused(before, [a, b, c])).toEqual(['a', 'b', 'c']);
  expect(reused(before, [a, { ...b, seen: 'v2' as Version }, c])).toEqual(['a', 'c']);
  expect(reused(before, [a, c, used('d')])).toEqual(['a', 'c']);
  expect(findReuse(before, ref, [a, b, c])?.contributions.get('b')).toBe(b.contribution);
});

test.each<[string, Provenance | undefined, ProvenanceSource[]]>([
  ['there is no previous object', undefined, [a, b, c]],
  ['another merge revision made it', provenance([a, b, c], 400, 1_000), [a, b, c]],
  [
    'only one file is unchanged',
    before,
    [a, { ...b, seen: 'v2' as Version }, { ...c, seen: 'v2' as Version }],
  ],
  [
    'most of the object is unusable',
    provenance([a, b, used('c', contribution('c', 300, 201))], 501),
    [a, b, { ...c, seen: 'v2' as Version }],
  ],
  [
    'its parts do not follow one another',
    provenance([used('a', contribution('a', 300)), used('b', contribution('b', 100))]),
    [a, b],
  ],
])('nothing is copied if %s', (_, previous, sources) => {
  expect(reused(previous, sources)).toBeUndefined();
});

test.each<[string, ProvenanceSource]>([
  ['had a different decision', { ...b, decision: 'accepted' }],
  ['contributed nothing', used('b')],
  ['shares a record with another', used('b', { ...contribution('b', 200), altered: [0], changed: [0] })],
  ['is kept', { ...b, decision: 'kept:v9' }],
])('a cluster that %s is read', (_, other) => {
  const previous = provenance([a, other.decision === 'accepted' ? b : other, c]);
  expect(reused(previous, [a, other, c])).toEqual(['a', 'c']);
});
