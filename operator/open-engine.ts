import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings } from '../config/settings';
import { QueryEngine } from '../query/engine';

export interface OpenEngineOptions {
  /** Folder of the database. If undefined, a temporary folder is created, and is removed when the engine is closed. */
  readonly folder?: string;
  /**
   * The engine's memory limit in DuckDB's notation, such as `256MB`. (Default: the default value of the setting
   * `query.memory`)
   */
  readonly memoryLimit?: string;
  /** Name of the verb that needs the engine. It becomes part of the temporary folder's name. */
  readonly verb: string;
}

/** Opens a query engine for one verb, with the default settings. Use it with `await using`, which closes it. */
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
