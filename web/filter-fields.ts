/** What can be filtered, as the API's paths have it. */
export type Filtered = 'allocation' | 'assets';

const ofBoth = ['cluster', 'provider', 'label', 'department', 'environment', 'owner', 'product', 'team'];

/** The fields that each can be filtered by, in the order in which they are offered. */
export const filterFields: Readonly<Record<Filtered, readonly string[]>> = {
  allocation: [
    'cluster',
    'namespace',
    'controllerName',
    'controllerKind',
    'node',
    'pod',
    'container',
    'services',
    'annotation',
    ...ofBoth.slice(1),
  ],
  assets: ['cluster', 'assetType', 'category', 'account', 'project', 'service', 'name', ...ofBoth.slice(1)],
};

/** The fields that a part of a filter compares. */
export function fieldsIn(part: string): string[] {
  const bare = part.replace(/"[^"]*"/g, '""').replace(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/([A-Za-z]+)\s*!?(?:<~|~>|~)?:/g)].map(([, field]) => field ?? '');
}

/**
 * Whether a part of a filter is for these. What only the others know waits for them; what nobody knows is asked, as the
 * server says best what is wrong with it.
 */
export function appliesTo(of: Filtered, part: string): boolean {
  const others = Object.values(filterFields).flatMap((fields) => (fields === filterFields[of] ? [] : fields));
  return fieldsIn(part).every((field) => filterFields[of].includes(field) || !others.includes(field));
}
