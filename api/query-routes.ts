import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FederationError } from '../errors/federation-error';
import { timeText } from '../query/notes';
import type { AnswerNotes } from '../query/answer';
import { invalid } from '../query/invalid';
import type { Parameters } from '../query/legacy-filters';
import { type Asked, firstValues, type Query, readParameters } from '../query/parse-parameters';
import {
  parseAllocationRequest,
  parseAssetRequest,
  parseAutocompleteRequest,
  type RequestDefaults,
} from '../query/parse-request';
import { parseWindow } from '../query/parse-window';
import type { AllocationRequest } from '../query/request';
import type { Span } from '../query/span';
import { sanitizeKey } from '../query/sanitize';
import { cutSteps } from '../query/steps';
import { allocationSetsParts } from './allocation-json';
import { AnswerCache, type Rendered } from './answer-cache';
import { assetSetParts, assetSetsParts } from './asset-json';
import { bodyOf } from './body';
import { allocationCsv, assetCsv, summaryCsv } from './csv';
import { envelope, envelopeParts, jsonArray, jsonWindow, type Parts, warningText } from './json';
import type { RequestMetrics } from './metrics';
import type { ServerOptions } from './options';
import { summaryParts, toplineParts } from './summary-json';

type Flavour = RequestDefaults['flavour'];

/** A parsed query. */
interface Question {
  /** Identifies the query independent of its spelling. */
  readonly key: unknown;
  /** Name of the CSV file; undefined for JSON. */
  readonly csv: string | undefined;
  /** Answers with CSV, or with `data` in JSON. */
  answer(signal: AbortSignal): Promise<{ notes: AnswerNotes; parts: (this: void) => Parts }>;
}

/** The kind of query of a route, and how its parameters are parsed. */
interface Route extends Asked {
  ask(this: void, parameters: Parameters): Question;
}

/** Registers the routes of Kubecost's and OpenCost's query API. */
export function registerQueryRoutes(
  app: FastifyInstance,
  options: ServerOptions,
  metrics: RequestMetrics,
): void {
  const { answers, aliases, utcOffsetSeconds, now = () => Math.floor(Date.now() / 1_000) } = options;
  const cache = new AnswerCache();
  // Rounded down to the minute, so that repeated requests share an answer.
  const defaults = (flavour: Flavour): RequestDefaults => ({
    flavour,
    now: Math.floor(now() / 60) * 60,
    utcOffsetSeconds,
    aliases,
  });

  const allocation = (flavour: Flavour): Route => ({
    of: 'allocations',
    flavour,
    ask: (parameters) => {
      const request = settle(parseAllocationRequest(parameters, defaults(flavour)));
      const labels = list(parameters['labelColumns']).map(sanitizeKey);
      const csv = csvName('allocations', parameters, request);
      return {
        key: ['allocation', csv, labels, request],
        csv,
        answer: async (signal) => {
          const notes = await answers.allocations(request, signal);
          return {
            notes,
            parts: () => (csv !== undefined ? allocationCsv(notes, labels) : allocationSetsParts(notes.sets)),
          };
        },
      };
    },
  });
  const summary = (
    of: 'summaries' | 'toplines',
    flavour: Flavour,
    itemParts: typeof summaryParts,
  ): Route => ({
    of,
    flavour,
    ask: (parameters) => {
      const request = settle({ ...parseAllocationRequest(parameters, defaults(flavour)), details: false });
      const csv = csvName('summary', parameters, request);
      const adjusted = flavour === 'kubecost';
      return {
        key: [of, adjusted, csv, request],
        csv,
        answer: async (signal) => {
          const notes = await answers.allocations(request, signal);
          return {
            notes,
            parts: () => (csv !== undefined ? summaryCsv(notes, adjusted) : itemParts(notes, adjusted)),
          };
        },
      };
    },
  });
  const assets = (flavour: Flavour): Route => ({
    of: 'assets',
    flavour,
    ask: (parameters) => {
      const request = settle(parseAssetRequest(parameters, defaults(flavour)));
      const labels = list(parameters['labelColumns']).map(sanitizeKey);
      const csv = csvName('assets', parameters, request);
      return {
        key: ['assets', flavour, csv, labels, request],
        csv,
        answer: async (signal) => {
          const notes = await answers.assets(request, signal);
          const [first = { window: request.window, rows: [] }] = notes.sets;
          const data = () => (flavour === 'opencost' ? assetSetParts(first) : assetSetsParts(notes.sets));
          return { notes, parts: () => (csv !== undefined ? assetCsv(notes, labels) : data()) };
        },
      };
    },
  });
  const valuesOf = { allocations: 'allocation values', assets: 'asset values' } as const;
  const autocomplete = (of: keyof typeof valuesOf): Route => ({
    of: valuesOf[of],
    flavour: 'opencost',
    ask: (parameters) => {
      const request = parseAutocompleteRequest(of, parameters, defaults('opencost'));
      return {
        key: ['autocomplete', request],
        csv: undefined,
        answer: async (signal) => {
          const { generation } = answers.state();
          const data = await answers.autocomplete(request, signal);
          return {
            notes: { warnings: [], ...(generation !== undefined && { generation }) },
            parts: () => [JSON.stringify({ data })],
          };
        },
      };
    },
  });

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

  async function send(
    request: FastifyRequest,
    reply: FastifyReply,
    question: Question,
    asked: readonly string[],
  ): Promise<FastifyReply> {
    if (answers.state().empty) {
      throw new FederationError('QUERY_NO_DATA', {
        detail: 'No federation has been committed yet, or none was pulled.',
        retryAfterMs: 30_000,
      });
    }
    const key = JSON.stringify([options.revision(), answers.state().refused?.message, asked, question.key]);
    const tag = `"${createHash('sha256').update(key).digest('base64url').slice(0, 27)}"`;
    reply.header('etag', tag).header('cache-control', 'private, no-cache');
    if (matches(request.headers['if-none-match'], tag)) {
      metrics.answered('client');
      return reply.code(304).send();
    }
    const gone = new AbortController();
    const leave = () => gone.abort(new Error('The client is gone.'));
    reply.raw.once('close', leave);
    try {
      const started = performance.now();
      const { rendered, origin } = await cache.get(
        key,
        (signal) => work(question, asked, signal),
        gone.signal,
      );
      metrics.answered(origin);
      const total = tenths(performance.now() - started);
      const worked = `query;dur=${rendered.queryMs}, render;dur=${rendered.renderMs}, total;dur=${total}`;
      const timing = { cache: 'cache;desc="hit"', shared: 'cache;desc="shared"', query: worked }[origin];
      reply.headers({ ...rendered.headers, 'server-timing': timing });
      if (question.csv !== undefined) {
        reply.header('content-disposition', `attachment; filename="${question.csv}"`);
      }
      return reply
        .type(question.csv === undefined ? 'application/json; charset=utf-8' : 'text/csv; charset=utf-8')
        .send(rendered.body);
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      // Nobody reads it, but in the log and the metrics a 500 would look like a fault.
      return reply.code(clientClosedRequest).send();
    } finally {
      reply.raw.off('close', leave);
    }
  }

  /** `asked`: the warnings about the parameters. */
  async function work(question: Question, asked: readonly string[], signal: AbortSignal): Promise<Rendered> {
    const started = performance.now();
    const { notes, parts } = await question.answer(signal);
    const answered = performance.now();
    const warnings = [...asked, ...notes.warnings];
    const body = await bodyOf(
      question.csv === undefined ? envelopeParts(parts(), warnings) : parts(),
      signal,
    );
    const until = Math.max(0, ...answers.state().clusters.map(({ lastData }) => lastData));
    return {
      body,
      queryMs: tenths(answered - started),
      renderMs: tenths(performance.now() - answered),
      headers: {
        ...(notes.generation !== undefined && { 'x-federated-etl-generation': String(notes.generation) }),
        ...(until > 0 && { 'x-federated-etl-data-until': timeText(until) }),
        ...(warnings.length > 0 && { 'x-federated-etl-warning': headerText(warningText(warnings)) }),
      },
    };
  }

  registerEmptyRoutes(app, (parameters) =>
    parseWindow(parameters['window'] ?? 'today', defaults('opencost')),
  );
}

