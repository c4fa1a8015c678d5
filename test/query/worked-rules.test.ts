import type { Allocation, Asset, PVEntry } from '../../etl/model';
import type { AllocationRow } from '../../query/answer';
import type { AllocationGroup, AllocationRequest } from '../../query/request';
import { volume } from '../etl/build-records';
import { implementations, withWorld } from './reference/implementations';
import type { StoredWorld } from './reference/stored-sets';
import { container, fields, request, smallWorld, thing, window } from './small-world';

type Rows = readonly AllocationRow[];

const names = (rows: Rows) => rows.map(({ name }) => name);
const byName = (rows: Rows) => Object.fromEntries(rows.map((row) => [row.name, row]));
const cost = (row: AllocationRow | undefined) => row && row.cpuCost + row.ramCost + row.sharedCost;

function node(cluster: string, name: string, words: object = {}, labels: Record<string, string> = {}): Asset {
  const costs = {
    cpuCost: 1,
    ramCost: 0.5,
    discount: 0,
    adjustment: 0,
    labels: new Map(Object.entries(labels)),
  };
  return thing('Node', { cluster, name, ...words }, costs);
}

function volumeOf(cluster: string, name: string, cost: number, providerID = ''): PVEntry {
  const { key, value } = volume(name, cost, providerID);
  return { key: { ...key, cluster }, value };
}

