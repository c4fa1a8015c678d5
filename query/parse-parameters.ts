import { closest, distance } from 'fastest-levenshtein';
import { legacyFilters, type Parameters } from './legacy-filters';

/** What a route asks for: each kind has its own parameters. */
export type AskedOf =
  'allocations' | 'summaries' | 'toplines' | 'assets' | 'allocation values' | 'asset values';

/** Which question parameters are of. */
export interface Asked {
  readonly of: AskedOf;
  readonly flavour: 'opencost' | 'kubecost';
}

/** The parameters of a request, as they count. */
export interface ReadParameters {
  /** Each is known and has a value that is not empty. */
  readonly parameters: Parameters;
  /** What was asked and does not count, a sentence each. */
  readonly warnings: readonly string[];
}

/** The query of a URL; a parameter that is given twice has several values. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Says why a value does not count; undefined where it does. */
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
      : 'it is none of true, false and weighted',
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

/** Stock clients send them to every route. Where they ask for what is done anyway, there is nothing to say. */
const withoutMeaning = {
  resolution: anything,
  metrics: anything,
  costUnit: anything,
  costMetric: (value: string) =>
    ['hourly', 'daily', 'monthly'].includes(value) ? 'costs are sums over a set, not rates' : undefined,
  sharelb: anything,
  _: anything,
  external: (value: string) =>
    onOff(value) === true ? 'costs from outside the clusters are not a part of this version' : undefined,
  includeSharedCostBreakdown: anything,
};

const known: Readonly<Record<AskedOf, ReadonlyMap<string, Check>>> = {
  allocations: mapOf({ ...ofAllocations, ...pages, ...labels }),
  summaries: mapOf({ ...ofAllocations, ...pages }),
  // The sum of all rows has no pages.
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

/** The names of all parameters that may be asked with. */
export function knownParameters(of: AskedOf): string[] {
  return [...known[of].keys()];
}

const mostUnknown = 5;
/** How much of what somebody wrote is repeated. */
const mostShown = 40;

/**
 * Reads the parameters of a request. An empty one is as if it were absent, of a repeated one the first counts; what is
 * not known, or not done, fails nothing and is told.
 */
export function readParameters(query: Query, asked: Asked): ReadParameters {
  const parameters: Record<string, string> = {};
  const warnings: string[] = [];
  const unknown: string[] = [];
  // In one order, however they are written: a question has one answer.
  for (const name of Object.keys(query).sort()) {
    const [value, ...others] = valuesOf(query[name]);
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
    else warnings.push(passedOver(name, value, why));
  }
  return {
    parameters,
    warnings: [...describeUnknown(unknown, asked.of), ...warnings, ...withoutEffect(asked, parameters)],
  };
}

/** The first value of each parameter that has one, known or not. */
export function firstValues(query: Query): Parameters {
  return Object.fromEntries(Object.entries(query).map(([name, given]) => [name, valuesOf(given)[0]]));
}

/** A switch as Go reads it; undefined where it is neither on nor off. */
export function onOff(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : undefined;
}

function valuesOf(given: string | readonly string[] | undefined): string[] {
  return [given ?? []].flat().filter((value) => value.trim() !== '');
}

/** What is known, and does nothing beside the others. */
function withoutEffect({ of, flavour }: Asked, parameters: Parameters): string[] {
  const { format, labelColumns, idle, includeIdle, shareIdle, accumulate, accumulateBy } = parameters;
  const tell = (name: string, value: string | undefined, isDone: boolean, why: string) =>
    value === undefined || isDone ? [] : [passedOver(name, value, why)];
  const columns = tell('labelColumns', labelColumns, format === 'csv', 'only CSV has columns');
  if (flavour === 'kubecost') return columns;
  switch (of) {
    case 'assets': {
      const [name, value] =
        accumulateBy === undefined ? ['accumulate', accumulate] : ['accumulateBy', accumulateBy];
      const isOneSet = onOff(value) !== undefined || value === 'all' || value === 'none';
      return [...columns, ...tell(name, value, isOneSet, 'on this path assets are one set')];
    }
    case 'allocations':
    case 'summaries':
    case 'toplines':
    case 'allocation values':
    case 'asset values': {
      const include = onOff(includeIdle) ?? false;
      return [
        ...columns,
        ...tell('idle', idle, onOff(idle) === include, 'on this path includeIdle says it'),
        ...tell(
          'shareIdle',
          shareIdle,
          include || onOff(shareIdle) === false,
          'on this path it needs includeIdle=true',
        ),
      ];
    }
  }
}

function passedOver(name: string, value: string, why: string): string {
  return `${name}=${value.slice(0, mostShown)} is passed over: ${why}.`;
}

function describeUnknown(names: readonly string[], of: AskedOf): string[] {
  const told = names.slice(0, mostUnknown).map((name) => {
    const shown = name.slice(0, mostShown);
    const meant = closest(shown, knownParameters(of));
    const far = distance(shown, meant);
    const isClose = far <= 2 && 3 * far <= name.length;
    return `${JSON.stringify(shown)} is no parameter here${isClose ? `, but ${meant} is` : ''}.`;
  });
  const more = names.length - told.length;
  return more > 0
    ? [...told, `${more} more ${more === 1 ? 'parameter is' : 'parameters are'} not known.`]
    : told;
}

function filters(of: 'allocations' | 'assets'): Record<string, Check> {
  return Object.fromEntries(legacyFilters(of).map((name) => [name, anything]));
}

function mapOf(checks: Readonly<Record<string, Check>>): ReadonlyMap<string, Check> {
  return new Map(Object.entries({ ...withoutMeaning, ...checks }));
}
