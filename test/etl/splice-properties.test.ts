import fc from 'fast-check';
import { extractContribution } from '../../etl/contribution';
import { decodeSet, encodeSet } from '../../etl/file';
import { isGzipped } from '../../etl/gzip';
import { hasTable } from '../../etl/string-table';
import { allocationVersions, assetVersions } from '../../etl/versions';
import { type Pipeline, pipelines } from '../../etl/window';
import { arbitraryFile, type SetOptions, type Writing } from './arbitrary-sets';
import { propertyRuns } from './run-counts';
import { expectSpliced, type SpliceInput } from './same-splice';
import { spliceSets } from './splice-sets';

/**
 * Generates the files of one to four clusters. Records have only a few different cluster names, so that records in
 * different files often have the same identity.
 */
function filesOf(
  pipeline: Pipeline,
  options: SetOptions = {},
  writings?: Writing[],
): fc.Arbitrary<SpliceInput[]> {
  return fc
    .array(arbitraryFile(pipeline, options, writings), { minLength: 1, maxLength: 4 })
    .map((files) => files.map((bytes, index) => ({ id: `cluster-${index}`, bytes })));
}

/** Generates the files of three clusters. Records in different files never have the same identity. */
function disjointFiles(pipeline: Pipeline, writings?: Writing[]): fc.Arbitrary<SpliceInput[]> {
  const one = (id: string) =>
    arbitraryFile(pipeline, { regular: true, clusters: [id] }, writings).map((bytes) => ({ id, bytes }));
  return fc.tuple(one('a'), one('b'), one('c'));
}

const versions = pipelines.flatMap((pipeline): [Pipeline, number][] => {
  const { oldest, newest } = pipeline === 'allocations' ? allocationVersions : assetVersions;
  return Array.from({ length: newest - oldest + 1 }, (_, index) => [pipeline, oldest + index]);
});

describe.each(pipelines)('spliced %s', (pipeline) => {
  test('equal those of the decoding merge for any content', () => {
    fc.assert(
      fc.property(filesOf(pipeline), (files) => {
        expectSpliced(pipeline, files);
      }),
      propertyRuns(120, 5000),
    );
  });

  test('equal those of the decoding merge if clusters collide in whole records', () => {
    fc.assert(
      fc.property(filesOf(pipeline, { regular: true }), (files) => {
        expectSpliced(pipeline, files);
      }),
      propertyRuns(50, 2000),
    );
  });

  test('have the same bytes if every record passes', () => {
    fc.assert(
      fc.property(disjointFiles(pipeline), (files) => {
        const { sameBytes, passed } = expectSpliced(pipeline, files);
        // The bytes may differ if the splice changed a record. This is possible although no identity occurs in two
        // files: two assets in the same file can have the same identity.
        expect(sameBytes || !passed).toBe(true);
      }),
      propertyRuns(50, 2000),
    );
  });

  test('equal those of the decoding merge if whole files have shorter windows than the result', () => {
    const one = (index: number) =>
      fc
        .nat(2)
        .chain((hours) =>
          arbitraryFile(pipeline, { regular: true, hours, clusters: [`cluster-${index % 2}`] }),
        )
        .map((bytes): SpliceInput => ({ id: `cluster-${index}`, bytes }));
    fc.assert(
      fc.property(fc.tuple(one(0), one(1), one(2)), (files) => {
        expectSpliced(pipeline, files);
      }),
      propertyRuns(60, 1500),
    );
  });

  test('have the same bytes if spliced from their extracted contributions', () => {
    fc.assert(
      fc.property(filesOf(pipeline, {}, ['ours']), (files) => {
        const { parts, contributions } = spliceSets(pipeline, files.map(copied));
        const merged = Buffer.concat([...parts]);
        const extracted = contributions.map((contribution): SpliceInput => ({
          id: contribution.id,
          bytes: extractContribution(pipeline, merged, contribution),
        }));
        const again = spliceSets(pipeline, extracted);
        if (!Buffer.concat([...again.parts]).equals(merged)) throw new Error('The bytes differ.');
        expect(again.contributions).toEqual(contributions);
      }),
      propertyRuns(60, 1000),
    );
  });
});

test.each(versions)('spliced %s of version %d equal those of the decoding merge', (pipeline, version) => {
  fc.assert(
    fc.property(filesOf(pipeline, { version }), (files) => {
      expectSpliced(pipeline, files);
    }),
    propertyRuns(20, 400),
  );
});

function copied({ id, bytes }: SpliceInput): SpliceInput {
  return { id, bytes: Buffer.from(bytes) };
}

test('the generated files cover collisions, passing, marks and every way of writing', () => {
  const found = new Set<string>();
  for (const files of fc.sample(filesOf('allocations', { regular: true }), { numRuns: 200, seed: 1 })) {
    for (const { bytes } of files) {
      if (!hasTable(bytes)) found.add(isGzipped(bytes) ? 'gzip' : 'no table');
      else if (!encodeSet(decodeSet('allocations', bytes)).equals(bytes)) found.add('odd table');
    }
    const { contributions } = spliceSets('allocations', files.map(copied));
    for (const { altered, entries, changed, marksOmitted } of contributions) {
      if (altered.length > 0) found.add('altered');
      if (changed.length > altered.length) found.add('added to another');
      if (entries > altered.length) found.add('passed');
      if (marksOmitted) found.add('usual marks');
    }
  }
  expect([...found].sort()).toEqual(
    ['added to another', 'altered', 'gzip', 'no table', 'odd table', 'passed', 'usual marks'].sort(),
  );
});
