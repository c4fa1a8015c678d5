import fc from 'fast-check';
import { clusterId } from '../../etl/cluster-id';
import {
  type CarriedNames,
  decideNames,
  type NameOwners,
  namesNotOwned,
  ownersAfter,
} from '../../federation/names';

const [a, b, c] = [clusterId('a'), clusterId('b'), clusterId('c')];

function carried(names: Record<string, string[]>): CarriedNames[] {
  return Object.entries(names).map(([cluster, of]) => ({ cluster: clusterId(cluster), names: of }));
}

/** Decides who owns the names, and returns the result as plain objects. */
function decide(owners: Record<string, string>, names: Record<string, string[]>) {
  const decided = decideNames(owners as NameOwners, carried(names));
  return { owners: decided.owners, taken: Object.fromEntries(decided.taken) };
}

interface Row {
  name: string;
  owners?: Record<string, string>;
  carried: Record<string, string[]>;
  then: Record<string, string>;
  taken?: Record<string, Record<string, string>>;
}

const rows: Row[] = [
  { name: 'a name that nobody owns', carried: { a: ['x'] }, then: { x: 'a' } },
  { name: 'several names of one cluster', carried: { a: ['x', 'y'] }, then: { x: 'a', y: 'a' } },
  { name: 'a name that the cluster owns', owners: { x: 'a' }, carried: { a: ['x'] }, then: { x: 'a' } },
  { name: 'no name', carried: { a: [], b: [] }, then: {} },
  { name: 'placeholders of OpenCost', carried: { a: ['__unmounted__'], b: ['__unmounted__'] }, then: {} },
  {
    name: 'a name of another cluster',
    owners: { x: 'a' },
    carried: { b: ['x'] },
    then: { x: 'a' },
    taken: { b: { x: 'a' } },
  },
  {
    name: 'a name that two clusters bring: the one with that id',
    carried: { a: ['b'], b: ['b'] },
    then: { b: 'b' },
    taken: { a: { b: 'b' } },
  },
  {
    name: 'a name that two clusters bring, and neither has that id: the first by bytes',
    carried: { c: ['x'], b: ['x'] },
    then: { x: 'b' },
    taken: { c: { x: 'b' } },
  },
  {
    name: 'an own name, too, of a cluster that carries the name of another: it stays without owner',
    owners: { x: 'a' },
    carried: { b: ['x', 'y'] },
    then: { x: 'a' },
    taken: { b: { x: 'a' } },
  },
  {
    name: 'a name that a cluster cannot have, as it carries the name of another: the next one',
    owners: { x: 'c' },
    carried: { a: ['x', 'y'], b: ['y'] },
    then: { x: 'c', y: 'b' },
    taken: { a: { x: 'c', y: 'b' } },
  },
  {
    name: 'a set that another federation combined, beside one of its clusters',
    carried: { 'a-set': ['b', 'n'], b: ['b'] },
    then: { b: 'b' },
    taken: { 'a-set': { b: 'b' } },
  },
  {
    name: 'two clusters that carry each other’s ids: the first by bytes',
    carried: { a: ['a', 'b'], b: ['a', 'b'] },
    then: { a: 'a', b: 'a' },
    taken: { b: { a: 'a', b: 'a' } },
  },
  {
    name: 'names that objects inherit',
    carried: { a: ['constructor'], b: ['constructor', 'valueOf'] },
    then: { constructor: 'a' },
    taken: { b: { constructor: 'a' } },
  },
];

test.each(rows)('$name', ({ owners = {}, carried: names, then, taken = {} }) => {
  expect(decide(owners, names)).toEqual({ owners: then, taken });
});

const ids = ['a', 'b', 'c', 'd', 'x'] as const;
const someNames = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'x', 'y', 'z'), { maxLength: 4 });
const someOwners = fc.dictionary(fc.constantFrom('a', 'x', 'y'), fc.constantFrom(...ids), { maxKeys: 2 });
const someCarried = fc.array(
  fc.record({ cluster: fc.constantFrom(...ids).map(clusterId), names: someNames }),
  {
    maxLength: 10,
  },
);

test('the order of what was found does not matter', () => {
  fc.assert(
    fc.property(someOwners, someCarried, fc.infiniteStream(fc.nat()), (owners, found, keys) => {
      const shuffled = found
        .map((one) => ({ one, key: keys.next().value ?? 0 }))
        .sort((p, q) => p.key - q.key)
        .map(({ one }) => ({ ...one, names: [...one.names].reverse() }));
      const [first, second] = [found, shuffled].map((list) => decideNames(owners as NameOwners, list));
      expect(second).toEqual(first);
      expect([...(second?.taken.keys() ?? [])]).toEqual([...(first?.taken.keys() ?? [])]);
    }),
  );
});

test('a cluster either owns all of its names or is named with an owner that contributes', () => {
  fc.assert(
    fc.property(someOwners, someCarried, (owners, found) => {
      const { owners: then, taken } = decideNames(owners as NameOwners, found);
      expect(then).toMatchObject(owners);
      for (const { cluster, names } of found) {
        if (!taken.has(cluster)) expect(namesNotOwned(cluster, names, then)).toEqual([]);
      }
      for (const [cluster, names] of taken) {
        for (const [name, owner] of Object.entries(names)) {
          expect(owner).not.toBe(cluster);
          expect(then[name]).toBe(owner);
          if (owners[name] === undefined) expect(taken.has(owner)).toBe(false);
        }
      }
    }),
  );
});

test('deciding again with the decided owners changes nothing', () => {
  fc.assert(
    fc.property(someOwners, someCarried, (owners, found) => {
      const first = decideNames(owners as NameOwners, found);
      expect(decideNames(first.owners, found)).toEqual(first);
    }),
  );
});

test('a person gives a name away, and a removed cluster loses its names', () => {
  const owners: NameOwners = { x: a, y: b, z: b };
  expect(ownersAfter(owners, undefined, {})).toEqual(owners);
  expect(ownersAfter(owners, { kind: 'give-name', cluster: c, name: 'x' }, {})).toEqual({ x: c, y: b, z: b });
  expect(ownersAfter(owners, undefined, { [b]: {} })).toEqual({ x: a });
  expect(ownersAfter(owners, { kind: 'give-name', cluster: c, name: 'y' }, { [b]: {} })).toEqual({
    x: a,
    y: c,
  });
});
