import fc from 'fast-check';
import { isFederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import { parseAllocationGroups, parseAssetGroups } from '../../query/parse-groups';
import { allocationFields, assetFields } from '../../query/request';
import { propertyRuns } from '../etl/run-counts';

const allocations = (text: string | undefined, aliases = defaultAliases) =>
  parseAllocationGroups(text, aliases);
const assets = (text: string | undefined, aliases = defaultAliases) => parseAssetGroups(text, aliases);
const field = (name: string) => ({ kind: 'field', field: name });
const alias = (key: string) => ({ kind: 'alias', key });
const label = (key: string) => ({ kind: 'label', key });

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isFederationError(error, 'QUERY_INVALID')) {
      expect(error.subject).toEqual({ parameter: 'aggregate' });
      return error.message;
    }
    throw error;
  }
  throw new Error('it was not refused');
}

describe('groups of allocations', () => {
  it.each([undefined, '', ' ', ','])('are containers by default: %j', (text) => {
    expect(allocations(text)).toEqual(['cluster', 'node', 'namespace', 'pod', 'container'].map(field));
  });

  it('are empty for all', () => {
    expect(allocations('all')).toEqual([]);
    expect(allocations(' ALL ')).toEqual([]);
  });

  it.each(allocationFields)('accept %s in any case', (name) => {
    expect(allocations(name)).toEqual([field(name)]);
    expect(allocations(` ${name.toUpperCase()} `)).toEqual([field(name)]);
    expect(allocations(name.toLowerCase())).toEqual([field(name)]);
  });

  it.each(Object.entries(defaultAliases))('accept the alias %s', (name, key) => {
    expect(allocations(name)).toEqual([alias(key)]);
    expect(allocations(name.toUpperCase())).toEqual([alias(key)]);
  });

  it.each([
    ['label:app', label('app')],
    ['label:app.kubernetes.io/name', label('app_kubernetes_io_name')],
    ['LABEL:App', label('App')],
    ['label: a b ', label('a_b')],
    ['annotation:x/y-z', { kind: 'annotation', key: 'x_y_z' }],
    ['namespaceLabel:kubernetes.io/a', { kind: 'namespaceLabel', key: 'kubernetes_io_a' }],
    ['NAMESPACELABEL: Team ', { kind: 'namespaceLabel', key: 'Team' }],
    ['label:a:b', label('a_b')],
  ])('accept %s', (text, group) => {
    expect(allocations(text)).toEqual([group]);
  });

  it('keep the requested order', () => {
    expect(allocations('cluster, Namespace ,controllerkind,label:x,team')).toEqual([
      field('cluster'),
      field('namespace'),
      field('controllerKind'),
      label('x'),
      alias('team'),
    ]);
  });

  it('include one per key of an alias', () => {
    const aliases = { ...defaultAliases, team: 'team, squad.io/name ,,crew' };
    expect(allocations('team,pod', aliases)).toEqual([
      alias('team'),
      alias('squad_io_name'),
      alias('crew'),
      field('pod'),
    ]);
  });

  it.each(['', ' , ', ','])('use the default key of an alias without keys: %j', (team) => {
    expect(allocations('team', { ...defaultAliases, team })).toEqual([alias('team')]);
  });

  it.each([
    'foo',
    'all,pod',
    'label',
    'labels',
    'label:',
    'namespaceLabel',
    'namespaceLabel: ',
    'namespace:x',
    'assetType',
    'constructor',
    'namespace/pod',
    '\u0000',
  ])('are refused: %j', (text) => {
    expect(refusal(() => allocations(text))).toMatch(/^Invalid 'aggregate' parameter: /);
  });

  it('that are unknown are quoted, truncated', () => {
    expect(refusal(() => allocations('cluster, foo ,pod'))).toContain('"foo" is not one of cluster, node');
    expect(refusal(() => allocations('y'.repeat(100_000)))).toContain(`"${'y'.repeat(100)}"`);
    expect(refusal(() => allocations('pod,'.repeat(5_000)))).toContain('more than 20 parts');
  });
});

describe('groups of assets', () => {
  it.each([undefined, '', ' '])('are undefined by default: %j', (text) => {
    expect(assets(text)).toBeUndefined();
  });

  it.each(assetFields)('accept %s in any case', (name) => {
    expect(assets(name)).toEqual([field(name)]);
    expect(assets(name.toUpperCase())).toEqual([field(name)]);
  });

  it.each([
    ['assetType', field('type')],
    ['providerID', field('providerid')],
    ['label:k8s.io/x', label('k8s_io_x')],
    ['environment', alias('env')],
    ['product', alias('app')],
  ])('accept %s', (text, group) => {
    expect(assets(text)).toEqual([group]);
  });

  it('include one per key of an alias', () => {
    expect(assets('owner', { ...defaultAliases, owner: 'a,b' })).toEqual([alias('a'), alias('b')]);
  });

  it.each(['foo', 'namespace', 'annotation:x', 'label:'])('are refused: %j', (text) => {
    expect(refusal(() => assets(text))).toContain(JSON.stringify(text));
  });
});

it('groups of any text are parsed or refused', () => {
  const part = fc.oneof(
    fc.constantFrom(
      ...allocationFields,
      ...assetFields,
      'all',
      'label:',
      'annotation:',
      'namespaceLabel:',
      'team',
    ),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(part).map(String), (text) => {
      for (const parse of [allocations, assets]) {
        try {
          for (const group of parse(text) ?? []) {
            if (group.kind !== 'field') expect(group.key).toMatch(/^[A-Za-z0-9_]+$/);
          }
        } catch (error) {
          if (!isFederationError(error, 'QUERY_INVALID')) throw error;
        }
      }
    }),
    propertyRuns(300, 10_000),
  );
});
