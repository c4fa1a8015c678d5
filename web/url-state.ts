import { ownValue } from '../etl/own-value';

/**
 * The state of the page: the parameters of its URL. A view can therefore be shared by its URL, and the back button
 * works. All views share one state: a view ignores parameters that it does not know, but keeps them for the other
 * views.
 */
export type UrlState = Readonly<Record<string, string>>;

/** Parses a query string. If a parameter is repeated, its last value is used. */
export function parseState(search: string): UrlState {
  return Object.fromEntries(new URLSearchParams(search));
}

/** Formats the state as a URL, without parameters that are empty. */
export function formatState(state: UrlState): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) if (value !== '') parameters.set(name, value);
  const text = parameters.toString();
  return text === '' ? '/' : `/?${text}`;
}

/** Groupings that both allocations and assets have. */
const ofBoth = new Set(['cluster']);

/** Sets the grouping of one view. If allocations and assets both offer this grouping, sets it for both views. */
export function regroup(state: UrlState, of: 'aggregate' | 'group', grouping: string): UrlState {
  return ofBoth.has(grouping)
    ? { ...state, aggregate: grouping, group: grouping }
    : { ...state, [of]: grouping };
}

/** Splits a filter into its parts. The state contains one part per line, and a row must match all of them. */
export function filterParts(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((part) => part.trim() !== '');
}

/** Joins the parts of a filter into one filter for the API. A row must match all parts. */
export function joinFilter(parts: readonly string[]): string {
  return parts.map((part) => `(${part})`).join('+');
}

/**
 * Formats a comparison in the API's filter language. Removes double quotes from the value, because the language cannot
 * escape them.
 */
export function comparison(field: string, operator: string, value: string): string {
  return `${field}${operator}"${value.replaceAll('"', '')}"`;
}

/** Returns the filter field that corresponds to a grouping; undefined if there is none. */
export function filterField(group: string): string | undefined {
  const keyed = /^(label|annotation):(.+)$/.exec(group);
  if (keyed !== null) return `${keyed[1]}[${keyed[2]}]`;
  const fields: Readonly<Record<string, string>> = {
    cluster: 'cluster',
    node: 'node',
    namespace: 'namespace',
    controllerKind: 'controllerKind',
    pod: 'pod',
    container: 'container',
    service: 'services',
    department: 'department',
    environment: 'environment',
    owner: 'owner',
    product: 'product',
    team: 'team',
  };
  return ownValue(fields, group);
}

const finer: Readonly<Record<string, string>> = {
  cluster: 'namespace',
  namespace: 'controller',
  controller: 'pod',
  controllerKind: 'controller',
  deployment: 'pod',
  statefulset: 'pod',
  daemonset: 'pod',
  job: 'pod',
  service: 'pod',
  node: 'pod',
  pod: 'container',
};

/** Returns the grouping that is one level finer than the last of `groups`; undefined if there is none. */
export function finerThan(groups: readonly string[]): string | undefined {
  const last = groups.at(-1) ?? 'cluster';
  return last.includes(':') ? 'namespace' : ownValue(finer, last);
}

/**
 * Derives filters from a row's name, one filter per grouping. Together they select the allocations behind that row.
 * Returns undefined if there are no such filters: for an idle row, for a name that does not have one part per
 * grouping, and for a grouping without a filter field.
 */
export function drillDown(groups: readonly string[], name: string): string[] | undefined {
  if (name.includes('__idle__')) return undefined;
  const parts = groups.length === 1 ? [name] : name.split('/');
  if (parts.length !== groups.length) return undefined;
  const filters = groups.map((group, index) => {
    const value = parts[index] ?? '';
    const unknown = value === '__unallocated__';
    if (group === 'controller' && !unknown) {
      const colon = value.indexOf(':');
      return colon < 0
        ? comparison('controllerName', ':', value)
        : `${comparison('controllerKind', ':', value.slice(0, colon))}+${comparison('controllerName', ':', value.slice(colon + 1))}`;
    }
    if (['deployment', 'statefulset', 'daemonset', 'job'].includes(group)) {
      return unknown
        ? comparison('controllerKind', '!:', group)
        : `${comparison('controllerKind', ':', group)}+${comparison('controllerName', ':', value)}`;
    }
    const field = group === 'controller' ? 'controllerName' : filterField(group);
    return field === undefined ? undefined : comparison(field, ':', value);
  });
  return filters.every((filter) => filter !== undefined) ? filters : undefined;
}
