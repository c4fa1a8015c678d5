import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings } from '../config/settings';
import { QueryEngine } from '../query/engine';

export interface OpenEngineOptions {
  /** Folder to keep the database in. (Default: a temporary one, removed with the engine) */
  readonly folder?: string;
  /** The engine's memory limit, in DuckDB's notation: `256MB`. (Default: the one of `query.memory`) */
  readonly memoryLimit?: string;
  /** The verb that needs the engine; part of the temporary folder's name. */
  readonly verb: string;
}

/** Opens a query engine for one command, with the defaults of the settings. Use it with `await using`. */
export async function openEngine({
  folder,
  memoryLimit,
  verb,
}: OpenEngineOptions): Promise<QueryEngine & AsyncDisposable> {
  const { api, query } = defaultSettings();
  const used = folder ?? (await mkdtemp(join(tmpdir(), `federated-etl-${verb}-`)));
  const removeTemporary = async () => {
    if (folder === undefined) await rm(used, { recursive: true, force: true });
  };
  try {
    const engine = await QueryEngine.open({
      folder: used,
      memoryLimit: memoryLimit ?? query.memory,
      threads: query.threads,
      limits: api.limits,
    });
    return Object.assign(engine, {
      async [Symbol.asyncDispose]() {
        engine.close();
        await removeTemporary();
      },
    });
  } catch (error) {
    await removeTemporary();
    throw error;
  }
}
