import { closest } from 'fastest-levenshtein';
import { FederationError } from '../errors/federation-error';
import { aliasKeys, type Aliases } from './aliases';
import { sortFields } from './derived';
import type { Filter } from './filter';
import { invalid } from './invalid';
import { type Parameters, parseLegacyFilters } from './legacy-filters';
import { type Filtered, parseFilter } from './parse-filter';
import { parseAllocationGroups, parseAssetGroups } from './parse-groups';
import { onOff } from './parse-parameters';
import { parseAccumulation, parseStep } from './parse-step';
import { parseWindow } from './parse-window';
import type { Accumulation, AllocationRequest, AssetRequest, AutocompleteRequest, Step } from './request';
import type { Span } from './span';
import { sanitizeKey } from './sanitize';
import { cutSteps } from './steps';

export type { Parameters } from './legacy-filters';

/** Defaults for missing parameters. */
export interface RequestDefaults {
  /** OpenCost and Kubecost have different defaults. */
  readonly flavour: 'opencost' | 'kubecost';
  /** Unix seconds. */
  readonly now: number;
  readonly utcOffsetSeconds: number;
  readonly aliases: Aliases;
}

const hour = 3_600;
const day = 24 * hour;
/** Most sets of an answer; nobody reads more. */
const mostSets = 10_000;

/** Parses a query of allocations. Throws QUERY_INVALID, and QUERY_NOT_BUILT for features that this version lacks. */
export function parseAllocationRequest(parameters: Parameters, defaults: RequestDefaults): AllocationRequest {
  const { flavour, now, aliases } = defaults;
  const accumulate = parseAccumulation(parameters['accumulate'], parameters['accumulateBy']);
  const sets = setsOf(parameters, defaults, accumulate);
  const include = parseIncludeIdle(parameters, flavour);
  const share = parseShareIdle(parameters['shareIdle']);
  if (onOff(parameters['includeProportionalAssetResourceCosts']) === true) {
    if (!include) {
      throw invalid('includeProportionalAssetResourceCosts', 'true', 'needs includeIdle=true.');
    }
    throw notBuilt('includeProportionalAssetResourceCosts', 'true');
  }
  const filter = parseFilters(parameters, 'allocations', aliases);
  const groups = parseAllocationGroups(parameters['aggregate'], aliases);
  return {
    ...sets,
    groups,
    ...(filter !== undefined && { filter }),
    idle: {
      include: include || (share && flavour === 'kubecost'),
      byNode: onOff(parameters['idleByNode']) ?? false,
      split: onOff(parameters['splitIdle']) ?? false,
      share: share && (include || flavour === 'kubecost'),
    },
    sharing: {
      namespaces: list(parameters['shareNamespaces']),
      labels: list(parameters['shareLabels']).map(parseShareLabel),
      monthlyCost: parseAmount(parameters['shareCost']),
      split: parseShareSplit(parameters['shareSplit']),
      tenancy: onOff(parameters['shareTenancyCosts']) ?? false,
    },
    aggregatedMetadata: onOff(parameters['includeAggregatedMetadata']) ?? false,
    volumes: onOff(parameters['includeVolumes']) ?? true,
    reconcile: onOff(parameters['reconcile']) ?? true,
    sort: parseSort(parameters['sortBy'], parameters['sortByOrder']),
    ...page(parameters),
    now,
  };
}

/** Parses a query of assets. Throws QUERY_INVALID. */
export function parseAssetRequest(parameters: Parameters, defaults: RequestDefaults): AssetRequest {
  const { flavour, aliases, now } = defaults;
  const accumulate = parseAccumulation(parameters['accumulate'], parameters['accumulateBy']);
  const groups = parseAssetGroups(parameters['aggregate'], aliases);
  const filter = parseFilters(parameters, 'assets', aliases);
  // Without the prefix /model the answer is always one set.
  const sets =
    flavour === 'opencost' ? oneSet(parameters, defaults) : setsOf(parameters, defaults, accumulate);
  return {
    ...sets,
    ...(groups !== undefined && { groups }),
    ...(filter !== undefined && { filter }),
    disableAdjustments: onOff(parameters['disableAdjustments']) ?? false,
    ...page(parameters),
    now,
  };
}