describe.each(implementations)("the contract's rules, by $name", (implementation) => {
  async function ask(
    allocations: Allocation[],
    assets: Asset[],
    changes: Partial<AllocationRequest> = {},
  ): Promise<Rows> {
    return withWorld(implementation, smallWorld(allocations, assets), async (opened) => {
      const { sets } = await opened.allocations({ ...request, ...changes });
      expect(sets).toHaveLength(1);
      return sets[0]?.rows ?? [];
    });
  }

  describe('shared idle', () => {
    const allocations = [
      container('c1/n1/x/a', { cpuCost: 0.3, ramCost: 0.1 }),
      container('c1/n1/y/b', { cpuCost: 0.1, ramCost: 0.1 }),
      container('c2/n1/x/d', { cpuCost: 0.2 }),
    ];
    const idle = { include: true, byNode: false, split: false, share: true };

    test('is also reported separately from the cost that includes it', async () => {
      const rows = byName(await ask(allocations, [node('c1', 'n1')], { idle }));
      expect(rows['x']?.cpuCost).toBeCloseTo(0.5 + 0.45, 12);
      expect(rows['x']?.cpuCostIdle).toBeCloseTo(0.45, 12);
      expect(rows['y']?.cpuCostIdle).toBeCloseTo(0.15, 12);
      expect(rows['x']?.ramCostIdle).toBeCloseTo(0.15, 12);
      expect(rows['x']?.gpuCostIdle).toBe(0);
    });

    test('is part of shared costs, but not of their weights', async () => {
      const sharing = { ...request.sharing, namespaces: ['y'] };
      const rows = byName(
        await ask(allocations, [node('c1', 'n1')], { groups: fields('pod'), sharing, idle }),
      );
      // `b` costs 0.5: its own cost (0.2), a quarter of the idle CPU cost (0.6 / 4), and half of the idle RAM cost
      // (0.3 / 2). The 0.5 is shared between `a` and `d` in proportion to their own costs, which are 0.4 and 0.2.
      expect(Object.keys(rows)).toEqual(['a', 'd']);
      expect(rows['a']?.sharedCost).toBeCloseTo((0.5 * 0.4) / 0.6, 12);
      expect(rows['d']?.sharedCost).toBeCloseTo((0.5 * 0.2) / 0.6, 12);
    });
  });

  describe('the management cost of a cluster', () => {
    const allocations = [
      container('c1/n1/x/a', { cpuCost: 0.3 }),
      container('c1/n1/y/b', { cpuCost: 0.1 }),
      container('c1/n1/kube-system/k', { cpuCost: 0.4 }),
      container('c1//__unmounted__/__unmounted__', { pvs: [volume('v', 5)] }, { container: '__unmounted__' }),
      container('c2/n1/x/d', { cpuCost: 0.2 }),
      container('c3/n1/z/e'),
    ];
    const management = (cluster: string) =>
      thing('ClusterManagement', { cluster, name: 'control plane' }, { cost: 0.08, adjustment: 0.02 });
    const sharing = { ...request.sharing, tenancy: true };
    const assets = [management('c1'), management('c3'), node('c1', 'n1')];

    test('is borne by the remaining allocations of the cluster', async () => {
      const shared = { sharing: { ...sharing, namespaces: ['kube-system'] }, groups: fields('pod') };
      const rows = byName(await ask(allocations, assets, shared));
      // The cost of kube-system (0.4) is shared among the other allocations of all clusters, which cost 0.6 in total.
      // The management cost of c1 (0.1) is shared only among the other allocations of c1, which cost 0.4 in total.
      expect(rows['a']?.sharedCost).toBeCloseTo((0.4 * 0.3) / 0.6 + (0.1 * 0.3) / 0.4, 12);
      expect(rows['b']?.sharedCost).toBeCloseTo((0.4 * 0.1) / 0.6 + (0.1 * 0.1) / 0.4, 12);
      expect(rows['d']?.sharedCost).toBeCloseTo((0.4 * 0.2) / 0.6, 12);
      // Shares are in proportion to costs. `e`, the only allocation of c3, costs 0, so its share of the management cost
      // of c3 is 0.
      expect(rows['e']?.sharedCost).toBe(0);
      expect(rows['__unmounted__']?.sharedCost).toBe(0);
    });

    test('is not borne for allocations that a filter drops, and has no adjustment without reconcile', async () => {
      const filter = {
        kind: 'compare' as const,
        left: { kind: 'field' as const, field: 'namespace' },
        comparator: 'equals' as const,
        values: ['x'],
      };
      const idle = { include: true, byNode: false, split: false, share: true };
      const rows = byName(await ask(allocations, assets, { sharing, filter, idle, groups: fields('pod') }));
      expect(rows['a']?.sharedCost).toBeCloseTo((0.1 * 0.3) / 0.8, 12);
      const unadjusted = byName(
        await ask(allocations, assets, { sharing, reconcile: false, groups: fields('pod') }),
      );
      expect(unadjusted['a']?.sharedCost).toBeCloseTo((0.08 * 0.3) / 0.8, 12);
    });
  });

  describe('volumes', () => {
    const arn = 'arn:aws:eks:eu-west-1:1086:cluster/c1';
    const key = 'cluster=arn_aws_eks_eu-west-1_1086_cluster/c1:name=';

    test('have keys with one colon, and are merged if these are equal', async () => {
      const pvs = [volumeOf(arn, 'vol:1', 1, 'v'), volumeOf(arn, 'vol_1', 2), volumeOf(arn, 'vol-2', 4)];
      const rows = await ask([container(`c1/n1/x/a`, { pvs })], []);
      expect(rows[0]?.pvs).toEqual({
        [`${key}vol_1`]: { byteHours: 2, cost: 3, providerID: 'v' },
        [`${key}vol-2`]: { byteHours: 1, cost: 4, providerID: '' },
      });
      expect(rows[0]?.pvCost).toBe(7);
    });

    test('are listed up to the thousand most expensive, the others summed up per cluster', async () => {
      const many = (cluster: string, count: number, cost: number) =>
        Array.from({ length: count }, (_, index) =>
          volumeOf(cluster, `v${String(index).padStart(4, '0')}`, cost, 'p'),
        );
      const pvs = [...many('c1', 600, 2), ...many('c2', 600, 1), ...many(arn, 300, 0.5)];
      const rows = await ask([container('c1/n1/x/a', { pvs })], []);
      const listed = rows[0]?.pvs ?? {};
      expect(Object.keys(listed)).toHaveLength(1_002);
      expect(listed['cluster=c2:name=__other__']).toEqual({ byteHours: 200, cost: 200, providerID: '' });
      expect(listed[`${key}__other__`]).toEqual({ byteHours: 300, cost: 150, providerID: '' });
      expect([listed['cluster=c2:name=v0399'], listed['cluster=c2:name=v0400']]).toEqual([
        { byteHours: 1, cost: 1, providerID: 'p' },
        undefined,
      ]);
      expect(rows[0]?.pvCost).toBe(1_950);
    });

    test('are listed in rows of any size, if requested', async () => {
      const some = [container('c1/n1/x/a', { pvs: [volumeOf('c1', 'v', 1)] }), container('c2/n1/y/b')];
      const whole = await ask(some, [], { groups: [] });
      expect(Object.keys(whole[0]?.pvs ?? {})).toEqual(['cluster=c1:name=v']);
      for (const less of [{ volumes: false }, { details: false }]) {
        expect((await ask(some, [], { ...less, groups: [] }))[0]).toMatchObject({ pvs: null, pvCost: 1 });
      }
    });
  });

  describe('load balancers', () => {
    const balancer = (cost: number) => ({
      ...{ version: 25, service: 's', private: true, ip: '203.0.113.7', hours: 1 },
      cost,
    });
    const other = { service: '', private: false, ip: '' };

    test('that older agents did not list are summed up in one entry', async () => {
      const rows = await ask(
        [
          container('c1/n1/x/a', { loadBalancerCost: 3, loadBalancers: new Map([['x/s', balancer(1)]]) }),
          container('c1/n1/x/b', { loadBalancerCost: 2 }),
          container('c1/n1/y/b', { loadBalancerCost: 1, loadBalancers: new Map([['y/s', balancer(1)]]) }),
        ],
        [],
      );
      expect(rows.map(({ lbAllocations }) => lbAllocations)).toEqual([
        {
          'x/s': { service: 's', cost: 1, private: true, ip: '203.0.113.7', hours: 1 },
          __other__: { ...other, cost: 4, hours: 0 },
        },
        { 'y/s': { service: 's', cost: 1, private: true, ip: '203.0.113.7', hours: 1 } },
      ]);
    });

    test('beyond a thousand are summed up in one entry', async () => {
      const many = Array.from(
        { length: 1_200 },
        (_, index) => [`s${index}`, balancer(index < 1_000 ? 2 : 1)] as const,
      );
      const [row] = await ask(
        [container('c1/n1/x/a', { loadBalancerCost: 2_200, loadBalancers: new Map(many) })],
        [],
      );
      expect(Object.keys(row?.lbAllocations ?? {})).toHaveLength(1_001);
      expect(row?.lbAllocations?.['__other__']).toEqual({ ...other, cost: 200, hours: 200 });
    });
  });

  describe('groups', () => {
    const region = { topology_kubernetes_io_region: 'eu-west-1' };
    const eu = node('c1', 'n1', { account: '1086', provider: 'AWS' }, region);
    const us = node(
      'c1',
      'n2',
      { account: '1086', provider: 'AWS' },
      { label_topology_kubernetes_io_region: 'us' },
    );
    const group = (kind: 'namespaceLabel', key: string): AllocationGroup[] => [{ kind, key }];

    test('use the properties of the node; without a known node, those common to the cluster', async () => {
      const some = [
        container('c1/n1/x/a', { cpuCost: 1 }),
        container('c1/n2/x/b', { cpuCost: 2 }),
        container('c1/gone/x/c', { cpuCost: 4 }),
        container('c1//x/d', { cpuCost: 8 }),
        container('c2/n1/x/e', { cpuCost: 16 }),
      ];
      const costs = async (groups: AllocationGroup[]) =>
        Object.fromEntries((await ask(some, [eu, us], { groups })).map((row) => [row.name, row.cpuCost]));
      expect(await costs(fields('account'))).toEqual({ '1086': 15, __unallocated__: 16 });
      expect(await costs(fields('provider', 'region'))).toEqual({
        'AWS/eu-west-1': 1,
        'AWS/us': 2,
        'AWS/__unallocated__': 12,
        '__unallocated__/__unallocated__': 16,
      });
    });

    test('use the latest set of a node, of two with the same end the shorter', async () => {
      const { start } = window;
      const world = smallWorld([container('c1/n1/x/a', { cpuCost: 1 })]);
      const nodeOf = (from: number, to: number, resolution: string, account: string) => {
        const span = { start: start + from * 3_600, end: start + to * 3_600 };
        const { set } = smallWorld([], [node('c1', 'n1', { account })], span).assets[0] ?? {};
        return set === undefined ? [] : [{ ...span, resolution, set }];
      };
      const accountOf = async (assets: StoredWorld['assets']) =>
        withWorld(implementation, { ...world, assets }, async (opened) => {
          const { sets } = await opened.allocations({ ...request, groups: fields('account') });
          return names(sets[0]?.rows ?? []);
        });
      const [first, whole] = [nodeOf(0, 1, '1h', 'first'), nodeOf(0, 24, '1d', 'day')];
      expect(await accountOf([...whole, ...first])).toEqual(['day']);
      expect(await accountOf([...nodeOf(23, 24, '1h', 'last'), ...whole, ...first])).toEqual(['last']);
    });

    test('use labels of namespaces', async () => {
      const labels = { namespaceLabels: new Map([['team', 'a']]) };
      const some = [container('c1/n1/x/a', { cpuCost: 1 }, labels), container('c1/n1/y/b', { cpuCost: 2 })];
      const rows = await ask(some, [], { groups: group('namespaceLabel', 'team') });
      expect(names(rows)).toEqual(['__unallocated__', 'a']);
    });

    test('by service count unmounted volumes as unallocated', async () => {
      const volumes = { pvs: [volume('v', 5)] };
      const some = [
        container('c1//__unmounted__/__unmounted__', volumes, { container: '__unmounted__' }),
        container('c1/n1/x/a', { cpuCost: 1 }, { services: ['front'] }),
        container('c1/n1/x/b', { cpuCost: 2 }),
      ];
      const rows = await ask(some, [], { groups: fields('service') });
      expect(rows.map((row) => [row.name, row.pvCost + row.cpuCost])).toEqual([
        ['__unallocated__', 7],
        ['front', 1],
      ]);
    });
  });

  describe('rows', () => {
    const some = [
      container('c1/n1/a/a', { cpuCost: 1, ramCost: 4, cpuCoreUsageAverage: 3 }),
      container('c1/n1/b/b', { cpuCost: 2, ramCost: 4, cpuCoreUsageAverage: 2, cpuCoreRequestAverage: 4 }),
      container('c1/n1/c/c', { cpuCost: 3 }),
    ];
    const idle = { include: true, byNode: true, split: true, share: false };
    const nodes = [node('c1', 'n1'), node('c1', 'n2'), node('c1', 'n3')];

    test.each([
      ['name', false, 'a b c'],
      ['name', true, 'c b a'],
      ['cpuCost', true, 'c b a'],
      ['ramCost', true, 'a b c'],
      ['ramCost', false, 'c a b'],
      ['cpuEfficiency', true, 'a b c'],
      ['totalCost', false, 'c a b'],
    ] as const)('are sorted by %s, descending: %s', async (by, descending, expected) => {
      expect(names(await ask(some, [], { sort: { by, descending } }))).toEqual(expected.split(' '));
    });

    test('are paged, with idle in each page beyond the limit', async () => {
      const page = async (offset: number, limit?: number) =>
        names(await ask(some, nodes, { idle, offset, ...(limit !== undefined && { limit }) })).filter(
          (name) => !name.includes('__idle__') || name.includes('n2'),
        );
      expect(await page(0, 2)).toEqual(['b', 'a', 'c1/n2/__idle__']);
      expect(await page(2, 2)).toEqual(['c', 'c1/n2/__idle__']);
      expect(await page(3, 2)).toEqual([]);
      expect(await page(1)).toEqual(['a', 'c', 'c1/n2/__idle__']);
      expect(await page(0, 0)).toEqual(['c1/n2/__idle__']);
      expect(await page(1, 0)).toEqual([]);
    });
  });

  test('numbers that are NaN or infinite count as 0', async () => {
    const balancer = { version: 25, service: 's', cost: NaN, private: false, ip: '', hours: Infinity };
    const pvs = [volumeOf('c1', 'v', NaN), volumeOf('c1', 'w', 2)];
    const odd = container('c1/n1/x/a', {
      cpuCost: NaN,
      ramCost: Infinity,
      networkCost: -Infinity,
      cpuCoreUsageAverage: NaN,
      sharedCost: 1,
      loadBalancers: new Map([['x/s', balancer]]),
      pvs,
    });
    const rows = await ask([odd, container('c1/n1/x/b', { cpuCost: 3 })], []);
    expect(rows[0]).toMatchObject({
      cpuCost: 3,
      ramCost: 0,
      networkCost: 0,
      cpuCoreUsageAverage: 0,
      pvCost: 2,
      pvs: { 'cluster=c1:name=v': { cost: 0 } },
      lbAllocations: { 'x/s': { cost: 0, hours: 0 } },
    });
    expect(cost(rows[0])).toBe(4);
  });

  test('the breakdowns of merged disks are weighted by cost', async () => {
    const disk = (name: string, diskCost: number, byteHours: number, idle: number) =>
      thing(
        'Disk',
        { cluster: 'c1', name },
        {
          ...{ cost: diskCost, byteHours, adjustment: 10 },
          breakdown: { version: 21, idle, other: 0, system: 0, user: 1 - idle },
        },
      );
    const world = smallWorld([], [disk('a', 3, 100, 1), disk('b', 1, 300, 0)]);
    const answer = await withWorld(implementation, world, (opened) =>
      opened.assets({
        ...{ window, step: 'window', accumulate: 'none', offset: 0, now: request.now },
        groups: [{ kind: 'field', field: 'type' }],
        disableAdjustments: false,
      }),
    );
    expect(answer.sets[0]?.rows).toMatchObject([{ totalCost: 24, breakdown: { idle: 0.75, user: 0.25 } }]);
  });
});
