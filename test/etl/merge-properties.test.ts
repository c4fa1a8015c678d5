import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { FederationError } from '../../errors/federation-error';
import { encodeMerged, extractContribution, extractSet } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { type MergeInput, mergeSets } from '../../etl/merge';
import { type EtlSet, recordsOf, type SetOf } from '../../etl/model';
import { recordCost, recordCount, totalCost } from '../../etl/set-facts';
import { type Pipeline, pipelines } from '../../etl/window';
import { arbitrarySet, type SetOptions } from './arbitrary-sets';
import { propertyRuns } from './run-counts';
import { sameMeaning } from './same-meaning';

/**
 * Generates the sets of one to four clusters. Records have only a few different cluster names, so that records in
 * different sets often have the same identity.
 */
function inputsOf<P extends Pipeline>(
  pipeline: P,
  options: SetOptions = {},
): fc.Arbitrary<MergeInput<SetOf[P]>[]> {
  return fc
    .array(arbitrarySet(pipeline, options), { minLength: 1, maxLength: 4 })
    .map((sets) => sets.map((set, index) => ({ id: `cluster-${index}`, set })));
}

/** Generates the sets of three clusters. Records in different sets never have the same identity. */
function disjointInputs<P extends Pipeline>(pipeline: P): fc.Arbitrary<MergeInput<SetOf[P]>[]> {
  const one = (id: string) =>
    arbitrarySet(pipeline, { regular: true, clusters: [id] }).map((set) => ({ id, set }));
  return fc.tuple(one('a'), one('b'), one('c'));
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1);
}

/** Returns the cost of each record of a set, by the key of the record. */
function costs(set: EtlSet): Map<string, number> {
  const records = [...(recordsOf(set) ?? [])];
  return new Map(records.map(([key, record]) => [key, record === null ? 0 : recordCost(set.kind, record)]));
}

function total(inputs: readonly MergeInput<EtlSet>[]): number {
  return inputs.reduce((sum, { set }) => sum + totalCost(set), 0);
}

describe.each(pipelines)('merging %s', (pipeline) => {
  test('one set, or one and an empty one, changes nothing', () => {
    fc.assert(
      fc.property(arbitrarySet(pipeline, { regular: true }), (set) => {
        const alone = mergeSets(pipeline, [{ id: 'a', set }]);
        expect(sameMeaning(pipeline, alone.set, set)).toEqual([]);
        expect(alone.inputs[0]?.changed).toEqual([]);
        const empty = { ...set, [set.kind]: new Map() };
        expect(
          sameMeaning(
            pipeline,
            mergeSets(pipeline, [
              { id: 'a', set: empty },
              { id: 'b', set },
            ]).set,
            set,
          ),
        ).toEqual([]);
      }),
      propertyRuns(40, 1000),
    );
  });

  test('disjoint sets returns their union, in any order', () => {
    fc.assert(
      fc.property(disjointInputs(pipeline), (inputs) => {
        const merged = mergeSets(pipeline, inputs).set;
        expect(sameMeaning(pipeline, mergeSets(pipeline, [...inputs].reverse()).set, merged)).toEqual([]);
        expect(recordCount(merged)).toBe(inputs.reduce((sum, { set }) => sum + recordCount(set), 0));
        for (const { set } of inputs) {
          for (const [key, record] of recordsOf(set) ?? []) expect(recordsOf(merged)?.get(key)).toBe(record);
        }
      }),
      propertyRuns(30, 800),
    );
  });

  test('preserves the total cost, with or without collisions', () => {
    fc.assert(
      fc.property(inputsOf(pipeline), (inputs) => {
        expect(near(totalCost(mergeSets(pipeline, inputs).set), total(inputs))).toBe(true);
      }),
      propertyRuns(80, 2000),
    );
  });

  test('yields the same cost per record in any order', () => {
    fc.assert(
      fc.property(inputsOf(pipeline, { regular: true }), (inputs) => {
        const forwards = costs(mergeSets(pipeline, inputs).set);
        const backwards = costs(mergeSets(pipeline, [...inputs].reverse()).set);
        expect(backwards.size).toBe(forwards.size);
        for (const [key, cost] of forwards) expect(near(cost, backwards.get(key) ?? NaN)).toBe(true);
      }),
      propertyRuns(40, 1000),
    );
  });

  test('does not modify its inputs', () => {
    fc.assert(
      fc.property(inputsOf(pipeline), (inputs) => {
        const before = structuredClone(inputs);
        mergeSets(pipeline, inputs);
        if (!isDeepStrictEqual(inputs, before)) expect(inputs).toEqual(before);
      }),
      propertyRuns(20, 500),
    );
  });

  test('can be undone by extraction, and repeated with the same result', () => {
    fc.assert(
      fc.property(inputsOf(pipeline), (inputs) => {
        const merged = mergeSets(pipeline, inputs);
        const { bytes, contributions } = encodeMerged(merged);
        const stored = JSON.parse(JSON.stringify(contributions)) as typeof contributions;
        const again = stored.map((contribution) => ({
          id: contribution.id,
          set: decodeSet(pipeline, extractContribution(pipeline, bytes, contribution)),
        }));
        for (const [index, { id, set }] of inputs.entries()) {
          const extracted = again[index];
          expect(extracted?.id).toBe(id);
          if (!isDeepStrictEqual(extracted?.set, set)) expect(extracted?.set).toEqual(set);
          expect(stored[index]?.measure.records).toBe(recordCount(set));
        }
        expect(encodeMerged(mergeSets(pipeline, again)).bytes.equals(bytes)).toBe(true);
      }),
      propertyRuns(80, 2000),
    );
  });

  test('puts the records of each input into one byte range', () => {
    fc.assert(
      fc.property(inputsOf(pipeline), (inputs) => {
        const { contributions } = encodeMerged(mergeSets(pipeline, inputs));
        contributions.reduce((end, { offset, length }) => {
          expect(offset).toBe(end);
          return offset + length;
        }, contributions[0]?.offset ?? 0);
      }),
      propertyRuns(20, 300),
    );
  });

  test('no inputs is refused', () => {
    expect(() => mergeSets(pipeline, [])).toThrow(RangeError);
  });
});

test('refuses to extract a contribution that does not belong to the file', () => {
  fc.assert(
    fc.property(inputsOf('allocations', { regular: true }), (inputs) => {
      const { bytes, contributions } = encodeMerged(mergeSets('allocations', inputs));
      const [first] = contributions;
      if (first === undefined || first.entries === 0) return;
      const shifted = { ...first, length: first.length - 1 };
      expect(() => extractSet('allocations', bytes, shifted)).toThrow(FederationError);
      const beyond = { ...first, offset: bytes.length + 10 };
      expect(() => extractSet('allocations', bytes, beyond)).toThrow(FederationError);
      const before = { ...first, offset: -1 };
      expect(() => extractSet('allocations', bytes, before)).toThrow(FederationError);
    }),
    propertyRuns(20, 100),
  );
});
