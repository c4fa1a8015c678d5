import { FederationError } from '../errors/federation-error';
import type { AnswerNotes } from '../query/answer';
import type { Answers, Turn } from '../query/answers';
import { commaList } from '../query/comma-list';
import { invalid } from '../query/invalid';
import type { Parameters } from '../query/legacy-filters';
import { timeText } from '../query/notes';
import type { Asked } from '../query/parse-parameters';
import { parseAllocationRequest, parseAssetRequest } from '../query/parse-request';
import { parseAutocompleteRequest } from '../query/parse-values';
import type { AllocationRequest } from '../query/request';
import type { RequestDefaults } from '../query/request-defaults';
import { sanitizeKey } from '../query/sanitize';
import type { Span } from '../query/span';
import { cutSteps } from '../query/steps';
import { allocationSetsParts } from './allocation-json';
import { assetSetParts, assetSetsParts } from './asset-json';
import { allocationCsv, assetCsv, summaryCsv } from './csv';
import type { Parts } from './json';
import type { summaryParts } from './summary-json';

export type Flavour = RequestDefaults['flavour'];

/** A parsed query, with the function that answers it. */
export interface Question {
  /**
   * Identifies the query. Requests that ask for the same thing have equal keys, even if their parameters are written
   * differently.
   */
  readonly key: unknown;
  /** Name of the CSV file in which the answer is sent; undefined if the answer is JSON. */
  readonly csv: string | undefined;
  /** Runs the query. `parts` then encodes the result: as CSV, or as the `data` member of the JSON answer. */
  answer(turn: Turn): Promise<{ notes: AnswerNotes; parts: (this: void) => Parts }>;
}

/** A route of the query API: what it queries, and the function that parses its parameters. */
export interface Route extends Asked {
  ask(this: void, parameters: Parameters): Question;
}

/**
 * Returns one function for each kind of query. Each function creates the routes of its kind. A route parses, answers
 * and encodes its queries. Most kinds come in two flavours: Kubecost's format and OpenCost's format.
 */
export function queryKinds(answers: Answers, defaults: (flavour: Flavour) => RequestDefaults) {
  const allocation = (flavour: Flavour): Route => ({
    of: 'allocations',
    flavour,
    ask: (parameters) => {
      const request = settle(parseAllocationRequest(parameters, defaults(flavour)));
      const labels = commaList(parameters['labelColumns']).map(sanitizeKey);
      const csv = csvName('allocations', parameters, request);
      return {
        key: ['allocation', csv, labels, request],
        csv,
        answer: async (turn) => {
          const notes = await answers.allocations(request, turn);
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
        answer: async (turn) => {
          const notes = await answers.allocations(request, turn);
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
      const labels = commaList(parameters['labelColumns']).map(sanitizeKey);
      const csv = csvName('assets', parameters, request);
      return {
        key: ['assets', flavour, csv, labels, request],
        csv,
        answer: async (turn) => {
          const notes = await answers.assets(request, turn);
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
        answer: async (turn) => {
          const { generation } = answers.state();
          const data = await answers.autocomplete(request, turn);
          return {
            notes: { warnings: [], ...(generation !== undefined && { generation }) },
            parts: () => [JSON.stringify({ data })],
          };
        },
      };
    },
  });
  return { allocation, summary, assets, autocomplete };
}

/**
 * Limits `now` to the end of the requested data, because a later `now` would not change the answer. Requests for the
 * same past data are therefore equal, whenever they are made, and share one answer in the cache.
 */
function settle<T extends Pick<AllocationRequest, 'window' | 'step' | 'accumulate' | 'now'>>(request: T): T {
  const { window, step, accumulate, now } = request;
  const last = cutSteps(window, step, accumulate).steps.at(-1);
  return { ...request, now: Math.min(now, Math.max(window.end, last?.end ?? 0)) };
}

/**
 * Returns the name of the CSV file if the format is CSV, or undefined if it is JSON. Throws QUERY_NOT_BUILT if the
 * format is `pdf`, and QUERY_INVALID for any other format.
 */
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
