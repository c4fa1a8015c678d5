import fc from 'fast-check';
import { decodeSet } from '../../etl/file';
import type { Allocation } from '../../etl/model';
import { parseWindowId } from '../../etl/window';
import { isRolledUp } from '../../query/allocation-source';
import { toColumns } from '../../query/columns';
import { propertyRuns } from '../etl/run-counts';
import { openEngine } from './engine-over';
import { allocationRequests, madeUpWorlds, worldFiles } from './made-up-sets';
import { referenceAllocations } from './reference/allocations';
import { allocationDifferences } from './reference/compare';
import type { StoredWorld } from './reference/stored-sets';

const { numRuns = 0, seed } = propertyRuns(8, 200);
const requestsPerWorld = 10;

/**
 * Gives all allocations of a world (a generated data set) the same controller. If `sameLabels` is true, also gives all
 * allocations of a namespace the same labels. The engine uses rolled-up rows (sums by workload) only if containers do
 * not change their controller.
 */
function steady(world: StoredWorld, sameLabels: boolean): StoredWorld {
  const change = (record: Allocation | null): Allocation | null =>
    record?.properties == null
      ? record
      : {
          ...record,
          properties: {
            ...record.properties,
            controller: 'web',
            controllerKind: 'deployment',
            ...(sameLabels && { labels: new Map([['app', record.properties.namespace]]), annotations: null }),
          },
        };
  const allocations = world.allocations.map((stored) => ({
    ...stored,
    set: {
      ...stored.set,
      allocations:
        stored.set.allocations &&
        new Map([...stored.set.allocations].map(([key, one]) => [key, change(one)])),
    },
  }));
  return { ...world, allocations };
}

/**
 * Each world (a generated data set) gets a new database. In a shared database, a workload would also have the labels
 * from earlier worlds. If a workload has such mixed labels, the engine reads single allocations instead of rolled-up
 * rows.
 */
it('rolled-up rows, and allocations with mixed labels, agree with the contract', async () => {
  const sampled = { numRuns, seed };
  const requests = fc
    .sample(allocationRequests, { ...sampled, numRuns: numRuns * requestsPerWorld * 8 })
    .filter((request) => isRolledUp(request) && JSON.stringify(request).includes('"key"'));
  const workloads = { alike: 0, mixed: 0 };
  for (const [index, madeUp] of fc.sample(madeUpWorlds(), sampled).entries()) {
    const world = steady(madeUp, index % 3 === 0);
    const engine = await openEngine();
    try {
      const files = worldFiles(world).flatMap(({ path, bytes }) => {
        const ref = parseWindowId(path);
        const read = async () => toColumns(decodeSet(ref?.pipeline ?? 'assets', bytes));
        return ref === undefined ? [] : [{ ...ref, digest: path, read }];
      });
      await engine.serve(files, { ingestedAt: String(index) });
      await engine.withConnection(async (connection, { twins }) => {
        expect(twins.controllers).toBe(false);
        const found = await connection.runAndReadAll(
          'select count(*) filter (len(mixed_labels) = 0)::integer, count(*) filter (len(mixed_labels) > 0)::integer from workload',
        );
        const [alike, mixed] = found.getRowsJS()[0] ?? [];
        workloads.alike += Number(alike);
        workloads.mixed += Number(mixed);
      });
      for (let asked = 0; asked < requestsPerWorld; asked++) {
        const request = requests[(index * requestsPerWorld + asked) % requests.length];
        if (request === undefined) throw new Error('no request suits rolled-up rows');
        const expected = referenceAllocations(world.allocations, world.assets, request);
        const differences = allocationDifferences(
          expected,
          await engine.allocations(request),
          request.details,
        );
        expect({ index, request, differences }).toEqual({ index, request, differences: [] });
      }
    } finally {
      engine.dispose();
    }
  }
  // Ensure that both cases were tested: many workloads with constant labels, and many with mixed ones.
  expect(Math.min(workloads.alike, workloads.mixed)).toBeGreaterThan(numRuns);
});
