import type { FastifyInstance } from 'fastify';
import { FederationError } from '../errors/federation-error';
import type { Parameters } from '../query/legacy-filters';
import type { Span } from '../query/span';
import { envelope, jsonArray, jsonWindow } from './json';
import { parametersOf } from './request-parameters';

/**
 * Registers the routes of features for which there is no data here. Pages of the OpenCost UI that show such data get
 * empty answers instead of errors. Requests for features that are not built are refused.
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
      // Refuse in `onRequest`, before the body is read, so that its type does not matter.
      app.route({ method: ['GET', 'POST'], url: `${prefix}${path}`, onRequest: refuse, handler: refuse });
    }
  }
}
