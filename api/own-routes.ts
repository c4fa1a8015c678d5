import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FederationError, isFederationError } from '../errors/federation-error';
import { ownValue } from '../etl/own-value';
import type { ClusterCoverage } from '../query/answer';
import { invalid } from '../query/invalid';
import { timeText } from '../query/notes';
import type { Access } from './access';
import type { ClusterView, Federation, StatusView } from './contract';
import { withoutPaths } from './failures';
import type { ServerOptions } from './options';
import { parametersOf } from './request-parameters';

const version = '0.1.0';

/**
 * Registers the routes that return the federation's state, the routes for operator actions, and OpenCost's routes that
 * describe the server, such as `/clusterInfo`.
 */
export function registerOwnRoutes(app: FastifyInstance, options: ServerOptions, access: Access): void {
  const { answers, federation, cluster, currency } = options;

  const status = async (): Promise<StatusView> => {
    const { clusters, ...served } = answers.state();
    const coverage = new Map(clusters.map((one) => [one.cluster, one]));
    const said = await ofFederation();
    const known = new Map((said?.clusters ?? []).map((one) => [one.cluster, one]));
    const ids = [...new Set([...known.keys(), ...coverage.keys()])].sort();
    return {
      kind: federation === undefined ? 'local' : 'primary',
      ...(cluster !== undefined && { cluster }),
      currency,
      served,
      clusters: ids.map((id) => ({
        membership: 'in' as const,
        ...known.get(id),
        ...viewCoverage(id, coverage.get(id)),
      })),
      ...(said?.hold !== undefined && { hold: said.hold }),
      notes: said?.notes ?? [],
      skew: said?.skew ?? [],
      canAct: federation !== undefined && access.canAct,
      ...(said?.temporalUi !== undefined && { temporalUi: said.temporalUi }),
      ...(said?.schedule !== undefined && { schedule: said.schedule }),
      conditions: (said?.conditions ?? []).map((one) => ({
        ...one,
        ...(one.reason !== undefined && { reason: withoutPaths(one.reason) }),
      })),
      toDo: (said?.toDo ?? []).map(withoutPaths),
      missing: said?.missing ?? [],
    };
  };

  /**
   * Reads the state of the federation. If the federation is unreachable, returns an empty state with an explanation
   * instead of throwing, because the status must still show the served data.
   */
  const ofFederation = async (): Promise<Awaited<ReturnType<Federation['status']>> | undefined> => {
    try {
      return await federation?.status();
    } catch (error) {
      if (!isFederationError(error)) throw error;
      const why = `${withoutPaths(error.detail)} (${error.code})`;
      return {
        clusters: [],
        notes: [],
        skew: [],
        conditions: [],
        toDo: [],
        missing: [`The state of the federation could not be read: ${why}`],
      };
    }
  };

  const clusterInfos = async (): Promise<Record<string, Record<string, string>>> => {
    const views = (await status()).clusters;
    return Object.fromEntries(views.map((view) => [view.cluster, clusterInfo(view)]));
  };

  get('/clusterInfo', async () => ({
    id: cluster ?? 'local',
    name: cluster ?? 'local',
    profile: 'production',
    provider: '',
    account: '',
    project: '',
    region: '',
    provisioner: '',
    version,
  }));
  get('/clusterInfoMap', clusterInfos);
  get('/getConfigs', async () => ({ currencyCode: currency }));
  get('/version', async () => ({ version }));

  app.get('/api/status', async (_, reply) => ok(reply, await status()));
  app.get('/api/federations', async (request, reply) => {
    const limit = limitOf(parametersOf(request)['limit']);
    return ok(reply, { federations: (await federation?.federations(limit)) ?? [] });
  });
  app.get('/api/generations', async (_, reply) =>
    ok(reply, { generations: (await federation?.generations()) ?? [] }),
  );
  app.get('/api/generations/diff', async (request, reply) => {
    const parameters = parametersOf(request);
    const [from, to] = ['from', 'to'].map((name) => generationOf(name, ownValue(parameters, name)));
    return ok(reply, await required().diff(from ?? 0, to ?? 0));
  });

  action('/api/clusters/:id/exclude', (wanted, { id = '' }, { reason }) =>
    wanted.exclude(id, textOf(reason)),
  );
  action('/api/clusters/:id/include', (wanted, { id = '' }) => wanted.include(id));
  action('/api/federations', (wanted, _, { why }) => wanted.federate(textOf(why)));
  action('/api/federations/:run/replay', (wanted, { run = '' }) => wanted.replay(run));

  function get(path: string, data: () => Promise<unknown>): void {
    for (const prefix of ['', '/model'])
      app.get(`${prefix}${path}`, async (_, reply) => ok(reply, await data()));
  }

  function required(): Federation {
    if (federation !== undefined) return federation;
    throw new FederationError('QUERY_NOT_BUILT', {
      detail: 'This server serves only a local ETL store: there is no federation.',
      hint: 'Ask the primary of the federation.',
    });
  }

  function action(
    path: string,
    act: (
      federation: Federation,
      parameters: Record<string, string>,
      body: Record<string, unknown>,
    ) => Promise<{ message: string }>,
  ): void {
    // Check the headers in `onRequest`, before the body is read.
    const onRequest = async (request: FastifyRequest) => {
      await access.requireAct(request);
      // Accept only JSON, to prevent cross-site request forgery: a form on another site cannot send JSON.
      if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
        throw Object.assign(new Error('Actions need content-type application/json.'), {
          statusCode: 415,
        });
      }
    };
    app.post(path, { onRequest }, async (request: FastifyRequest, reply) => {
      const body = (request.body ?? {}) as Record<string, unknown>;
      const answer = await act(required(), request.params as Record<string, string>, body);
      options.log.info({ event: 'api.action', path: request.url }, answer.message);
      return ok(reply, answer);
    });
  }
}

function ok(reply: FastifyReply, data: unknown): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ code: 200, status: 'success', data }));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 500) : undefined;
}

const mostRuns = 200;

function limitOf(text: string | undefined): number {
  if (text === undefined || text === '') return 50;
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw invalid('limit', text, 'is not a number of runs.');
  return Math.min(mostRuns, Number(text));
}

function generationOf(name: string, text: string | undefined): number {
  if (/^\d{1,9}$/.test(text ?? '')) return Number(text);
  throw new FederationError('QUERY_INVALID', {
    subject: { parameter: name },
    detail: `Invalid '${name}' parameter: it takes the number of a generation.`,
  });
}

function viewCoverage(
  cluster: string,
  coverage: ClusterCoverage | undefined,
): Pick<ClusterView, 'cluster' | 'firstData' | 'lastData' | 'allocations' | 'windows'> {
  return {
    cluster,
    ...(coverage !== undefined && {
      firstData: timeText(coverage.firstData),
      lastData: timeText(coverage.lastData),
    }),
    allocations: coverage?.allocations ?? 0,
    windows: Object.entries(coverage?.windows ?? {}).map(([name, held]) => {
      const [pipeline = '', resolution = ''] = name.split('/');
      return { pipeline, resolution, held, missing: ownValue(coverage?.missing, name) ?? 0 };
    }),
  };
}

function clusterInfo({ cluster, firstData, lastData, windows }: ClusterView): Record<string, string> {
  return {
    id: cluster,
    name: cluster,
    profile: 'production',
    provider: '',
    account: '',
    project: '',
    region: '',
    provisioner: '',
    ...(firstData !== undefined && { firstData }),
    ...(lastData !== undefined && { lastData }),
    setsMissing: String(windows.reduce((sum, { missing }) => sum + missing, 0)),
  };
}
