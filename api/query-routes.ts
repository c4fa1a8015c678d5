import type { FastifyInstance } from 'fastify';
import { type Query, readParameters } from '../query/parse-parameters';
import { parseWindow } from '../query/parse-window';
import type { RequestDefaults } from '../query/request-defaults';
import type { Access } from './access';
import { registerEmptyRoutes } from './empty-routes';
import type { RequestMetrics } from './metrics';
import type { ServerOptions } from './options';
import { type Flavour, queryKinds, type Route } from './query-kinds';
import { answerSender } from './send-answer';
import { summaryParts, toplineParts } from './summary-json';

/** Registers the routes of Kubecost's and OpenCost's query API. */
export function registerQueryRoutes(
  app: FastifyInstance,
  options: ServerOptions,
  access: Access,
  metrics: RequestMetrics,
): void {
  const { answers, aliases, utcOffsetSeconds, now = () => Math.floor(Date.now() / 1_000) } = options;
  // Round the current time down to the minute, so that requests within the same minute share an answer in the cache.
  const defaults = (flavour: Flavour): RequestDefaults => ({
    flavour,
    now: Math.floor(now() / 60) * 60,
    utcOffsetSeconds,
    aliases,
  });
  const { allocation, summary, assets, autocomplete } = queryKinds(answers, defaults);
  const send = answerSender(options, access, metrics);

  const routes: Record<string, Route> = {
    '/allocation': allocation('opencost'),
    '/allocation/compute': allocation('opencost'),
    '/model/allocation': allocation('kubecost'),
    '/model/allocation/compute': allocation('opencost'),
    '/allocation/summary': summary('summaries', 'opencost', summaryParts),
    '/allocation/compute/summary': summary('summaries', 'opencost', summaryParts),
    '/model/allocation/summary': summary('summaries', 'kubecost', summaryParts),
    '/model/allocation/compute/summary': summary('summaries', 'opencost', summaryParts),
    '/allocation/summary/topline': summary('toplines', 'opencost', toplineParts),
    '/model/allocation/summary/topline': summary('toplines', 'kubecost', toplineParts),
    '/assets': assets('opencost'),
    '/model/assets': assets(options.assetsFlavour),
    '/allocation/autocomplete': autocomplete('allocations'),
    '/model/allocation/autocomplete': autocomplete('allocations'),
    '/assets/autocomplete': autocomplete('assets'),
    '/model/assets/autocomplete': autocomplete('assets'),
  };
  for (const [path, route] of Object.entries(routes)) {
    app.get(path, (request, reply) => {
      const { parameters, warnings } = readParameters(request.query as Query, route);
      return send(request, reply, route.ask(parameters), warnings);
    });
  }
  registerEmptyRoutes(app, (parameters) =>
    parseWindow(parameters['window'] ?? 'today', defaults('opencost')),
  );
}
