import fc from 'fast-check';
import type { AllocationRow } from '../../query/answer';
import type { Filter } from '../../query/filter';
import { type Measure, measures } from '../../query/measures';
import type { AllocationRequest } from '../../query/request';
import { propertyRuns } from '../etl/run-counts';
import { allocationRequests, clusterNames, madeUpWorlds } from './made-up-sets';
import { allocationDifferences, near, rowCost, sum, totalOfAllocations } from './reference/compare';
import {
  type Answered,
  type Opened,
  propertyImplementations,
  reference,
  withWorld,
} from './reference/implementations';
import { sortValue } from './reference/order';
import type { StoredWorld } from './reference/stored-sets';

const options = propertyRuns(60, 1000);
const noSharing = { namespaces: [], labels: [], monthlyCost: 0, split: 'weighted' as const, tenancy: false };
const noIdle = { include: false, byNode: false, split: false, share: false };
const byContainer = [{ kind: 'field' as const, field: 'container' as const }];

function isIdle({ name }: AllocationRow): boolean {
  return name.includes('__idle__');
}

function fieldIs(field: string, value: string): Filter {
  return { kind: 'compare', left: { kind: 'field', field }, comparator: 'equals', values: [value] };
}

function and(filter: Filter | undefined, other: Filter): Filter {
  return filter === undefined ? other : { kind: 'and', parts: [filter, other] };
}

function expectNear(actual: number, expected: number): void {
  if (!near(actual, expected)) expect(actual).toBe(expected);
}

