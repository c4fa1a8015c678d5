import type { FastifyInstance } from 'fastify';
import { FederationError } from '../errors/federation-error';
import type { Parameters } from '../query/legacy-filters';
import type { Span } from '../query/span';
import { envelope, jsonArray, jsonWindow } from './json';
import { parametersOf } from './request-parameters';

/**
 * Registers routes for which this server has no data or no implementation. Routes for cloud costs and custom costs
 * return empty answers, so that the OpenCost UI shows empty pages instead of errors. The other routes refuse every
 * request with QUERY_NOT_BUILT.
 */
export function registerEmptyRoutes(app: FastifyInstance, windowOf: (parameters: Parameters) => Span): void {
  const window = (parameters: Parameters) => jsonWindow(windowOf(parameters));
  const empty: Record<string, (parameters: Parameters) => string> = {
    '/cloudCost': (parameters) => `{"sets":[],"window":${window(parameters)}}`,
    '/cloudCost/view/graph': () => jsonArray([]),
    '/cloudCost/view/totals': () => '{"numResults":0,"combined":null}',
    '/cloudCost/view/table': () => jsonArray([]),
    '/cloudCost/status': () => jsonArray([]),
    '/cloudCost/*': () => jsonArray([]),
    '/customCost/total': (parameters) =>
      `{"customCosts":[],"totalBilledCost":0,"window":${window(parameters)}}`,
    '/customCost/*': () => jsonArray([]),
    '/customCost/timeseries': (parameters) => `{"timeseries":[],"window":${window(parameters)}}`,
  };
  for (const [path, data] of Object.entries(empty)) {
    for (const prefix of ['', '/model']) {
      app.get(`${prefix}${path}`, (request, reply) =>
        reply.type('application/json; charset=utf-8').send(envelope(data(parametersOf(request)))),
      );
    }
  }
  const unbuilt = [
    '/savings',
    '/savings/*',
    '/prediction',
    '/prediction/*',
    '/assets/carbon',
    '/assets/diff',
    '/allocation/trends',
    '/budgets',
    '/budgets/*',
    '/collections',
    '/collections/*',
  ];
  for (const path of unbuilt) {
    for (const prefix of ['', '/model']) {
      const refuse = async () => {
        throw new FederationError('QUERY_NOT_BUILT', {
          detail: `${path.replace(/\/\*$/, '')} is not part of this version.`,
        });
      };
      // Refuse before the body is read. Otherwise, a body of an unsupported type would cause a different error.
      app.route({ method: ['GET', 'POST'], url: `${prefix}${path}`, onRequest: refuse, handler: refuse });
    }
  }
}
