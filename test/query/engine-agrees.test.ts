import fc from 'fast-check';
import { propertyRuns, runs } from '../etl/run-counts';
import { openEngine, serveWorld } from './engine-over';
import { allocationRequests, assetRequests, madeUpWorlds, pages } from './made-up-sets';
import { referenceAllocations } from './reference/allocations';
import { referenceAssets } from './reference/assets';
import { allocationDifferences, assetDifferences, orderDifferences } from './reference/compare';
import { pageOf } from './reference/order';

const { numRuns = 0, seed } = propertyRuns(15, 300);
const requestsPerWorld = runs(6, 12);

/**
 * Sends the same random requests about the same random ETL data to the query engine and to the reference
 * implementation. Both implement the query contract independently of each other, so their answers must agree.
 */
it('the engine agrees with the literal implementation of the contract', async () => {
  const engine = await openEngine();
  try {
    const sampled = { numRuns, seed };
    const worlds = fc.sample(madeUpWorlds(), sampled);
    const allocations = fc.sample(allocationRequests, { ...sampled, numRuns: numRuns * requestsPerWorld });
    const assets = fc.sample(assetRequests, { ...sampled, numRuns: numRuns * requestsPerWorld });
    const parts = fc.sample(pages, { ...sampled, numRuns: numRuns * requestsPerWorld });
    for (const [index, world] of worlds.entries()) {
      await serveWorld(engine, world, index);
      for (let asked = index * requestsPerWorld; asked < (index + 1) * requestsPerWorld; asked++) {
        const [request, ofAssets] = [allocations[asked], assets[asked]];
        if (request === undefined || ofAssets === undefined) continue;
        const expected = referenceAllocations(world.allocations, world.assets, request);
        const actual = await engine.allocations(request);
        const differences = allocationDifferences(expected, actual, request.details);
        if (differences.length === 0) differences.push(...orderDifferences(expected, actual, request.sort));
        expect({ index, request, differences }).toEqual({ index, request, differences: [] });
        const part = parts[asked] ?? { offset: 0 };
        const cut = actual.sets.map((set) => ({ ...set, rows: pageOf(set.rows, part) }));
        const page = await engine.allocations({ ...request, ...part });
        const torn = allocationDifferences({ sets: cut }, page, request.details);
        expect({ index, request, part, torn }).toEqual({ index, request, part, torn: [] });
        const assetsExpected = referenceAssets(world.assets, ofAssets);
        const assetDiff = assetDifferences(assetsExpected, await engine.assets(ofAssets));
        expect({ index, request: ofAssets, differences: assetDiff }).toEqual({
          index,
          request: ofAssets,
          differences: [],
        });
      }
    }
  } finally {
    engine.dispose();
  }
});
