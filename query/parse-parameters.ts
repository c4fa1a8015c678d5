import { nearestName } from '../errors/nearest-name';
import { ownValue } from '../etl/own-value';
import { legacyFilters, type Parameters } from './legacy-filters';

/** Kinds of queries. Each kind has its own set of parameters. */
export type AskedOf =
  'allocations' | 'summaries' | 'toplines' | 'assets' | 'allocation values' | 'asset values';

/** The kind of a query, and the API through which it arrived. */
export interface Asked {
  readonly of: AskedOf;
  readonly flavour: 'opencost' | 'kubecost';
}

/** The valid parameters of a request, and warnings about all other parameters. */
export interface ReadParameters {
  /** The known parameters whose values are valid. */
  readonly parameters: Parameters;
  /** Sentences about parameters and values that are ignored. */
  readonly warnings: readonly string[];
}

/** The query part of a URL, parsed. A parameter that occurs several times has several values. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Checks the value of a parameter. Returns the reason why the value is ignored, or undefined if it is not ignored. */
type Check = (value: string) => string | undefined;

const anything: Check = () => undefined;
const trueOrFalse: Check = (value) =>
  onOff(value) === undefined ? 'it is neither true nor false' : undefined;

const sets = {
  window: anything,
  aggregate: anything,
  step: anything,
  accumulate: anything,
  accumulateBy: anything,
  filter: anything,
  format: anything,
};
const pages = { offset: anything, limit: anything };
const labels = { labelColumns: anything };
const ofAllocations = {
  ...sets,
  ...filters('allocations'),
  idle: trueOrFalse,
  includeIdle: trueOrFalse,
  idleByNode: trueOrFalse,
  splitIdle: trueOrFalse,
  shareIdle: (value: string) =>
    ['weighted', 'even'].includes(value) || onOff(value) !== undefined
      ? undefined
      : 'it is not true, false or weighted',
  shareNamespaces: anything,
  shareLabels: anything,
  shareCost: anything,
  shareSplit: anything,
  shareTenancyCosts: trueOrFalse,
  includeAggregatedMetadata: trueOrFalse,
  includeProportionalAssetResourceCosts: trueOrFalse,
  includeVolumes: trueOrFalse,
  reconcile: trueOrFalse,
  sortBy: anything,
  sortByOrder: anything,
};
const ofValues = {
  window: anything,
  field: anything,
  search: anything,
  limit: anything,
  filter: anything,
};

/**
 * Parameters that have no effect. Common clients send them with every request. Therefore they cause a warning only if
 * their value asks for something that the server does not do.
 */
const withoutMeaning = {
  resolution: anything,
  metrics: anything,
  costUnit: anything,
  costMetric: (value: string) =>
    ['hourly', 'daily', 'monthly'].includes(value) ? 'costs are sums over a set, not rates' : undefined,
  sharelb: anything,
  _: anything,
  external: (value: string) =>
    onOff(value) === true ? 'costs from outside the clusters are not part of this version' : undefined,
  includeSharedCostBreakdown: anything,
};

const known: Readonly<Record<AskedOf, ReadonlyMap<string, Check>>> = {
  allocations: mapOf({ ...ofAllocations, ...pages, ...labels }),
  summaries: mapOf({ ...ofAllocations, ...pages }),
  // The answer to a query for a topline is a single sum, so the query has no `offset` or `limit`.
  toplines: mapOf(ofAllocations),
  assets: mapOf({
    ...sets,
    ...filters('assets'),
    ...pages,
    ...labels,
    disableAdjustments: trueOrFalse,
    includeIdle: anything,
  }),
  'allocation values': mapOf({ ...ofValues, ...filters('allocations') }),
  'asset values': mapOf({ ...ofValues, ...filters('assets') }),
};

/** Returns the names of all parameters that a kind of query has. */
export function knownParameters(of: AskedOf): string[] {
  return [...known[of].keys()];
}

const mostUnknown = 5;
/** Maximum number of characters of a name or value that a warning quotes. */
const mostShown = 40;

/**
 * Reads the parameters of a request. Ignores empty values. If a parameter has several values, uses the first one. For
 * parameters that are unknown or have no effect, returns warnings instead of throwing errors.
 */
