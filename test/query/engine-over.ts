import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeSet, encodeSet } from '../../etl/file';
import type { EtlSet } from '../../etl/model';
import { parseWindowFile, parseWindowId, type WindowRef } from '../../etl/window';
import { listWindowFiles } from '../../local-etl/list';
import { localEtl } from '../../local-etl/store';
import { toColumns } from '../../query/columns';
import { QueryEngine, type QueryEngineOptions } from '../../query/engine';
import type { WantedFile } from '../../query/ingest';
import { worldFiles } from './made-up-sets';
import type { StoredWorld } from './reference/stored-sets';

/** Folder with golden window files. OpenCost merged them from five clusters. */
export const combinedEtl = path.join(__dirname, '../golden/expected/federated/combined/etl');

/**
 * Opens an engine, with a new database unless `options.folder` has one. `dispose` closes the engine and deletes the
 * database.
 */
export async function openEngine(
  options: Partial<QueryEngineOptions> = {},
): Promise<QueryEngine & { dispose(): void }> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'query-'));
  const engine = await QueryEngine.open({ memoryLimit: '256MB', threads: 2, ...options, folder });
  return Object.assign(engine, {
    dispose: () => {
      engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** Lists the window files of a local ETL, in the form that `QueryEngine.serve` accepts. */
export async function wantedFrom(root: string): Promise<WantedFile[]> {
  const wanted: WantedFile[] = [];
  const store = localEtl(root);
  for await (const file of listWindowFiles(store)) {
    const bytes = readFileSync(path.join(store.bingen, file.path));
    wanted.push({
      ...file.ref,
      digest: file.path,
      read: async () => toColumns(decodeSet(file.ref.pipeline, bytes)),
    });
  }
  return wanted.sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/**
 * Makes a window file that contains `set`. `window` is the path of the file, such as `allocations/1d/<start>-<end>`.
 */
export function wantedSet(window: string, set: EtlSet, digest = 'made by hand'): WantedFile {
  const ref = parseWindowFile(window)?.ref as WindowRef;
  const bytes = encodeSet(set);
  return { ...ref, digest, read: async () => toColumns(decodeSet(ref.pipeline, bytes)) };
}

/**
 * Makes an engine serve the files of `world` instead of those that it served before. Each world needs a different
 * `index`. The index becomes part of the digests, by which the engine recognizes files that it has already ingested.
 */
export async function serveWorld(engine: QueryEngine, world: StoredWorld, index: number): Promise<void> {
  const files = worldFiles(world).map(({ path: id, bytes }): WantedFile => {
    const ref = parseWindowId(id);
    if (ref === undefined) throw new Error(`${id} is not a window`);
    const read = async () => toColumns(decodeSet(ref.pipeline, bytes));
    return { ...ref, digest: `${index} ${id}`, read };
  });
  await engine.serve(files, { ingestedAt: String(index) });
}

/** Opens an engine that serves the golden files. */
export async function goldenEngine(options: Partial<QueryEngineOptions> = {}) {
  const engine = await openEngine(options);
  await engine.serve(await wantedFrom(combinedEtl), {
    generation: 7,
    committedAt: '2026-11-17T00:30:00Z',
    ingestedAt: '2026-11-17T00:31:00Z',
  });
  return engine;
}
