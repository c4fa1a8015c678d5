import fc from 'fast-check';
import { decodeSet } from '../../etl/file';
import { parseWindowId } from '../../etl/window';
import { toColumns } from '../../query/columns';
import type { QueryEngine } from '../../query/engine';
import { propertyRuns } from '../etl/run-counts';
import { openEngine } from './engine-over';
import { allocationRequests, assetRequests, madeUpWorlds, worldFiles } from './made-up-sets';
import { allocationDifferences, assetDifferences } from './reference/compare';
import { referenceAllocations } from './reference/allocations';
import { referenceAssets } from './reference/assets';
import type { StoredWorld } from './reference/stored-sets';

jest.setTimeout(900_000);
const { numRuns = 0, seed } = propertyRuns(15, 300);
const requestsPerWorld = 12;

/** Makes an engine serve a world in place of the one before. */
async function serveWorld(engine: QueryEngine, world: StoredWorld, index: number): Promise<void> {
  const files = worldFiles(world).map(({ path, bytes }) => {
    const ref = parseWindowId(path);
    if (ref === undefined) throw new Error(`${path} is no window`);
    return {
      ...ref,
      digest: `${index} ${path}`,
      read: async () => toColumns(decodeSet(ref.pipeline, bytes)),
    };
  });
  await engine.serve(files, { ingestedAt: String(index) });
}

/** Two implementations of one contract, by different hands: random worlds, random questions. */
it('the engine answers as the contract says, word by word', async () => {
  const engine = await openEngine();
  try {
    const sampled = { numRuns, seed };
    const worlds = fc.sample(madeUpWorlds(), sampled);
    const allocations = fc.sample(allocationRequests, { ...sampled, numRuns: numRuns * requestsPerWorld });
    const assets = fc.sample(assetRequests, { ...sampled, numRuns: numRuns * requestsPerWorld });
    for (const [index, world] of worlds.entries()) {
      await serveWorld(engine, world, index);
      for (let asked = index * requestsPerWorld; asked < (index + 1) * requestsPerWorld; asked++) {
        const [request, ofAssets] = [allocations[asked], assets[asked]];
        if (request === undefined || ofAssets === undefined) continue;
        const expected = referenceAllocations(world.allocations, world.assets, request);
        const differences = allocationDifferences(
          expected,
          await engine.allocations(request),
          request.details,
        );
        expect({ index, request, differences }).toEqual({ index, request, differences: [] });
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
