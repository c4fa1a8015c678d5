import fc from 'fast-check';
import { isFederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import type { Comparator, Filter, FilterOperand } from '../../query/filter';
import { legacyFilters, type Parameters, parseLegacyFilters } from '../../query/legacy-filters';
import { propertyRuns } from '../etl/run-counts';
import { type Filtered, passes } from './reference/filter';

const allocations = (parameters: Parameters, aliases = defaultAliases) =>
  parseLegacyFilters(parameters, 'allocations', aliases);
const assets = (parameters: Parameters) => parseLegacyFilters(parameters, 'assets', defaultAliases);
const compare = (left: FilterOperand, comparator: Comparator, value: string): Filter => ({
  kind: 'compare',
  left,
  comparator,
  values: [value],
});
const either = (...parts: Filter[]): Filter => ({ kind: 'or', parts });
const all = (...parts: Filter[]): Filter => ({ kind: 'and', parts });
const field = (name: string): FilterOperand => ({ kind: 'field', field: name });

/** Makes an object that filters can be applied to. It has the given properties, labels and annotations. */
function subject(
  fields: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
  annotations: Readonly<Record<string, string>> = {},
): Filtered {
  return {
    field: (name) => fields[name] ?? '',
    labels: new Map(Object.entries(labels)),
    annotations: new Map(Object.entries(annotations)),
    services: fields['service'] === undefined ? [] : [fields['service']],
  };
}

const plain = {
  allocations: [
    ['filterClusters', 'cluster'],
    ['filterNodes', 'node'],
    ['filterNamespaces', 'namespace'],
    ['filterControllerKinds', 'controllerKind'],
    ['filterControllers', 'controllerName'],
    ['filterPods', 'pod'],
    ['filterContainers', 'container'],
  ],
  assets: [
    ['filterTypes', 'assetType'],
    ['filterClusters', 'cluster'],
    ['filterNames', 'name'],
    ['filterCategories', 'category'],
    ['filterProviders', 'provider'],
    ['filterProviderIDs', 'providerID'],
    ['filterAccounts', 'account'],
    ['filterProjects', 'project'],
    ['filterServices', 'service'],
  ],
} as const;

describe('legacy filters', () => {
  it.each([{}, { filterNamespaces: '' }, { filterNamespaces: ' , ' }, { filterFoo: 'x' }])(
    'are undefined without values: %j',
    (parameters) => {
      expect(allocations(parameters)).toBeUndefined();
      expect(assets(parameters)).toBeUndefined();
    },
  );

  it.each(plain.allocations)('compare, by %s of allocations, the field %s', (parameter, name) => {
    expect(allocations({ [parameter]: 'a, b*' })).toEqual(
      all(either(compare(field(name), 'equals', 'a'), compare(field(name), 'startsWith', 'b'))),
    );
  });

  it.each(plain.assets)('compare, by %s of assets, the field %s', (parameter, name) => {
    expect(assets({ [parameter]: 'a, b*' })).toEqual(
      all(either(compare(field(name), 'equals', 'a'), compare(field(name), 'startsWith', 'b'))),
    );
  });

  it.each(['allocations', 'assets'] as const)('of %s are listed completely', (of) => {
    const filter = (parameters: Parameters) => parseLegacyFilters(parameters, of, defaultAliases);
    for (const name of legacyFilters(of)) expect([name, filter({ [name]: 'x' })]).not.toContain(undefined);
    const names = [...plain[of].map(([name]) => name), 'filterLabels', 'filterTeams'];
    expect(legacyFilters(of)).toEqual(expect.arrayContaining(names));
  });

  it('match any value of each parameter, and all parameters', () => {
    const filter = allocations({ filterClusters: 'one,two', filterNamespaces: 'kube-*' });
    expect(passes(filter, subject({ cluster: 'two', namespace: 'kube-system' }))).toBe(true);
    expect(passes(filter, subject({ cluster: 'two', namespace: 'default' }))).toBe(false);
    expect(passes(filter, subject({ cluster: 'three', namespace: 'kube-system' }))).toBe(false);
  });

  it.each([
    ['web', true],
    ['deployment:web', true],
    ['deployment:we*', true],
    ['statefulset:web', false],
    ['deployment:we', false],
    ['statefulset:web,deployment:web', true],
  ])('match the controller: %s', (text, kept) => {
    const web = subject({ controllerKind: 'deployment', controllerName: 'web' });
    expect(passes(allocations({ filterControllers: text }), web)).toBe(kept);
  });

  it('read __unallocated__ as the empty string', () => {
    expect(allocations({ filterNamespaces: '__unallocated__' })).toEqual(
      all(either(compare(field('namespace'), 'equals', ''))),
    );
  });

  it('of services match any service of an allocation', () => {
    expect(allocations({ filterServices: 'web*' })).toEqual(
      all(either(compare({ kind: 'services' }, 'startsWith', 'web'))),
    );
  });

  it.each(['label', 'annotation'] as const)('of a %s compare a key and its value', (kind) => {
    const parameter = kind === 'label' ? 'filterLabels' : 'filterAnnotations';
    expect(allocations({ [parameter]: 'app.io/name: web ,env:pr*,url:a:b,plain' })).toEqual(
      all(
        either(
          compare({ kind, key: 'app_io_name' }, 'equals', 'web'),
          compare({ kind, key: 'env' }, 'startsWith', 'pr'),
          compare({ kind, key: 'url' }, 'equals', 'a:b'),
          compare({ kind: `${kind}Keys` }, 'equals', 'plain'),
        ),
      ),
    );
  });

  it.each(['label', 'annotation'] as const)('of a %s may match the start of a key', (kind) => {
    const parameter = kind === 'label' ? 'filterLabels' : 'filterAnnotations';
    expect(allocations({ [parameter]: 'app.io/*' })).toEqual(
      all(either(compare({ kind: `${kind}Keys` }, 'startsWith', 'app_io_'))),
    );
  });

  it.each([
    ['filterLabels', ':'],
    ['filterLabels', ':x'],
    ['filterAnnotations', 'a:x, :y'],
    ['filterNamespaces', 'x'.repeat(16_385)],
  ])('are refused without a key, or if too long: %s', (parameter, text) => {
    const thrown = expect(() => allocations({ [parameter]: text }));
    thrown.toThrow(`Invalid '${parameter}' parameter: `);
  });

  it('of assets accept labels, but ignore annotations', () => {
    expect(assets({ filterLabels: 'a:x' })).toEqual(
      all(either(compare({ kind: 'label', key: 'a' }, 'equals', 'x'))),
    );
    expect(assets({ filterAnnotations: 'a:x', filterNamespaces: 'a' })).toBeUndefined();
  });

  it.each([
    ['filterDepartments', 'department'],
    ['filterEnvironments', 'env'],
    ['filterOwners', 'owner'],
    ['filterProducts', 'app'],
    ['filterTeams', 'team'],
  ])('%s compare the key of the alias', (parameter, key) => {
    for (const filter of [allocations({ [parameter]: 'x' }), assets({ [parameter]: 'x' })]) {
      expect(passes(filter, subject({}, { [key]: 'x' }))).toBe(true);
      expect(passes(filter, subject({}, { [key]: 'y' }, { [key]: 'x' }))).toBe(false);
      expect(passes(filter, subject({}, { other: 'x' }))).toBe(false);
    }
    expect(passes(allocations({ [parameter]: 'x*' }), subject({}, {}, { [key]: 'xyz' }))).toBe(true);
  });

  it('of an alias with several keys match any of the keys', () => {
    const filter = allocations({ filterTeams: 'x' }, { ...defaultAliases, team: 'team,squad' });
    expect(passes(filter, subject({}, { squad: 'x' }))).toBe(true);
    expect(passes(filter, subject({}, { crew: 'x' }))).toBe(false);
  });

  it('of any text are parsed or refused', () => {
    const names = ['filterControllers', 'filterLabels', 'filterAnnotations', 'filterTeams', 'filterClusters'];
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a:*, _.]{0,12}$/));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (parameters) => {
        for (const parse of [allocations, assets]) {
          try {
            parse(parameters);
          } catch (error) {
            if (!isFederationError(error, 'QUERY_INVALID')) throw error;
          }
        }
      }),
      propertyRuns(300, 10_000),
    );
  });
});
