import { type ReadThreads, startReadThreads } from '../activities/threads/read-threads';
import { startServer } from '../api/server';
import type { ReadToken } from '../config/read-tokens';
import { FederationError } from '../errors/federation-error';
import { federationOf } from '../operator/federation';
import type { DataState } from '../query/answer';
import { QueryEngine } from '../query/engine';
import type { Bucket } from '../storage/bucket';
import { bundlePage } from '../web/bundle';
import { mostUnpacked } from './capacity';
import { registerQueryMetrics } from './query-metrics';
import { Releasers } from './releasers';
import type { RoleContext } from './role';

/** What a primary needs to answer queries. A connection to Temporal or to the store is not necessary. */
export interface PrimaryContext extends Pick<RoleContext, 'settings' | 'names' | 'log' | 'registry'> {
  /** Returns the bucket. Throws STORE_CONFIG_INVALID while the file that describes it is invalid. */
  bucket(): Promise<Bucket>;
  /** Returns the client for Temporal, or undefined if it is not connected yet. */
  client(): RoleContext['client'] | undefined;
  /** Returns the operator token that is valid now. */
  token(): string | undefined;
  /** Returns the read tokens that are valid now. */
  readTokens(): readonly ReadToken[];
}

/** The query API of a primary. */
export interface PrimaryApi {
  readonly engine: QueryEngine;
  readonly threads: ReadThreads;
  /** Returns why the primary cannot answer queries yet, or undefined if it can. */
  unserved(): string | undefined;
  close(): Promise<void>;
}

/**
 * Opens the query database, then serves the query API and the web page. Both use the last ingested generation. Until
 * Temporal is connected, requests that need it fail at once with TEMPORAL_UNAVAILABLE.
 */
export async function startPrimaryApi(context: PrimaryContext): Promise<PrimaryApi> {
  const { settings, names, log, registry } = context;
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
    if (engine.isReadOnly)
      log.warn(
        { event: 'query.read-only', folder },
        `the volume of ${folder} is read-only, so the primary serves what was ingested before, and nothing newer`,
      );
    registerQueryMetrics(registry, engine, folder);
    const threads = startReadThreads({ mostUnpacked: mostUnpacked() });
    held.defer(() => threads.close());
    const temporal = async () => {
      const client = context.client();
      if (client !== undefined) return { client };
      throw new FederationError('TEMPORAL_UNAVAILABLE', {
        detail: `This primary is not connected to Temporal at ${settings.temporal.address}.`,
      });
    };
    const operator = { settings, names, bucket: () => context.bucket(), temporal };
    const server = await startServer({
      listen: api.listen,
      answers: engine,
      federation: federationOf(operator, { temporalUi: settings.temporalUi }),
      cluster: settings.clusterId,
      currency: api.currency,
      aliases: api.aliases,
      utcOffsetSeconds: api.utcOffsetSeconds,
      assetsFlavour: api.assets,
      token: () => context.token(),
      readTokens: () => context.readTokens(),
      openRead: api.openRead,
      origins: api.origins,
      hosts: api.hosts,
      page: await bundlePage(),
      metrics: registry,
      log,
      revision: () => engine.state().ingestedAt ?? '',
    });
    held.defer(() => server.close());
    log.info({ event: 'api.listening', url: server.url }, `the API and the page are at ${server.url}`);
    return {
      engine,
      threads,
      unserved: () => unserved(engine.state()),
      close: () => held[Symbol.asyncDispose](),
    };
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}

/** Returns the reason why a primary with data in this state cannot answer queries, or undefined if it can. */
export function unserved({ empty, ingesting, refused }: DataState): string | undefined {
  if (!empty) return undefined;
  if (ingesting !== undefined) return `ingests what was pulled: ${ingesting.done} of ${ingesting.of} windows`;
  if (refused !== undefined) return `cannot serve what was pulled (${refused.code})`;
  return 'nothing was pulled yet';
}
