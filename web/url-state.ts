/**
 * The page's state in its address, so that views can be shared and the back button works. All views share one state:
 * a view ignores what it does not know, and keeps it for the others.
 */
export type UrlState = Readonly<Record<string, string>>;

/** Parses a query string; the last of repeated parameters wins. */
export function parseState(search: string): UrlState {
  return Object.fromEntries(new URLSearchParams(search));
}

/** Formats the state as an address, without empty values. */
export function formatState(state: UrlState): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) if (value !== '') parameters.set(name, value);
  const text = parameters.toString();
  return text === '' ? '/' : `/?${text}`;
}

/** Groupings that allocations and assets share. */
const ofBoth = new Set(['cluster']);

/** Sets the grouping of one view, and of the other if it shares the grouping. */
export function regroup(state: UrlState, of: 'aggregate' | 'group', grouping: string): UrlState {
  return ofBoth.has(grouping)
    ? { ...state, aggregate: grouping, group: grouping }
    : { ...state, [of]: grouping };
}

/** The parts of a filter, stored one per line; all of them must match. */
export function filterParts(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((part) => part.trim() !== '');
}

/** The parts as one filter for the API. */
export function joinFilter(parts: readonly string[]): string {
  return parts.map((part) => `(${part})`).join('+');
}

/** A comparison in the API's filter language, which cannot express quotes: they are removed. */
export function comparison(field: string, operator: string, value: string): string {
  return `${field}${operator}"${value.replaceAll('"', '')}"`;
}

/** The filter field for a grouping; undefined if there is none. */
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
  return fields[group];
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

/** The next finer grouping; undefined for the finest. */
export function finerThan(groups: readonly string[]): string | undefined {
  const last = groups.at(-1) ?? 'cluster';
  return last.includes(':') ? 'namespace' : finer[last];
}

/**
 * The filters that select a row by its name, one per group. Undefined for rows without details: idle, and names with
 * another number of parts than there are groups.
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