describe.each(propertyImplementations)('allocations, by $name', (implementation) => {
  /**
   * Generates many worlds (ETL data sets), each with a request, and calls `check` for each world and its request.
   * `check` can call `ask` to send the request. The argument of `ask` overrides members of the request.
   */
  async function always(
    check: (
      ask: (changes: Partial<AllocationRequest>) => Promise<Answered<AllocationRow>>,
      request: AllocationRequest,
      world: StoredWorld,
      opened: Opened,
    ) => Promise<void>,
  ): Promise<void> {
    await fc.assert(
      fc.asyncProperty(madeUpWorlds(), allocationRequests, async (world, request) =>
        withWorld(implementation, world, (opened: Opened) =>
          check((changes) => opened.allocations({ ...request, ...changes }), request, world, opened),
        ),
      ),
      options,
    );
  }

  test('cost the same whether idle is shown or shared', async () => {
    await always(async (ask, { idle }) => {
      const common = { filter: undefined, sharing: noSharing };
      const shown = await ask({ ...common, idle: { ...idle, include: true, share: false } });
      const shared = await ask({ ...common, idle: { ...idle, include: true, share: true } });
      expectNear(totalOfAllocations(shared), totalOfAllocations(shown));
    });
  });

  test('cost the same however they are grouped', async () => {
    await always(async (ask) => {
      const grouped = await ask({ sharing: noSharing });
      const whole = await ask({ sharing: noSharing, groups: [] });
      expect(grouped.sets.map(({ window }) => window)).toEqual(whole.sets.map(({ window }) => window));
      grouped.sets.forEach((set, index) => {
        const other = { sets: whole.sets.slice(index, index + 1) };
        expectNear(totalOfAllocations({ sets: [set] }), totalOfAllocations(other));
      });
    });
  });

  test('of all clusters add up to the total, also with shared idle', async () => {
    await always(async (ask, { filter, idle }) => {
      const common = { sharing: noSharing, idle: { ...idle, share: true } };
      const withoutIdle = ({ sets }: Answered<AllocationRow>) =>
        sum(sets.flatMap(({ rows }) => rows.filter((row) => !isIdle(row)).map(rowCost)));
      const parts = clusterNames.map(async (cluster) =>
        withoutIdle(await ask({ ...common, filter: and(filter, fieldIs('cluster', cluster)) })),
      );
      expectNear(sum(await Promise.all(parts)), withoutIdle(await ask(common)));
    });
  });

  test('are the sums of their steps when accumulated', async () => {
    const added = measures.filter((measure) => !measure.endsWith('Average'));
    await always(async (ask, { step }) => {
      if (step === 'window') return;
      const steps = await ask({ accumulate: 'none' });
      const all = await ask({ accumulate: 'all' });
      expect(all.sets).toHaveLength(1);
      const rows = Map.groupBy(
        steps.sets.flatMap((set) => set.rows),
        ({ name }) => name,
      );
      expect(all.sets[0]?.rows.map(({ name }) => name).sort()).toEqual([...rows.keys()].sort());
      for (const row of all.sets[0]?.rows ?? []) {
        const parts = rows.get(row.name) ?? [];
        const partsOf = (measure: Measure) => sum(parts.map((part) => part[measure]));
        for (const measure of added) expectNear(row[measure], partsOf(measure));
        expect(row.start).toBe(Math.min(...parts.map(({ start }) => start)));
        expect(row.end).toBe(Math.max(...parts.map(({ end }) => end)));
      }
    });
  });

  test('are filtered before they are grouped', async () => {
    await always(async (ask, { groups }) => {
      const common = { idle: noIdle, sharing: noSharing, filter: undefined };
      const split = await ask({ ...common, groups: [{ kind: 'field', field: 'namespace' }, ...groups] });
      const filtered = await ask({ ...common, groups, filter: fieldIs('namespace', 'x') });
      const ofX = split.sets.flatMap(({ rows }) =>
        rows.filter(({ name }) => name === 'x' || name.startsWith('x/')),
      );
      expectNear(totalOfAllocations(filtered), sum(ofX.map(rowCost)));
    });
  });

  test('keep their total cost when some are shared among the others', async () => {
    await always(async (ask, { sharing: { namespaces, labels } }) => {
      const common = { groups: byContainer, filter: undefined, accumulate: 'none' as const };
      const before = await ask({ ...common, sharing: noSharing });
      const after = await ask({ ...common, sharing: { ...noSharing, namespaces, labels, split: 'even' } });
      after.sets.forEach((set, index) => {
        if (!set.rows.some((row) => row.name !== '__unmounted__' && !isIdle(row))) return;
        const other = { sets: before.sets.slice(index, index + 1) };
        expectNear(totalOfAllocations({ sets: [set] }), totalOfAllocations(other));
      });
    });
  });

  test('share a monthly cost by the hour, unmounted ones and idle excepted', async () => {
    await always(async (ask, { now }) => {
      const common = { groups: byContainer, filter: undefined, accumulate: 'none' as const };
      const before = await ask({ ...common, sharing: noSharing });
      const after = await ask({ ...common, sharing: { ...noSharing, monthlyCost: 73, split: 'even' } });
      const gets = (row: AllocationRow) => row.name !== '__unmounted__' && !isIdle(row);
      after.sets.forEach(({ window, rows }, index) => {
        const hours = Math.max(0, Math.min(window.end, now) - window.start) / 3_600;
        const some = rows.some(gets);
        const more = sum(rows.map(rowCost)) - sum((before.sets[index]?.rows ?? []).map(rowCost));
        expectNear(more, some ? hours / 10 : 0);
      });
    });
  });

  test('report their share of idle separately', async () => {
    await always(async (ask, { idle }) => {
      const common = { sharing: noSharing };
      const plain = await ask({ ...common, idle: noIdle });
      const charged = await ask({ ...common, idle: { ...idle, include: true, share: true } });
      charged.sets.forEach(({ rows }, index) => {
        const before = new Map(plain.sets[index]?.rows.map((row) => [row.name, row]));
        for (const row of rows.filter((one) => !isIdle(one))) {
          expectNear(row.cpuCost - row.cpuCostIdle, before.get(row.name)?.cpuCost ?? NaN);
          expectNear(row.gpuCost - row.gpuCostIdle, before.get(row.name)?.gpuCost ?? NaN);
          expectNear(row.ramCost - row.ramCostIdle, before.get(row.name)?.ramCost ?? NaN);
        }
      });
    });
  });

  test('bear the management cost of their cluster, unless their own cost is 0', async () => {
    await always(async (ask, { window, step, reconcile, now }, _world, opened) => {
      const groups = [{ kind: 'field' as const, field: 'cluster' as const }];
      const common = { groups, idle: noIdle, filter: undefined, accumulate: 'none' as const };
      const mounted = { kind: 'not' as const, part: fieldIs('container', '__unmounted__') };
      const weights = await ask({ ...common, sharing: noSharing, filter: mounted });
      const before = await ask({ ...common, sharing: noSharing });
      const after = await ask({ ...common, sharing: { ...noSharing, tenancy: true } });
      const management = await opened.assets({
        ...{ window, step, now, groups, accumulate: 'none', offset: 0 },
        filter: fieldIs('assetType', 'clustermanagement'),
        disableAdjustments: !reconcile,
      });
      after.sets.forEach(({ rows }, index) => {
        for (const row of rows) {
          const same = ({ name }: AllocationRow) => name === row.name;
          const weight = weights.sets[index]?.rows.find(same);
          const cost = management.sets[index]?.rows.find(({ key }) => key === row.name)?.totalCost ?? 0;
          const borne = weight === undefined || near(rowCost(weight), 0) ? 0 : cost;
          expectNear(row.sharedCost - (before.sets[index]?.rows.find(same)?.sharedCost ?? 0), borne);
        }
      });
    });
  });

  test('list volumes and load balancers that add up to the costs of the row', async () => {
    await always(async (ask) => {
      for (const row of (await ask({ details: true, volumes: true })).sets.flatMap(({ rows }) => rows)) {
        const [volumes, balancers] = [Object.entries(row.pvs ?? {}), Object.values(row.lbAllocations ?? {})];
        expectNear(sum(volumes.map(([, { cost }]) => cost)), row.pvCost);
        expectNear(sum(volumes.map(([, { byteHours }]) => byteHours)), row.pvByteHours);
        expectNear(sum(balancers.map(({ cost }) => cost)), row.loadBalancerCost);
        for (const [key] of volumes) expect(key).toMatch(/^cluster=[^:]+:name=[^:]+$/);
      }
    });
  });

  test('are the same but for volumes and load balancers without these', async () => {
    await always(async (ask) => {
      const short = await ask({ volumes: false });
      const bare = ({ sets }: Answered<AllocationRow>) =>
        sets.map((set) => ({
          ...set,
          rows: set.rows.map((row) => ({ ...row, pvs: null, lbAllocations: null })),
        }));
      expect(short.sets).toEqual(bare(short));
      expect(allocationDifferences({ sets: bare(await ask({})) }, short)).toEqual([]);
    });
  });

  test('are sorted by descending cost or as requested, ties by name', async () => {
    await always(async (ask, { sort }) => {
      for (const { rows } of (await ask({ sort: { by: 'totalCost', descending: true } })).sets) {
        const costs = rows.map(rowCost);
        const inOrder = costs.every((cost, at) => at === 0 || cost <= (costs[at - 1] ?? 0) + 1e-9);
        expect(inOrder).toBe(true);
      }
      for (const { rows } of (await ask({})).sets) {
        const wrong = rows.slice(1).filter((row, at) => {
          const [a, b] = [rows[at] && sortValue(rows[at], sort.by), sortValue(row, sort.by)];
          if (a === b) return (rows[at]?.name ?? '') > row.name;
          if (a === null || a === undefined || b === null) return a === null;
          return sort.descending ? a < b : a > b;
        });
        expect(wrong).toEqual([]);
      }
    });
  });

  test('are split into pages that together are complete, with all idle in each', async () => {
    await always(async (ask) => {
      const whole = await ask({});
      const limit = 2;
      const all = whole.sets.map(({ rows }) => rows.filter((row) => !isIdle(row)).map(({ name }) => name));
      const idle = whole.sets.map(({ rows }) => rows.filter(isIdle).map(({ name }) => name));
      const longest = Math.max(...all.map(({ length }) => length));
      for (let offset = 0; offset <= longest + limit; offset += limit) {
        const page = await ask({ offset, limit });
        const expected = all.map((names) => names.slice(offset, offset + limit));
        expect(
          page.sets.map(({ rows }) => rows.filter((row) => !isIdle(row)).map(({ name }) => name)),
        ).toEqual(expected);
        expect(page.sets.map(({ rows }) => rows.filter(isIdle).map(({ name }) => name))).toEqual(
          idle.map((names, set) => (offset === 0 || (expected[set]?.length ?? 0) > 0 ? names : [])),
        );
      }
    });
  });

  test('equal those of the reference', async () => {
    await always(async (ask, request, world) => {
      const expected = await withWorld(reference, world, (opened) => opened.allocations(request));
      expect(allocationDifferences(expected, await ask({}), request.details)).toEqual([]);
    });
  });
});
