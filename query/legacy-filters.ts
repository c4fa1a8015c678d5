import { ownValue } from '../etl/own-value';
import { type Aliases, aliasKeys, defaultAliases } from './aliases';
import { commaList } from './comma-list';
import type { Filter, FilterOperand } from './filter';
import { invalid } from './invalid';
import type { Filtered } from './parse-filter';
import { sanitizeKey } from './sanitize';
import { unallocated } from './sql';

/** The parameters of a request: their unparsed values, by name. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** Maximum length of a filter in characters. No legitimate filter is longer. */
const longest = 16_384;

/**
 * Parses filters of Kubecost's first filter language. This language has one parameter per field, such as `filterPods`,
 * with alternative values separated by commas. A value that ends with `*` is a prefix. Returns undefined if there are
 * no such parameters. Throws QUERY_INVALID for a filter that is too long, and for a label or annotation without a key.
 */
export function parseLegacyFilters(
  parameters: Parameters,
  of: Filtered,
  aliases: Aliases,
): Filter | undefined {
  return every(parameters, alternatives[of](aliases));
}

type Alternative = (value: string) => Filter;
type Alternatives = Readonly<Record<string, Alternative>>;

const alternatives: Readonly<Record<Filtered, (aliases: Aliases) => Alternatives>> = {
  allocations: (aliases) => ({
    filterClusters: field('cluster'),
    filterNodes: field('node'),
    filterNamespaces: field('namespace'),
    filterControllerKinds: field('controllerKind'),
    filterControllers: (value) => {
      const colon = value.indexOf(':');
      if (colon < 0) return field('controllerName')(value);
      return {
        kind: 'and',
        parts: [
          field('controllerKind')(value.slice(0, colon)),
          field('controllerName')(value.slice(colon + 1)),
        ],
      };
    },
    filterPods: field('pod'),
    filterContainers: field('container'),
    filterServices: (value) => compare({ kind: 'services' }, value),
    filterLabels: keyed('label', 'filterLabels'),
    filterAnnotations: keyed('annotation', 'filterAnnotations'),
    ...aliasFilters(aliases),
  }),
  assets: (aliases) => ({
    filterTypes: field('assetType'),
    filterClusters: field('cluster'),
    filterNames: field('name'),
    filterCategories: field('category'),
    filterProviders: field('provider'),
    filterProviderIDs: field('providerID'),
    filterAccounts: field('account'),
    filterProjects: field('project'),
    filterServices: field('service'),
    filterLabels: keyed('label', 'filterLabels'),
    ...aliasFilters(aliases),
  }),
};

/** Returns the names of the parameters of the first filter language, such as `filterPods`. */
export function legacyFilters(of: Filtered): string[] {
  return Object.keys(alternatives[of](defaultAliases));
}

function field(name: string): Alternative {
  return (value) => compare({ kind: 'field', field: name }, value);
}

function every(parameters: Parameters, known: Alternatives): Filter | undefined {
  const parts = Object.entries(known).flatMap(([name, alternative]): Filter[] => {
    const text = ownValue(parameters, name) ?? '';
    if (text.length > longest) throw invalid(name, text, `is longer than ${longest} characters.`);
    const values = commaList(text);
    return values.length === 0 ? [] : [{ kind: 'or', parts: values.map(alternative) }];
  });
  return parts.length === 0 ? undefined : { kind: 'and', parts };
}

function compare(left: FilterOperand, value: string): Filter {
  if (value.endsWith('*'))
    return { kind: 'compare', left, comparator: 'startsWith', values: [value.slice(0, -1)] };
  return { kind: 'compare', left, comparator: 'equals', values: [value === unallocated ? '' : value] };
}

function keyed(kind: 'label' | 'annotation', parameter: string): Alternative {
  return (value) => {
    const colon = value.indexOf(':');
    // A key without a value matches all records that have this key.
    if (colon < 0) return hasKey({ kind: `${kind}Keys` }, value);
    const key = sanitizeKey(value.slice(0, colon).trim());
    // Reject an empty key. No record has a label with an empty key, and a missing label counts as an empty value. So a
    // filter with an empty key and an empty value would match all records.
    if (key === '') throw invalid(parameter, value, 'has no key; it takes KEY:VALUE.');
    return compare({ kind, key }, value.slice(colon + 1).trim());
  };
}

function hasKey(left: FilterOperand, value: string): Filter {
  const isPrefix = value.endsWith('*');
  const key = sanitizeKey(isPrefix ? value.slice(0, -1) : value);
  return { kind: 'compare', left, comparator: isPrefix ? 'startsWith' : 'equals', values: [key] };
}

function aliasFilters(aliases: Aliases): Record<string, Alternative> {
  const of =
    (word: string): Alternative =>
    (value) => ({
      kind: 'or',
      parts: (aliasKeys(word, aliases) ?? []).map((key) => compare({ kind: 'alias', key }, value)),
    });
  return {
    filterDepartments: of('department'),
    filterEnvironments: of('environment'),
    filterOwners: of('owner'),
    filterProducts: of('product'),
    filterTeams: of('team'),
  };
}
