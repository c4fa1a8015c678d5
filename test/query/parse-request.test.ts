import fc from 'fast-check';
import { isFederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import type { Parameters } from '../../query/legacy-filters';
import { parseAllocationRequest, parseAssetRequest } from '../../query/parse-request';
import { parseAutocompleteRequest } from '../../query/parse-values';
import type { RequestDefaults } from '../../query/request-defaults';
import { propertyRuns } from '../etl/run-counts';

const at = (time: string) => Date.parse(time) / 1000;
const hour = 3_600;
const day = 24 * hour;
const opencost: RequestDefaults = {
  flavour: 'opencost',
  now: at('2026-11-18T10:17:42Z'),
  utcOffsetSeconds: 0,
  aliases: defaultAliases,
};
const kubecost: RequestDefaults = { ...opencost, flavour: 'kubecost' };
const allocation = (parameters: Parameters, defaults = opencost) =>
  parseAllocationRequest({ window: '7d', ...parameters }, defaults);
const asset = (parameters: Parameters, defaults = opencost) =>
  parseAssetRequest({ window: '7d', ...parameters }, defaults);
const complete = (parameters: Parameters, of: 'allocations' | 'assets' = 'allocations') =>
  parseAutocompleteRequest(of, { window: '7d', ...parameters }, opencost);

function refusal(run: () => unknown, code: 'QUERY_INVALID' | 'QUERY_NOT_BUILT' = 'QUERY_INVALID'): string {
  try {
    run();
  } catch (error) {
    if (isFederationError(error, code)) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a query of allocations', () => {
  it('with only a window has the defaults of OpenCost', () => {
    expect(allocation({})).toEqual({
      window: { start: at('2026-11-12T00:00:00Z'), end: at('2026-11-19T00:00:00Z') },
      step: 'window',
      accumulate: 'none',
      groups: ['cluster', 'node', 'namespace', 'pod', 'container'].map((field) => ({ kind: 'field', field })),
      idle: { include: false, byNode: false, split: false, share: false },
      sharing: { namespaces: [], labels: [], monthlyCost: 0, split: 'weighted', tenancy: false },
      aggregatedMetadata: false,
      volumes: true,
      reconcile: true,
      sort: { by: 'totalCost', descending: true },
      offset: 0,
      now: opencost.now,
    });
  });

  it('with only a window has the defaults of Kubecost, if so configured', () => {
    expect(allocation({}, kubecost)).toMatchObject({
      step: { seconds: day },
      accumulate: 'none',
      idle: { include: true, byNode: false, split: false, share: false },
    });
  });

  const oneHour = { seconds: hour };
  const oneDay = { seconds: day };
  it.each([
    [{}, 'window', 'none', oneDay, 'none'],
    [{ accumulate: 'false' }, 'window', 'none', oneDay, 'none'],
    [{ accumulate: 'true' }, 'window', 'all', oneDay, 'all'],
    [{ accumulate: 'all' }, 'window', 'all', oneDay, 'all'],
    [{ accumulate: 'hour' }, oneHour, 'hour', oneHour, 'hour'],
    [{ accumulate: 'day' }, oneDay, 'day', oneDay, 'day'],
    [{ accumulate: 'week' }, oneDay, 'week', oneDay, 'week'],
    [{ accumulate: 'month' }, oneDay, 'month', oneDay, 'month'],
    [{ accumulate: 'quarter' }, oneDay, 'quarter', oneDay, 'quarter'],
    [{ accumulate: 'weeknow' }, oneDay, 'weeknow', oneDay, 'weeknow'],
    [{ accumulateBy: 'none', accumulate: 'true' }, 'window', 'none', oneDay, 'none'],
    [{ accumulateBy: 'week', accumulate: 'true' }, oneDay, 'week', oneDay, 'week'],
    [{ step: '1h' }, oneHour, 'none', oneHour, 'none'],
    [{ step: '1h', accumulate: 'true' }, oneHour, 'all', oneHour, 'all'],
    [{ step: '1h', accumulate: 'day' }, oneHour, 'day', oneHour, 'day'],
    [{ step: 'week' }, { seconds: 7 * day }, 'none', { seconds: 7 * day }, 'none'],
    [{ step: 'month' }, oneDay, 'month', oneDay, 'month'],
    [{ step: 'quarter' }, oneDay, 'quarter', oneDay, 'quarter'],
    [{ step: 'month', accumulate: 'true' }, oneDay, 'all', oneDay, 'all'],
  ] as const)(
    '%j determines its step and accumulation',
    (parameters, step, accumulate, kubecostStep, kubecostAccumulate) => {
      expect(allocation(parameters)).toMatchObject({ step, accumulate });
      expect(allocation(parameters, kubecost)).toMatchObject({
        step: kubecostStep,
        accumulate: kubecostAccumulate,
      });
    },
  );

  it.each([
    ['1794614500,1794700900', 1794614400, 1794787200, day],
    ['1794614400,1794700800', 1794614400, 1794700800, day],
    ['1794614500,1794618200', 1794614400, 1794621600, hour],
    ['1794614400,1794618000', 1794614400, 1794618000, hour],
  ])('with the defaults of Kubecost is widened to whole stored sets: %s', (window, start, end, seconds) => {
    expect(allocation({ window }, kubecost)).toMatchObject({ window: { start, end }, step: { seconds } });
  });

  it('with the defaults of OpenCost, or with a step, has the exact window', () => {
    const window = '1794614500,1794700900';
    const exact = { window: { start: 1794614500, end: 1794700900 } };
    expect(allocation({ window })).toMatchObject(exact);
    expect(allocation({ window, step: '1h' }, kubecost)).toMatchObject(exact);
  });

  it('with the defaults of Kubecost has days at the configured UTC offset', () => {
    const east = { ...kubecost, utcOffsetSeconds: 2 * hour };
    const { start, end } = allocation({ window: '1794614500,1794700900' }, east).window;
    expect([start % day, end % day]).toEqual([22 * hour, 22 * hour]);
  });

  it.each([
    [{ includeIdle: 'true' }, true, true],
    [{ includeIdle: 'false' }, false, false],
    [{ idle: 'false' }, false, false],
    [{ idle: 'true', includeIdle: 'true' }, true, true],
    [{ idle: 'false', includeIdle: 'false' }, false, false],
    [{ includeIdle: 'nonsense' }, false, true],
  ])('%j switches idle', (parameters, ofOpencost, ofKubecost) => {
    expect(allocation(parameters).idle.include).toBe(ofOpencost);
    expect(allocation(parameters, kubecost).idle.include).toBe(ofKubecost);
  });

  it.each([
    [{ shareIdle: 'true' }, false, true],
    [{ shareIdle: 'weighted', includeIdle: 'true' }, true, true],
    [{ shareIdle: '1', includeIdle: 'true' }, true, true],
    [{ shareIdle: 'true', includeIdle: 'false' }, false, true],
    [{ shareIdle: 'false', includeIdle: 'true' }, false, false],
    [{ shareIdle: 'nonsense', includeIdle: 'true' }, false, false],
  ])('%j shares idle', (parameters, ofOpencost, ofKubecost) => {
    expect(allocation(parameters).idle.share).toBe(ofOpencost);
    const { include, share } = allocation(parameters, kubecost).idle;
    expect(share).toBe(ofKubecost);
    if (share) expect(include).toBe(true);
  });

  it.each([
    ['idleByNode', (on: string) => allocation({ idleByNode: on }).idle.byNode, false],
    ['splitIdle', (on: string) => allocation({ splitIdle: on }).idle.split, false],
    [
      'includeAggregatedMetadata',
      (on: string) => allocation({ includeAggregatedMetadata: on }).aggregatedMetadata,
      false,
    ],
    ['reconcile', (on: string) => allocation({ reconcile: on }).reconcile, true],
    ['includeVolumes', (on: string) => allocation({ includeVolumes: on }).volumes, true],
    ['shareTenancyCosts', (on: string) => allocation({ shareTenancyCosts: on }).sharing.tenancy, false],
    ['disableAdjustments', (on: string) => asset({ disableAdjustments: on }).disableAdjustments, false],
  ])('%s is a boolean in the syntax of Go', (_, of, byDefault) => {
    for (const on of ['1', 't', 'T', 'TRUE', 'true', 'True']) expect(of(on)).toBe(true);
    for (const off of ['0', 'f', 'F', 'FALSE', 'false', 'False']) expect(of(off)).toBe(false);
    for (const other of ['', 'yes', 'no', 'tRUE', ' true', '2', '\u0000']) expect(of(other)).toBe(byDefault);
  });

  it('is refused for features that are not built', () => {
    expect(refusal(() => allocation({ shareIdle: 'even' }), 'QUERY_NOT_BUILT')).toContain('shareIdle=even');
    const proportional = { includeProportionalAssetResourceCosts: 'true' };
    expect(refusal(() => allocation(proportional))).toContain('includeProportionalAssetResourceCosts');
    expect(refusal(() => allocation({ ...proportional, idle: 'false' }, kubecost))).toContain('includeIdle');
    const shown = { ...proportional, includeIdle: 'true' };
    expect(refusal(() => allocation(shown), 'QUERY_NOT_BUILT')).toContain('includeProportional');
    expect(refusal(() => allocation(proportional, kubecost), 'QUERY_NOT_BUILT')).toContain(
      'includeProportional',
    );
    expect(allocation({ includeProportionalAssetResourceCosts: 'false' })).toEqual(allocation({}));
  });

  it('shares costs', () => {
    expect(
      allocation({
        shareNamespaces: 'kube-system, monitoring ,',
        shareLabels: 'app.io/x:web, tier : a:b ',
        shareCost: '730.25',
        shareSplit: 'even',
        shareTenancyCosts: 'true',
      }).sharing,
    ).toEqual({
      namespaces: ['kube-system', 'monitoring'],
      labels: [
        { key: 'app_io_x', value: 'web' },
        { key: 'tier', value: 'a:b' },
      ],
      monthlyCost: 730.25,
      split: 'even',
      tenancy: true,
    });
  });

  it('ignores unknown parameters', () => {
    const unknown = {
      foo: 'bar',
      resolution: '1m',
      metrics: 'x',
      costUnit: 'y',
      sharelb: 'true',
      external: 'true',
    };
    expect(allocation(unknown)).toEqual(allocation({}));
  });

  it('is filtered by both filter languages', () => {
    const filterNamespaces = 'a';
    const equals = (field: string, value: string) => ({
      kind: 'compare',
      left: { kind: 'field', field },
      comparator: 'equals',
      values: [value],
    });
    const older = { kind: 'and', parts: [{ kind: 'or', parts: [equals('namespace', 'a')] }] };
    expect(allocation({ filterNamespaces }).filter).toEqual(older);
    expect(allocation({ filter: 'pod:"b"' }).filter).toEqual(equals('pod', 'b'));
    expect(allocation({ filterNamespaces, filter: 'pod:"b"|pod:c' }).filter).toEqual({
      kind: 'and',
      parts: [{ kind: 'or', parts: [equals('pod', 'b'), equals('pod', 'c')] }, older],
    });
    expect(allocation({ filterNamespaces, filter: '  ' }).filter).toEqual(older);
    expect(allocation({ filterNamespaces: '' })).not.toHaveProperty('filter');
    expect(allocation({ filter: '' })).not.toHaveProperty('filter');
  });

  it.each([
    [{}, 'totalCost', true],
    [{ sortBy: 'name', sortByOrder: 'asc' }, 'name', false],
    [{ sortBy: 'CPUCOST' }, 'cpuCost', true],
    [{ sortByOrder: 'ASC' }, 'totalCost', false],
    [{ sortBy: ' minutes ', sortByOrder: 'desc' }, 'minutes', true],
    [{ sortBy: 'pvByteHours' }, 'pvByteHours', true],
  ])('is sorted: %j', (parameters, by, descending) => {
    expect(allocation(parameters).sort).toEqual({ by, descending });
  });

  it('with an unknown sort field is refused, naming the nearest one', () => {
    expect(refusal(() => allocation({ sortBy: 'totalcosts' }))).toContain(
      '"totalcosts" is not a field to sort by; did you mean totalCost?',
    );
    expect(refusal(() => allocation({ sortBy: 'x'.repeat(16_000) }))).toContain('did you mean');
  });

  it.each([
    ['window', { window: undefined }],
    ['window', { window: 'foo' }],
    ['step', { step: 'foo' }],
    ['accumulate', { accumulate: 'foo' }],
    ['accumulateBy', { accumulateBy: 'foo' }],
    ['aggregate', { aggregate: 'foo' }],
    ['filter', { filter: 'foo' }],
    ['offset', { offset: '-1' }],
    ['offset', { offset: '1.5' }],
    ['limit', { limit: 'ten' }],
    ['limit', { limit: '-1' }],
    ['limit', { limit: '9999999999' }],
    ['shareLabels', { shareLabels: 'a' }],
    ['shareLabels', { shareLabels: ':a' }],
    ['shareCost', { shareCost: 'much' }],
    ['shareCost', { shareCost: '1e400' }],
    ['shareCost', { shareCost: 'NaN' }],
    ['shareSplit', { shareSplit: 'odd' }],
    ['sortBy', { sortBy: 'properties' }],
    ['sortByOrder', { sortByOrder: 'up' }],
    ['sortByOrder', { sortByOrder: 'descending', sortBy: 'name' }],
  ])('is refused for its %s: %j', (parameter, parameters) => {
    const message = refusal(() => allocation(parameters));
    expect(message).toMatch(new RegExp(`^Invalid '${parameter}' parameter: `));
    const text = Object.values<string | undefined>(parameters)[0];
    if (text !== undefined) expect(message).toContain(JSON.stringify(text));
  });

  it('has pages', () => {
    expect(allocation({ offset: '10', limit: '5' })).toMatchObject({ offset: 10, limit: 5 });
  });

  it('with the defaults of OpenCost ignores the parameter idle of Kubecost', () => {
    expect(allocation({ idle: 'true' }).idle.include).toBe(false);
    expect(allocation({ idle: 'false', includeIdle: 'true' }).idle.include).toBe(true);
    expect(allocation({ idle: 'false', includeIdle: 'true' }, kubecost).idle.include).toBe(false);
  });

  it.each(['day', 'week', 'month', 'quarter'])(
    'of a few hours accumulated by %s has steps of whole days',
    (accumulate) => {
      expect(allocation({ window: '6h', accumulate }).step).toEqual(oneDay);
      expect(allocation({ window: '6h', accumulate }, kubecost).step).toEqual(oneDay);
    },
  );

  it('of a few hours has hours of UTC, whatever the offset of days', () => {
    const india = { ...kubecost, utcOffsetSeconds: 5.5 * hour };
    expect(allocation({ window: '2h' }, india)).toMatchObject({
      window: { start: at('2026-11-18T09:00:00Z'), end: at('2026-11-18T11:00:00Z') },
      step: oneHour,
    });
  });

  it('has at most 10,000 sets, also in the periods that it touches', () => {
    expect(refusal(() => allocation({ window: '1h', step: '1s', accumulate: 'quarter' }))).toContain(
      '7948800',
    );
    expect(
      refusal(() => allocation({ window: '0,3000000000', step: '9999d', accumulate: 'hour' })),
    ).toContain('833334');
    expect(allocation({ window: '90d', step: '1h', accumulate: 'quarter' }).accumulate).toBe('quarter');
  });

  it('has at most 10,000 sets', () => {
    expect(allocation({ window: '10000h', step: '1h' }).step).toEqual(oneHour);
    expect(refusal(() => allocation({ window: '10001h', step: '1h' }))).toContain('10001');
    expect(refusal(() => allocation({ window: '2w', step: '1m' }))).toContain('20160');
    expect(refusal(() => allocation({ window: '0,1794614400', accumulate: 'day' }))).toContain('10000');
    expect(refusal(() => allocation({ window: '0,1794614400' }, kubecost))).toContain('10000');
    expect(allocation({ window: '0,1794614400' }).step).toBe('window');
  });
});

describe('a query of assets', () => {
  it.each([{}, { accumulate: 'false' }, { accumulate: 'day' }, { step: '1d' }, { accumulate: 'weeknow' }])(
    'on the path without a prefix has one set, whatever the parameters: %j',
    (parameters) => {
      expect(asset(parameters)).toMatchObject({ step: 'window', accumulate: 'all' });
    },
  );

  it('with one set may have a step of any length', () => {
    expect(asset({ window: '730d', step: '1h' }).step).toBe('window');
    expect(refusal(() => asset({ window: '730d', step: '1h' }, kubecost))).toContain('17520');
  });

  it.each([
    [{}, { seconds: day }, 'none'],
    [{ accumulate: 'true' }, { seconds: day }, 'all'],
    [{ accumulate: 'week' }, { seconds: day }, 'week'],
    [{ step: '1h' }, { seconds: hour }, 'none'],
    [{ window: '3h' }, { seconds: hour }, 'none'],
  ])('with the defaults of Kubecost has a step and an accumulation: %j', (parameters, step, accumulate) => {
    expect(asset(parameters, kubecost)).toMatchObject({ step, accumulate });
  });

  it('has groups, filters and pages', () => {
    expect(asset({ aggregate: 'assetType', filter: 'assetType:"node"', limit: '3' })).toEqual({
      window: allocation({}).window,
      step: 'window',
      accumulate: 'all',
      groups: [{ kind: 'field', field: 'type' }],
      filter: {
        kind: 'compare',
        left: { kind: 'field', field: 'assetType' },
        comparator: 'equals',
        values: ['node'],
      },
      disableAdjustments: false,
      offset: 0,
      limit: 3,
      now: opencost.now,
    });
    expect(asset({})).not.toHaveProperty('groups');
    expect(asset({ filterTypes: 'Node' }).filter).toBeDefined();
    expect(asset({ filterTypes: 'Node', filter: '' })).toEqual(asset({ filterTypes: 'Node' }));
    expect(asset({ filterTypes: 'Node', filter: 'name:a' }).filter).toMatchObject({ kind: 'and' });
    expect(asset({ includeIdle: 'true' })).toEqual(asset({}));
  });

  it.each([
    { window: '' },
    { step: 'foo' },
    { accumulate: 'foo' },
    { aggregate: 'pod' },
    { filter: 'pod:"x"' },
  ])('is refused: %j', (parameters) => {
    expect(refusal(() => asset(parameters))).toContain(`Invalid '${Object.keys(parameters)[0]}' parameter`);
    expect(refusal(() => asset(parameters, kubecost))).toContain('Invalid');
  });
});

describe('a request for autocompletion', () => {
  it.each(
    'cluster namespace node controllerKind controllerName pod container label namespacelabel'.split(' '),
  )('of allocations: %s', (field) => {
    expect(complete({ field })).toEqual({
      of: 'allocations',
      window: allocation({}).window,
      field,
      search: '',
      limit: 100,
    });
  });

  it.each('type account cluster category provider providerID name'.split(' '))('of assets: %s', (field) => {
    expect(complete({ field }, 'assets')).toMatchObject({ of: 'assets', field });
  });

  it.each([
    ['label:app.io/name', 'label:app_io_name'],
    ['namespacelabel:a-b', 'namespacelabel:a_b'],
    ['namespaceLabel:a-b', 'namespacelabel:a_b'],
    ['Namespace', 'namespace'],
    ['environment', 'label:env'],
    ['team', 'label:team'],
  ])('%s', (field, meant) => {
    expect(complete({ field }).field).toBe(meant);
  });

  it('has a search, a filter and a limit of at most 1000', () => {
    const asked = complete({ field: 'pod', search: 'We', limit: '5000', filter: 'namespace:"a"' });
    expect(asked).toMatchObject({ search: 'We', limit: 1_000, filter: { kind: 'compare' } });
    expect(complete({ field: 'pod', limit: '7' }).limit).toBe(7);
    expect(complete({ field: 'pod', filterNamespaces: 'a' }).filter).toBeDefined();
  });

  it.each([
    ['field', {}],
    ['field', { field: '' }],
    ['field', { field: 'foo' }],
    ['field', { field: 'label:' }],
    ['field', { field: 'pod:x' }],
    ['field', { field: 'constructor' }],
    ['window', { field: 'pod', window: undefined }],
    ['filter', { field: 'pod', filter: '(' }],
    ['limit', { field: 'pod', limit: '-1' }],
  ])('is refused for its %s: %j', (parameter, parameters) => {
    expect(refusal(() => complete(parameters))).toContain(`Invalid '${parameter}' parameter`);
  });
});

it('any parameters are parsed, or refused as invalid or not built', () => {
  const names = [
    'window step accumulate accumulateBy aggregate filter filterLabels filterControllers shareLabels shareCost shareSplit',
    'shareIdle idle includeIdle includeProportionalAssetResourceCosts offset limit field search sortBy sortByOrder __proto__',
  ].flatMap((line) => line.split(' '));
  const values =
    '7d|today|1h|month|1s|true|all|cluster|label:app|team|pod:"a"|label[x]!~:"y"|(|1e9|-1|a:b|*|\u0000'.split(
      '|',
    );
  const value = fc.oneof(fc.constantFrom(...values), fc.string({ unit: 'binary' }));
  const parameters = fc.dictionary(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(parameters, fc.constantFrom(opencost, kubecost), (given, defaults) => {
      const asked = { window: '2d', ...given };
      for (const run of [
        () => parseAllocationRequest(asked, defaults),
        () => parseAssetRequest(asked, defaults),
        () => parseAutocompleteRequest('allocations', asked, defaults),
        () => parseAutocompleteRequest('assets', asked, defaults),
      ]) {
        try {
          const { start, end } = run().window;
          expect(start).toBeLessThan(end);
        } catch (error) {
          if (!isFederationError(error, 'QUERY_INVALID') && !isFederationError(error, 'QUERY_NOT_BUILT'))
            throw error;
        }
      }
    }),
    propertyRuns(500, 20_000),
  );
});
