import { startServer } from '../api/server';
import { startReadThreads, type ReadThreads } from '../activities/threads/read-threads';
import { federationOf } from '../operator/federation';
import { QueryEngine } from '../query/engine';
import { bundlePage } from '../web/bundle';
import { Releasers } from './releasers';
import type { RoleContext } from './role';

/** What answers queries on a primary. */
export interface PrimaryApi {
  readonly engine: QueryEngine;
  readonly threads: ReadThreads;
  close(): Promise<void>;
}

/** Opens the query database and serves the API and the page; they answer from the generation that was served last. */
export async function startPrimaryApi(context: RoleContext): Promise<PrimaryApi> {
  const { settings, bucket, client, names, log, registry } = context;
  const held = new Releasers();
  try {
    const { path: folder, memory: memoryLimit, threads: databaseThreads } = settings.query;
    const { api } = settings;
    const engine = await QueryEngine.open({
      folder,
      memoryLimit,
      threads: databaseThreads,
      limits: api.limits,
    });
    held.defer(async () => engine.close());
    const threads = startReadThreads();
    held.defer(() => threads.close());
    const operator = { settings, names, bucket: async () => bucket, temporal: async () => ({ client }) };
    const server = await startServer({
      listen: api.listen,
      answers: engine,
      federation: federationOf(operator, { temporalUi: settings.temporalUi }),
      cluster: settings.clusterId,
      currency: api.currency,
      aliases: api.aliases,
      utcOffsetSeconds: api.utcOffsetSeconds,
      assetsFlavour: api.assets,
      token: api.token,
      openRead: api.openRead,
      page: await bundlePage(),
      metrics: registry,
      log,
      revision: () => engine.state().ingestedAt ?? '',
    });
    held.defer(() => server.close());
    log.info({ event: 'api.listening', url: server.url }, `the API and the page are at ${server.url}`);
    return { engine, threads, close: () => held[Symbol.asyncDispose]() };
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}
