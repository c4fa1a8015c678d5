import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSet } from '../../../etl/file';
import { parseWindowId } from '../../../etl/window';
import type { AllocationRow, AssetRow } from '../../../query/answer';
import { toColumns } from '../../../query/columns';
import { QueryEngine } from '../../../query/engine';
import type { AllocationRequest, AssetRequest } from '../../../query/request';
import { runs } from '../../etl/run-counts';
import { worldFiles } from '../made-up-sets';
import { referenceAllocations } from './allocations';
import { referenceAssets } from './assets';
import type { SetsOf } from './compare';
import type { StoredWorld } from './stored-sets';

/** An answer, with warnings if the implementation returns any. */
export type Answered<Row> = SetsOf<Row> & { readonly warnings?: readonly string[] };

/** An implementation that answers requests over one world. */
export interface Opened {
  allocations(request: AllocationRequest): Promise<Answered<AllocationRow>>;
  assets(request: AssetRequest): Promise<Answered<AssetRow>>;
  close(): Promise<void>;
}

/** An implementation of the query contract. */
export interface Implementation {
  readonly name: string;
  open(world: StoredWorld): Promise<Opened>;
}

/** The implementation that follows the contract literally. */
export const reference: Implementation = {
  name: 'the reference',
  open: async ({ allocations, assets }) => ({
    allocations: async (request) => referenceAllocations(allocations, assets, request),
    assets: async (request) => referenceAssets(assets, request),
    close: async () => undefined,
  }),
};

/** The query engine of the primary. It ingests the world's files. */
export const queryEngine: Implementation = {
  name: 'the query engine',
  open: async (world) => {
    const folder = await mkdtemp(join(tmpdir(), 'federated-etl-query-'));
    const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 1 });
    const files = worldFiles(world).map(({ path, bytes }) => {
      const ref = parseWindowId(path);
      if (ref === undefined) throw new Error(`${path} is not a window`);
      return { ...ref, digest: path, read: async () => toColumns(decodeSet(ref.pipeline, bytes)) };
    });
    await engine.serve(files, { ingestedAt: new Date().toISOString() });
    return {
      allocations: async (request) => engine.allocations(request),
      assets: async (request) => engine.assets(request),
      close: async () => {
        engine.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

/** The implementations that must return the values worked out in the contract. */
export const implementations: readonly Implementation[] = [reference, queryEngine];

/**
 * The implementations whose properties are tested. The engine is tested only in the long run, as each try fills a
 * database. In the short run, it is enough to compare it with the reference, whose properties are always tested.
 */
export const propertyImplementations: readonly Implementation[] = runs([reference], [reference, queryEngine]);

/** Opens a world, runs the queries of `ask`, and closes the world. */
export async function withWorld<T>(
  implementation: Implementation,
  world: StoredWorld,
  ask: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await implementation.open(world);
  try {
    return await ask(opened);
  } finally {
    await opened.close();
  }
}
