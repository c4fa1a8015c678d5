import fc from 'fast-check';
import type { AssetRow } from '../../query/answer';
import type { Filter } from '../../query/filter';
import type { AssetRequest } from '../../query/request';
import { propertyRuns } from '../etl/run-counts';
import { assetRequests, clusterNames, madeUpWorlds } from './made-up-sets';
import { assetDifferences, near, sum, totalOfAssets } from './reference/compare';
import { type Answered, propertyImplementations, reference, withWorld } from './reference/implementations';
import type { StoredWorld } from './reference/stored-sets';

const options = propertyRuns(60, 1000);

function fieldIs(field: string, value: string): Filter {
  return { kind: 'compare', left: { kind: 'field', field }, comparator: 'equals', values: [value] };
}

function expectNear(actual: number, expected: number): void {
  if (!near(actual, expected)) expect(actual).toBe(expected);
}

describe.each(propertyImplementations)('assets, by $name', (implementation) => {
  /**
   * Generates many worlds (ETL data sets), each with a request, and calls `check` for each world and its request.
   * `check` can call `ask` to send the request. The argument of `ask` overrides members of the request.
   */
  async function always(
    check: (
      ask: (changes: Partial<AssetRequest>) => Promise<Answered<AssetRow>>,
      request: AssetRequest,
      world: StoredWorld,
    ) => Promise<void>,
  ): Promise<void> {
    await fc.assert(
      fc.asyncProperty(madeUpWorlds(), assetRequests, async (world, request) =>
        withWorld(implementation, world, (opened) =>
          check((changes) => opened.assets({ ...request, ...changes }), request, world),
        ),
      ),
      options,
    );
  }

  test('cost the same however they are grouped', async () => {
    await always(async (ask) => {
      const byCluster = await ask({ groups: [{ kind: 'field', field: 'cluster' }] });
      expectNear(totalOfAssets(await ask({})), totalOfAssets(byCluster));
    });
  });

  test('of all clusters add up to the total', async () => {
    await always(async (ask, { filter }) => {
      const parts = clusterNames.map(async (cluster) => {
        const ofCluster = fieldIs('cluster', cluster);
        const both: Filter = filter === undefined ? ofCluster : { kind: 'and', parts: [filter, ofCluster] };
        return totalOfAssets(await ask({ filter: both }));
      });
      expectNear(sum(await Promise.all(parts)), totalOfAssets(await ask({})));
    });
  });

  test('are the sums of their steps when accumulated', async () => {
    await always(async (ask, { step }) => {
      if (step === 'window') return;
      const steps = await ask({ accumulate: 'none' });
      const all = await ask({ accumulate: 'all' });
      const rows = Map.groupBy(
        steps.sets.flatMap((set) => set.rows),
        ({ key }) => key,
      );
      expect(all.sets[0]?.rows.map(({ key }) => key).sort()).toEqual([...rows.keys()].sort());
      for (const row of all.sets[0]?.rows ?? []) {
        const parts = rows.get(row.key) ?? [];
        expectNear(row.totalCost, sum(parts.map(({ totalCost }) => totalCost)));
        expectNear(row.adjustment, sum(parts.map(({ adjustment }) => adjustment)));
      }
    });
  });

  test('are filtered before they are grouped', async () => {
    await always(async (ask) => {
      const groups = [{ kind: 'field' as const, field: 'type' as const }];
      const all = await ask({ groups, filter: undefined });
      const disks = await ask({ groups: [], filter: fieldIs('assetType', 'disk') });
      const rows = all.sets.flatMap((set) => set.rows.filter(({ key }) => key === 'Disk'));
      expectNear(totalOfAssets(disks), sum(rows.map(({ totalCost }) => totalCost)));
    });
  });

  test('cost the sum of their parts', async () => {
    await always(async (ask, { disableAdjustments }) => {
      for (const row of (await ask({})).sets.flatMap((set) => set.rows)) {
        if (disableAdjustments) expect(row.adjustment).toBe(0);
        if (row.type !== 'Node') continue;
        const listed = (row.cpuCost + row.ramCost) * (1 - row.discount);
        expectNear(row.totalCost, listed + row.gpuCost + row.adjustment);
      }
    });
  });

  test('are sorted by descending cost, and paged in that order', async () => {
    await always(async (ask) => {
      const whole = await ask({});
      for (const { rows } of whole.sets) {
        const costs = rows.map(({ totalCost }) => totalCost);
        const inOrder = costs.every((cost, at) => at === 0 || cost <= (costs[at - 1] ?? 0) + 1e-9);
        expect(inOrder).toBe(true);
      }
      const part = await ask({ offset: 1, limit: 2 });
      const keys = ({ rows }: { rows: readonly AssetRow[] }) => rows.map(({ key }) => key);
      expect(part.sets.map(keys)).toEqual(whole.sets.map((set) => keys(set).slice(1, 3)));
    });
  });

  test('equal those of the reference', async () => {
    await always(async (ask, request, world) => {
      const expected = await withWorld(reference, world, (opened) => opened.assets(request));
      expect(assetDifferences(expected, await ask({}))).toEqual([]);
    });
  });
});
