/** What can be filtered, as named in the API's paths. */
export type Filtered = 'allocation' | 'assets';

const ofBoth = ['cluster', 'provider', 'label', 'department', 'environment', 'owner', 'product', 'team'];

/** The filter fields of each, in display order. */
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
 * Whether a part of a filter applies here. Fields that only the other view knows do not; unknown fields do, so that the
 * server can say what is wrong with them.
 */
export function appliesTo(of: Filtered, part: string): boolean {
  const others = Object.values(filterFields).flatMap((fields) => (fields === filterFields[of] ? [] : fields));
  return fieldsIn(part).every((field) => filterFields[of].includes(field) || !others.includes(field));
}