export function readParameters(query: Query, asked: Asked): ReadParameters {
  const parameters: Record<string, string> = {};
  const warnings: string[] = [];
  const unknown: string[] = [];
  // Sort the names, so that the order of the warnings does not depend on the order of the parameters.
  for (const name of Object.keys(query).sort()) {
    const [value, ...others] = valuesOf(ownValue(query, name));
    if (value === undefined) continue;
    const check = known[asked.of].get(name);
    if (check === undefined) {
      unknown.push(name);
      continue;
    }
    if (others.length > 0) {
      warnings.push(`${name} is given ${others.length + 1} times, and the first counts.`);
    }
    const why = check(value);
    if (why === undefined) parameters[name] = value;
    else warnings.push(ignoring(name, value, why));
  }
  return {
    parameters,
    warnings: [...describeUnknown(unknown, asked.of), ...warnings, ...withoutEffect(asked, parameters)],
  };
}

/** Returns the first non-empty value of each parameter, including unknown parameters. */
export function firstValues(query: Query): Parameters {
  return Object.fromEntries(Object.entries(query).map(([name, given]) => [name, valuesOf(given)[0]]));
}

/**
 * Parses a boolean. Accepts the same texts as Go (such as `1`, `t` or `true`). Returns undefined for any other text.
 */
export function onOff(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : undefined;
}

function valuesOf(given: string | readonly string[] | undefined): string[] {
  return [given ?? []].flat().filter((value) => value.trim() !== '');
}

/**
 * Returns warnings about known parameters that have no effect in this kind of query, in this API, or together with the
 * other parameters.
 */
function withoutEffect({ of, flavour }: Asked, parameters: Parameters): string[] {
  const { format, labelColumns, idle, includeIdle, shareIdle, accumulate, accumulateBy } = parameters;
  const ignored = (name: string, value: string | undefined, isDone: boolean, why: string) =>
    value === undefined || isDone ? [] : [ignoring(name, value, why)];
  const columns = ignored('labelColumns', labelColumns, format === 'csv', 'only CSV has columns');
  if (flavour === 'kubecost') return columns;
  switch (of) {
    case 'assets': {
      const [name, value] =
        accumulateBy === undefined ? ['accumulate', accumulate] : ['accumulateBy', accumulateBy];
      const isOneSet = onOff(value) !== undefined || value === 'all' || value === 'none';
      return [...columns, ...ignored(name, value, isOneSet, 'on this path assets are one set')];
    }
    case 'allocations':
    case 'summaries':
    case 'toplines':
    case 'allocation values':
    case 'asset values': {
      const include = onOff(includeIdle) ?? false;
      return [
        ...columns,
        ...ignored('idle', idle, onOff(idle) === include, 'on this path includeIdle says it'),
        ...ignored(
          'shareIdle',
          shareIdle,
          include || onOff(shareIdle) === false,
          'on this path it needs includeIdle=true',
        ),
      ];
    }
  }
}

function ignoring(name: string, value: string, why: string): string {
  return `${name}=${value.slice(0, mostShown)} is ignored: ${why}.`;
}

function describeUnknown(names: readonly string[], of: AskedOf): string[] {
  const named = names.slice(0, mostUnknown).map((name) => {
    const shown = name.slice(0, mostShown);
    const meant = nearestName(shown, knownParameters(of));
    const isClose = meant !== undefined && meant.far <= 2 && 3 * meant.far <= name.length;
    return `${JSON.stringify(shown)} is not a parameter here${isClose ? `, but ${meant.name} is` : ''}.`;
  });
  const more = names.length - named.length;
  return more > 0
    ? [...named, `${more} more ${more === 1 ? 'parameter is' : 'parameters are'} unknown.`]
    : named;
}

function filters(of: 'allocations' | 'assets'): Record<string, Check> {
  return Object.fromEntries(legacyFilters(of).map((name) => [name, anything]));
}

function mapOf(checks: Readonly<Record<string, Check>>): ReadonlyMap<string, Check> {
  return new Map(Object.entries({ ...withoutMeaning, ...checks }));
}
