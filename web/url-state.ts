/**
 * What the address of the page says, so that every view can be shared and the back button works. It is one for all views:
 * window and filter are the same in each, and what a view does not know waits in it until one is back where it counts.
 */
export type UrlState = Readonly<Record<string, string>>;

/** Reads a query string; of what is repeated the last counts. */
export function parseState(search: string): UrlState {
  return Object.fromEntries(new URLSearchParams(search));
}

/** Writes it, without what is empty. */
export function formatState(state: UrlState): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) if (value !== '') parameters.set(name, value);
  const text = parameters.toString();
  return text === '' ? '/' : `/?${text}`;
}

/** Groupings that mean the same of allocations and of assets. */
const ofBoth = new Set(['cluster']);

/** Groups one view; and the other, too, where it knows the grouping. What it was grouped by stays otherwise. */
export function regroup(state: UrlState, of: 'aggregate' | 'group', grouping: string): UrlState {
  return ofBoth.has(grouping)
    ? { ...state, aggregate: grouping, group: grouping }
    : { ...state, [of]: grouping };
}

/** Parts of a filter, all of which have to hold; kept in one text, one a line. */
export function filterParts(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((part) => part.trim() !== '');
}

/** The filter that the API is asked with. */
export function joinFilter(parts: readonly string[]): string {
  return parts.map((part) => `(${part})`).join('+');
}

/** A comparison of a field with a value, in the language of the API. A quote cannot be written in it. */
export function comparison(field: string, operator: string, value: string): string {
  return `${field}${operator}"${value.replaceAll('"', '')}"`;
}

/** The field of the filter language for what is grouped by; undefined where there is none. */
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

/** What lies below a grouping; undefined at the bottom. */
export function finerThan(groups: readonly string[]): string | undefined {
  const last = groups.at(-1) ?? 'cluster';
  return last.includes(':') ? 'namespace' : finer[last];
}

/**
 * The filters that lead into a row of this name, one for each group. Undefined for a row that cannot be looked into:
 * idle, or one whose name does not have as many parts as there are groups.
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
