/** Kinds of rows that can be filtered. The paths of the API contain the same names. */
export type Filtered = 'allocation' | 'assets';

const ofBoth = ['cluster', 'provider', 'label', 'department', 'environment', 'owner', 'product', 'team'];

/** Filter fields of allocations and of assets, in display order. */
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

/** Returns the names of the fields that one part of a filter uses. */
export function fieldsIn(part: string): string[] {
  const bare = part.replace(/"[^"]*"/g, '""').replace(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/([A-Za-z]+)\s*!?(?:<~|~>|~)?:/g)].map(([, field]) => field ?? '');
}

/**
 * Returns whether a part of the filter applies to a view. It does not apply if it uses a field that only the other view
 * has. If it uses a field that neither view has, it applies, so that the server receives it and reports the error.
 */
export function appliesTo(of: Filtered, part: string): boolean {
  const others = Object.values(filterFields).flatMap((fields) => (fields === filterFields[of] ? [] : fields));
  return fieldsIn(part).every((field) => filterFields[of].includes(field) || !others.includes(field));
}