const allocationValues = [
  'cluster namespace node controllerKind controllerName controller pod container service services provider',
  'label annotation namespacelabel department environment owner product team',
].flatMap((line) => line.split(' '));
const assetValues =
  'type account cluster category provider providerID providerid name project service label assetType department environment owner product team'.split(
    ' ',
  );
/** The fields whose values can be listed, and which of them take a key. */
const valueFields: Readonly<Record<Filtered, { known: readonly string[]; keyed: readonly string[] }>> = {
  allocations: { known: allocationValues, keyed: ['label', 'annotation', 'namespacelabel'] },
  assets: { known: assetValues, keyed: ['label'] },
};

/** Parses a query for the values of a field. Throws QUERY_INVALID for a missing or unknown field. */
export function parseAutocompleteRequest(
  of: Filtered,
  parameters: Parameters,
  defaults: RequestDefaults,
): AutocompleteRequest {
  const given = parameters['field']?.trim() ?? '';
  const colon = given.indexOf(':');
  const [start, key] = colon < 0 ? [given, undefined] : [given.slice(0, colon), given.slice(colon + 1)];
  const { known, keyed } = valueFields[of];
  const word = known.find((one) => one.toLowerCase() === start.toLowerCase());
  if (word === undefined || (key !== undefined && !(keyed.includes(word) && key.trim() !== ''))) {
    throw invalid('field', given, `is not one of ${known.join(', ')} or ${keyed[0]}:KEY.`);
  }
  const alias = aliasKeys(word, defaults.aliases)?.[0];
  const filter = parseFilters(parameters, of, defaults.aliases);
  const limit = wholeNumber('limit', parameters['limit']) ?? 100;
  return {
    of,
    window: parseWindow(parameters['window'], defaults),
    field:
      alias !== undefined
        ? `label:${alias}`
        : key === undefined
          ? word
          : `${word}:${sanitizeKey(key.trim())}`,
    search: parameters['search'] ?? '',
    limit: Math.min(limit, 1_000),
    ...(filter !== undefined && { filter }),
  };
}

/** Combines the filters of both languages: ignoring either would give wrong numbers. */
function parseFilters(parameters: Parameters, of: Filtered, aliases: Aliases): Filter | undefined {
  const parts = [
    parseFilter(parameters['filter'], of, aliases),
    parseLegacyFilters(parameters, of, aliases),
  ].filter((part) => part !== undefined);
  return parts.length > 1 ? { kind: 'and', parts } : parts[0];
}

/** The sets of an answer. */
interface Sets {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
}

function oneSet(parameters: Parameters, defaults: RequestDefaults): Sets {
  // The step has no effect here, but an invalid one is still an error.
  parseStep(parameters['step']);
  return { window: parseWindow(parameters['window'], defaults), step: 'window', accumulate: 'all' };
}

/** Determines the sets by flavour, window, step and accumulation. */
function setsOf(parameters: Parameters, defaults: RequestDefaults, accumulate: Accumulation): Sets {
  const asked = parseWindow(parameters['window'], defaults);
  const given = parseStep(parameters['step']);
  const daily = { seconds: day };
  const stored = { seconds: storedSeconds(asked, accumulate) };
  // Kubecost answers with whole stored sets.
  const window =
    defaults.flavour === 'kubecost' && given === undefined ? snapped(asked, stored.seconds, defaults) : asked;
  const sets = (): Omit<Sets, 'window'> => {
    if (given === 'month' || given === 'quarter') {
      return { step: daily, accumulate: accumulate === 'none' ? given : accumulate };
    }
    if (given !== undefined) return { step: given, accumulate };
    if (defaults.flavour === 'kubecost') return { step: stored, accumulate };
    return { step: accumulate === 'none' || accumulate === 'all' ? 'window' : stored, accumulate };
  };
  const { step, accumulate: accumulated } = sets();
  const count = countSets(window, step, accumulated);
  if (count > mostSets) {
    throw invalid(
      'window',
      parameters['window'] ?? '',
      `has ${count} sets with this step and accumulation; at most ${mostSets} are allowed.`,
    );
  }
  return { window, step, accumulate: accumulated };
}

