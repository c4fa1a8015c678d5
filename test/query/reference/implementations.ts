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

/** An answer of any implementation. Only the query engine adds warnings. */
export type Answered<Row> = SetsOf<Row> & { readonly warnings?: readonly string[] };

/** An opened implementation. It answers requests about one world, which is a set of generated ETL files. */
export interface Opened {
  allocations(request: AllocationRequest): Promise<Answered<AllocationRow>>;
  assets(request: AssetRequest): Promise<Answered<AssetRow>>;
  close(): Promise<void>;
}

/** An implementation of the query contract that tests can open. */
export interface Implementation {
  readonly name: string;
  open(world: StoredWorld): Promise<Opened>;
}

/** The reference implementation, which follows the query contract literally. */
export const reference: Implementation = {
  name: 'the reference',
  open: async ({ allocations, assets }) => ({
    allocations: async (request) => referenceAllocations(allocations, assets, request),
    assets: async (request) => referenceAssets(assets, request),
    close: async () => undefined,
  }),
};

/** The query engine, as the primary uses it. It ingests the files into a new database. */
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

/** Implementations that must return the values of the worked examples in the query contract. */
export const implementations: readonly Implementation[] = [reference, queryEngine];

/**
 * Implementations that are tested with generated requests. The short test run omits the query engine, because it would
 * have to fill a database for each world. Another test compares the engine with the reference.
 */
export const propertyImplementations: readonly Implementation[] = runs([reference], [reference, queryEngine]);

/** Opens an implementation with a world, calls `ask`, and closes the implementation. */
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