/** As in nginx: the client disconnected before it was answered. */
const clientClosedRequest = 499;

/**
 * Caps the current time at the end of the requested data: after that it does not affect the answer, so later requests can
 * share the cached one.
 */
function settle<T extends Pick<AllocationRequest, 'window' | 'step' | 'accumulate' | 'now'>>(request: T): T {
  const { window, step, accumulate, now } = request;
  const last = cutSteps(window, step, accumulate).steps.at(-1);
  return { ...request, now: Math.min(now, Math.max(window.end, last?.end ?? 0)) };
}

/** Name of the requested CSV file; undefined for JSON. Throws QUERY_INVALID and QUERY_NOT_BUILT. */
function csvName(
  what: string,
  { format = '' }: Parameters,
  { window }: { window: Span },
): string | undefined {
  switch (format) {
    case '':
    case 'json':
      return undefined;
    case 'csv': {
      const [from, to] = [window.start, window.end].map((time) => timeText(time).replace(/[-:]/g, ''));
      return `federated-etl-${what}-${from}-${to}.csv`;
    }
    case 'pdf':
      throw new FederationError('QUERY_NOT_BUILT', { detail: 'format=pdf is not part of this version.' });
    default:
      throw invalid('format', format, 'is neither json nor csv.');
  }
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/** Restricts a text to the characters and length of a header. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 2_000);
}

function matches(header: string | undefined, tag: string): boolean {
  return (header ?? '')
    .split(',')
    .some((one) => one.trim().replace(/^W\//, '') === tag || one.trim() === '*');
}

/** All parameters of a request, known or not; of a repeated one the first value that is not empty. */
export function parametersOf({ query }: FastifyRequest): Parameters {
  return firstValues(query as Query);
}

/** Gives pages of the OpenCost UI without a data source empty answers rather than errors, and refuses unbuilt features. */
function registerEmptyRoutes(
  app: FastifyInstance,
  windowOf: (parameters: Parameters) => { start: number; end: number },
): void {
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
      // Before the body is read, whatever its type.
      app.route({ method: ['GET', 'POST'], url: `${prefix}${path}`, onRequest: refuse, handler: refuse });
    }
  }
}
