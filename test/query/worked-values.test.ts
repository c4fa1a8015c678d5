import type { AllocationRow, AssetRow } from '../../query/answer';
import type { Filter } from '../../query/filter';
import type { AllocationRequest } from '../../query/request';
import { rowCost } from './reference/compare';
import { type Answered, implementations, withWorld } from './reference/implementations';
import { container, fields, request, smallWorld, thing, window } from './small-world';

/**
 * Data of the worked example in the query contract: one hour, two clusters, one node and three allocations. The
 * contract also states the values that the tests expect.
 */
const world = smallWorld(
  [
    container('c1/n1/x/a', { cpuCost: 0.3, ramCost: 0.1 }),
    container('c1/n1/y/b', { cpuCost: 0.1, ramCost: 0.1 }),
    container('c2/n1/x/d', { cpuCost: 0.2 }),
  ],
  [
    thing(
      'Node',
      { cluster: 'c1', name: 'n1', providerID: 'i-1' },
      { cpuCost: 1, ramCost: 0.5, discount: 0.2, adjustment: 0 },
    ),
  ],
);

const idle = { include: true, byNode: false, split: false, share: false };
const onlyY: Filter = {
  kind: 'compare',
  left: { kind: 'field', field: 'namespace' },
  comparator: 'equals',
  values: ['y'],
};
const base: AllocationRequest = { ...request, idle };

describe.each(implementations)("the contract's worked values, by $name", (implementation) => {
  async function ask(changes: Partial<AllocationRequest> = {}): Promise<Answered<AllocationRow>> {
    return withWorld(implementation, world, (opened) => opened.allocations({ ...base, ...changes }));
  }

  function rowsOf({ sets }: Answered<AllocationRow>): Record<string, AllocationRow> {
    expect(sets).toHaveLength(1);
    return Object.fromEntries((sets[0]?.rows ?? []).map((row) => [row.name, row]));
  }

  test('idle is the cost of the nodes less that of the allocations', async () => {
    const answer = await ask();
    const rows = rowsOf(answer);
    expect(Object.keys(rows).sort()).toEqual(['__idle__', 'x', 'y']);
    expect(rows.x?.cpuCost).toBeCloseTo(0.5, 12);
    expect(rows.y?.cpuCost).toBeCloseTo(0.1, 12);
    expect(rows.__idle__?.cpuCost).toBeCloseTo(0.4, 12);
    expect(rows.__idle__?.ramCost).toBeCloseTo(0.2, 12);
    expect(rows.x?.properties).toMatchObject({ namespace: 'x' });
    expect(rows.x?.properties).not.toHaveProperty('cluster');
    expect(rows.__idle__?.properties).toEqual({ cluster: 'c1' });
    if (answer.warnings !== undefined) expect(answer.warnings.join()).toContain('c2');
  });

  test('rows are sorted by descending total cost', async () => {
    const { sets } = await ask({ idle: { ...idle, include: false } });
    expect(sets[0]?.rows.map(({ name }) => name)).toEqual(['x', 'y']);
  });

  test('idle is shared by the cost of each allocation', async () => {
    const rows = rowsOf(await ask({ idle: { ...idle, share: true } }));
    expect(Object.keys(rows).sort()).toEqual(['x', 'y']);
    expect(rows.x?.cpuCost).toBeCloseTo(0.8, 12);
    expect(rows.y?.cpuCost).toBeCloseTo(0.2, 12);
    expect(rows.x?.ramCost).toBeCloseTo(0.2, 12);
    expect(rows.y?.ramCost).toBeCloseTo(0.2, 12);
  });

  test('shown idle is scaled to the allocations that the filter keeps', async () => {
    const rows = rowsOf(await ask({ filter: onlyY }));
    expect(Object.keys(rows).sort()).toEqual(['__idle__', 'y']);
    expect(rows.y?.cpuCost).toBeCloseTo(0.1, 12);
    expect(rows.__idle__?.cpuCost).toBeCloseTo(0.1, 12);
    expect(rows.__idle__?.ramCost).toBeCloseTo(0.1, 12);
  });

  test('groups are named by cluster and namespace, idle keeps its name unless it is split', async () => {
    const groups = fields('cluster', 'namespace');
    expect(Object.keys(rowsOf(await ask({ groups }))).sort()).toEqual(['__idle__', 'c1/x', 'c1/y', 'c2/x']);
    const split = rowsOf(await ask({ groups, idle: { ...idle, split: true } }));
    expect(Object.keys(split).sort()).toEqual(['c1/__idle__', 'c1/x', 'c1/y', 'c2/x']);
    const byNode = rowsOf(await ask({ groups, idle: { ...idle, split: true, byNode: true } }));
    expect(byNode['c1/n1/__idle__']?.properties).toEqual({ cluster: 'c1', node: 'n1', providerID: 'i-1' });
  });

  test('a monthly cost is shared by the hour, the future excepted', async () => {
    const sharing = { ...base.sharing, monthlyCost: 730 };
    const rows = rowsOf(await ask({ sharing, idle: { ...idle, include: false } }));
    expect(rows.x?.sharedCost).toBeCloseTo((1 * 0.6) / 0.8, 12);
    expect(rows.y?.sharedCost).toBeCloseTo((1 * 0.2) / 0.8, 12);
    const half = { sharing: { ...sharing, split: 'even' as const }, now: window.start + 1_800 };
    const even = rowsOf(await ask(half));
    expect([even.x?.sharedCost, even.y?.sharedCost]).toEqual([0.25, 0.25]);
    expect(even.__idle__?.sharedCost).toBe(0);
  });

  test('a shared namespace is removed, together with its share of idle', async () => {
    const sharing = { ...base.sharing, namespaces: ['y'] };
    const rows = rowsOf(await ask({ sharing, idle: { ...idle, share: true } }));
    expect(Object.keys(rows)).toEqual(['x']);
    expect(rows.x?.sharedCost).toBeCloseTo(0.4, 12);
    expect(rows.x && rowCost(rows.x)).toBeCloseTo(1.4, 12);
  });

  test('the discount of a node is subtracted from its cost', async () => {
    const question = { window, step: 'window', accumulate: 'none', disableAdjustments: false } as const;
    const answer = await withWorld(implementation, world, (opened) =>
      opened.assets({ ...question, offset: 0, now: base.now }),
    );
    const rows: readonly AssetRow[] = answer.sets[0]?.rows ?? [];
    expect(rows).toHaveLength(1);
    const undefinedPart = '__undefined__';
    expect(rows[0]).toMatchObject({
      type: 'Node',
      key: [...Array<string>(4).fill(undefinedPart), 'c1/Node', undefinedPart, 'i-1/n1'].join('/'),
    });
    expect(rows[0]?.totalCost).toBeCloseTo(1.2, 12);
  });
});
