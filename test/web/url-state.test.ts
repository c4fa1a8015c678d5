import fc from 'fast-check';
import {
  comparison,
  drillDown,
  filterField,
  filterParts,
  finerThan,
  formatState,
  joinFilter,
  parseState,
  regroup,
} from '../../web/url-state';

describe('the address of the page', () => {
  it('is parsed to the state that it was written from', () => {
    const text = fc.string({ minLength: 1 });
    // Omit `__proto__`, because a plain object cannot have an ordinary property with this name.
    const names = text.filter((name) => name !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(names, text, { noNullPrototype: true }), (state) => {
        expect(parseState(new URL(formatState(state), 'http://localhost').search)).toEqual(state);
      }),
    );
  });

  it('omits empty values, and is the bare path if nothing remains', () => {
    expect(formatState({ window: '7d', filter: '' })).toBe('/?window=7d');
    expect(formatState({ filter: '' })).toBe('/');
  });

  it('takes the last of repeated values', () => {
    expect(parseState('?window=7d&window=30d')).toEqual({ window: '30d' });
  });
});

describe('a chosen grouping', () => {
  const state = { window: '7d', aggregate: 'namespace', group: 'type' };

  it('applies to both views if it means the same in both', () => {
    expect(regroup(state, 'aggregate', 'cluster')).toEqual({
      window: '7d',
      aggregate: 'cluster',
      group: 'cluster',
    });
    expect(regroup(state, 'group', 'cluster')).toEqual(regroup(state, 'aggregate', 'cluster'));
  });

  it('applies to one view if it does not', () => {
    expect(regroup(state, 'aggregate', 'pod')).toEqual({ window: '7d', aggregate: 'pod', group: 'type' });
    // `service` has two meanings: a Kubernetes service for allocations, and a cloud service for assets.
    // So the grouping by service must not be set for both views.
    expect(regroup(state, 'group', 'service')).toEqual({ ...state, group: 'service' });
  });
});

describe('filters', () => {
  it('are kept one per line, and combined in requests', () => {
    const parts = filterParts('cluster:"a"\n\nnamespace:"b"|namespace:"c"');
    expect(parts).toEqual(['cluster:"a"', 'namespace:"b"|namespace:"c"']);
    expect(joinFilter(parts)).toBe('(cluster:"a")+(namespace:"b"|namespace:"c")');
  });

  it('never let a value close its quotes', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(comparison('pod', ':', value).match(/"/g)).toHaveLength(2);
      }),
    );
  });

  it.each([
    ['label:app', 'label[app]'],
    ['annotation:a/b', 'annotation[a/b]'],
    ['service', 'services'],
    ['namespace', 'namespace'],
    ['providerID', undefined],
  ])('by %s compare the field %s', (group, field) => {
    expect(filterField(group)).toBe(field);
  });
});

describe('a click on a row', () => {
  it.each([
    ['cluster', 'namespace'],
    ['namespace', 'controller'],
    ['controller', 'pod'],
    ['pod', 'container'],
    ['cluster,namespace', 'controller'],
    ['label:app', 'namespace'],
    ['container', undefined],
  ])('in %s leads to %s', (groups, next) => {
    expect(finerThan(groups.split(','))).toBe(next);
  });

  it.each([
    ['cluster', 'c1', ['cluster:"c1"']],
    ['cluster,namespace', 'c1/x', ['cluster:"c1"', 'namespace:"x"']],
    ['controller', 'deployment:web', ['controllerKind:"deployment"+controllerName:"web"']],
    ['controller', 'web', ['controllerName:"web"']],
    ['deployment', 'web', ['controllerKind:"deployment"+controllerName:"web"']],
    ['deployment', '__unallocated__', ['controllerKind!:"deployment"']],
    ['controller', '__unallocated__', ['controllerName:"__unallocated__"']],
    ['label:app', '__unallocated__', ['label[app]:"__unallocated__"']],
    ['namespace', '__unmounted__', ['namespace:"__unmounted__"']],
    ['annotation:url', 'https://a/b', ['annotation[url]:"https://a/b"']],
  ])('in %s named %s filters %j', (groups, name, parts) => {
    expect(drillDown(groups.split(','), name)).toEqual(parts);
  });

  it.each([
    ['cluster', '__idle__'],
    ['cluster,namespace', 'c1/__idle__'],
    ['cluster,label:app', 'c1/a/b'],
    ['providerID', 'i-1'],
  ])('in %s named %s leads nowhere', (groups, name) => {
    expect(drillDown(groups.split(','), name)).toBeUndefined();
  });
});