/** The length of the stored sets that answer a query without a step. */
function storedSeconds({ start, end }: Span, accumulate: Accumulation): number {
  switch (accumulate) {
    case 'hour':
      return hour;
    // Whole days, even if the window covers only part of them.
    case 'day':
    case 'week':
    case 'month':
    case 'quarter':
      return day;
    default:
      return end - start < day ? hour : day;
  }
}

/** Number of sets to compute: steps or periods, whichever are more. */
function countSets(window: Span, step: Step, accumulate: Accumulation): number {
  if (step === 'window') return 1;
  const length = window.end - window.start;
  const least = Math.ceil(length / (accumulate === 'hour' ? Math.min(hour, step.seconds) : step.seconds));
  if (least > mostSets) return least;
  // Calendar periods are answered whole: a window of an hour accumulated by quarter has the steps of a whole quarter. A
  // single step longer than all periods is enough to find their bounds.
  const { periods } = cutSteps(window, { seconds: length + 200 * day }, accumulate);
  const [first = window, last = window] = [periods[0], periods.at(-1)];
  const reach =
    accumulate === 'none' ? length : Math.max(window.end, last.end) - Math.min(window.start, first.start);
  return Math.max(Math.ceil(reach / step.seconds), periods.length);
}

function snapped(
  { start, end }: Span,
  size: number,
  { utcOffsetSeconds }: { readonly utcOffsetSeconds: number },
): Span {
  // Hourly sets always follow the hours of UTC.
  const offset = size === day ? utcOffsetSeconds : 0;
  return {
    start: Math.floor((start + offset) / size) * size - offset,
    end: Math.ceil((end + offset) / size) * size - offset,
  };
}

/** Kubecost has `idle` besides `includeIdle`; OpenCost has only the latter. */
function parseIncludeIdle(parameters: Parameters, flavour: RequestDefaults['flavour']): boolean {
  const include = onOff(parameters['includeIdle']);
  return flavour === 'opencost' ? (include ?? false) : (onOff(parameters['idle']) ?? include ?? true);
}

function parseShareIdle(text: string | undefined): boolean {
  if (text === 'even') throw notBuilt('shareIdle', 'even');
  return text === 'weighted' || onOff(text) === true;
}

function parseShareSplit(text: string | undefined): 'weighted' | 'even' {
  if (text === undefined || text === 'weighted') return 'weighted';
  if (text === 'even') return 'even';
  throw invalid('shareSplit', text, 'is neither weighted nor even.');
}

function parseShareLabel(text: string): { key: string; value: string } {
  const colon = text.indexOf(':');
  if (colon <= 0) throw invalid('shareLabels', text, 'is not of the form key:value.');
  return { key: sanitizeKey(text.slice(0, colon).trim()), value: text.slice(colon + 1).trim() };
}

function parseAmount(text: string | undefined): number {
  if (text === undefined) return 0;
  const amount = /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(amount)) throw invalid('shareCost', text, 'is not an amount.');
  return amount;
}

function parseSort(by = 'totalCost', order = 'desc'): AllocationRequest['sort'] {
  const given = by.trim().toLowerCase();
  const field = sortFields.find((known) => known.toLowerCase() === given);
  if (field === undefined) {
    const meant = closest(by.slice(0, 100), [...sortFields]);
    throw invalid('sortBy', by, `is not a field to sort by; did you mean ${meant}?`);
  }
  const direction = order.trim().toLowerCase();
  if (direction !== 'asc' && direction !== 'desc') {
    throw invalid('sortByOrder', order, 'is neither asc nor desc.');
  }
  return { by: field, descending: direction === 'desc' };
}

function page(parameters: Parameters): { offset: number; limit?: number } {
  const limit = wholeNumber('limit', parameters['limit']);
  return { offset: wholeNumber('offset', parameters['offset']) ?? 0, ...(limit !== undefined && { limit }) };
}

function wholeNumber(parameter: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid(parameter, text, 'is not a whole number.');
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function notBuilt(parameter: string, value: string): FederationError {
  return new FederationError('QUERY_NOT_BUILT', {
    subject: { parameter },
    detail: `${parameter}=${value} is not part of this version.`,
  });
}
