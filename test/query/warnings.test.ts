import { Registry } from 'prom-client';
import { registerMetrics } from '../../api/metrics';
import type { Allocation, Asset } from '../../etl/model';
import type { WantedFile } from '../../query/ingest';
import type { Serving } from '../../query/publish';
import type { AllocationRequest, AssetRequest } from '../../query/request';
import { allocation, allocationSet, asset, assetSet } from '../etl/build-records';
import { openEngine, wantedSet } from './engine-over';
import { firstDay, instant, timeWindow } from './made-up-sets';

/* Tests the warnings that concern the served data, not the request. */

const hour = 3_600;
const day = 86_400;
let engine: Awaited<ReturnType<typeof openEngine>>;
let served = 0;
beforeAll(async () => (engine = await openEngine()));
afterAll(() => engine.dispose());

const noSharing = {
  namespaces: [],
  labels: [],
  monthlyCost: 0,
  split: 'weighted' as const,
  tenancy: false,
};
const whole: AllocationRequest = {
  ...{ window: { start: firstDay, end: firstDay + day }, step: 'window', accumulate: 'none' },
  ...{ groups: [], idle: { include: false, byNode: false, split: false, share: false }, sharing: noSharing },
  ...{ aggregatedMetadata: false, reconcile: true, sort: { by: 'totalCost', descending: true } },
  ...{ offset: 0, now: firstDay + 2 * day },
};
const assetsWhole: AssetRequest = {
  ...{ window: whole.window, step: 'window', accumulate: 'none' },
  ...{ disableAdjustments: false, offset: 0, now: whole.now },
};

interface Span {
  readonly start: number;
  readonly end: number;
}

const theDay: Span = whole.window;
const hourAt = (index: number): Span => ({
  start: firstDay + index * hour,
  end: firstDay + (index + 1) * hour,
});
const theHours = Array.from({ length: 24 }, (_, index) => hourAt(index));

function container(cluster: string, span: Span, fields: Partial<Allocation>): Allocation {
  return allocation(`${cluster}/n/x/p/main`, {
    ...{ window: timeWindow(span), start: instant(span.start), end: instant(span.end) },
    properties: {
      ...{ version: 25, cluster, node: 'n', namespace: 'x', pod: 'p', container: 'main' },
      ...{ controller: '', controllerKind: '', providerID: '', services: null, labels: null },
      ...{ annotations: null, namespaceLabels: null, namespaceAnnotations: null },
    },
    ...fields,
  });
}

function allocationsOf(span: Span, records: Allocation[]): WantedFile {
  const resolution = span.end - span.start === day ? '1d' : '1h';
  const path = `allocations/${resolution}/${span.start}-${span.end}`;
  return wantedSet(path, { ...allocationSet(records), window: timeWindow(span) }, `${served}`);
}

function assetsOf(span: Span, records: Asset[]): WantedFile {
  const path = `assets/1d/${span.start}-${span.end}`;
  return wantedSet(path, { ...assetSet(records), window: timeWindow(span) }, `${served}`);
}

async function serve(files: WantedFile[], serving: Partial<Serving> = {}): Promise<void> {
  await engine.serve(files, { ingestedAt: String(++served), ...serving });
}

describe('numbers that are NaN or infinite', () => {
  const broken = {
    ...{ cpuCost: NaN, ramCost: Infinity, networkCost: -Infinity, sharedCost: 1 },
    pvs: [NaN, 2].map((cost, index) => ({
      key: { version: 25, cluster: 'c1', name: `pv-${index}` },
      value: { version: 25, byteHours: 4, cost, providerID: '' },
    })),
  };

  test('count as 0 and are reported once, with cluster, window and field', async () => {
    await serve([
      allocationsOf(theDay, [container('c1', theDay, broken), container('c2', theDay, { cpuCost: 5 })]),
    ]);
    const { sets, warnings } = await engine.allocations(whole);
    expect(sets[0]?.rows).toMatchObject([
      { cpuCost: 5, ramCost: 0, networkCost: 0, sharedCost: 1, pvCost: 2, pvByteHours: 8 },
    ]);
    expect(sets[0]?.rows[0]?.pvs).toEqual({
      'cluster=c1:name=pv-0': { byteHours: 4, cost: 0, providerID: '' },
      'cluster=c1:name=pv-1': { byteHours: 4, cost: 2, providerID: '' },
    });
    expect(warnings).toEqual([
      'NaN or infinite numbers count as 0: c1 (2026-11-14T00:00:00Z to 2026-11-15T00:00:00Z: cpuCost, networkCost, pvs.cost, ramCost).',
    ]);
    const counts = engine.state().clusters.map(({ cluster, notFinite }) => [cluster, notFinite]);
    expect(counts).toEqual([
      ['c1', 4],
      ['c2', 0],
    ]);
    const metrics = new Registry();
    registerMetrics(metrics, engine, () => whole.now);
    const text = await metrics.metrics();
    expect(text).toContain('federated_etl_cluster_numbers_not_finite{cluster_id="c1"} 4');
  });

  test('are reported only by answers that use them', async () => {
    const good = container('c1', hourAt(30), { cpuCost: 5 });
    await serve([
      allocationsOf(hourAt(0), [container('c1', hourAt(0), broken)]),
      allocationsOf(hourAt(30), [good]),
    ]);
    expect((await engine.allocations({ ...whole, window: hourAt(30) })).warnings).toEqual([]);
  });

  test('are reported for assets, too', async () => {
    const node = asset('Node', {
      ...{ window: timeWindow(theDay), start: instant(theDay.start), end: instant(theDay.end) },
      properties: {
        ...{ version: 21, cluster: 'c1', name: 'n', category: '', provider: '', account: '', project: '' },
        ...{ service: '', providerID: '' },
      },
      ...{ cpuCost: NaN, ramCost: 3, adjustment: Infinity },
      cpuBreakdown: { version: 21, idle: NaN, other: 0, system: 0, user: 1 },
    });
    await serve([assetsOf(theDay, [node])]);
    const { sets, warnings } = await engine.assets(assetsWhole);
    expect(sets[0]?.rows).toMatchObject([{ cpuCost: 0, ramCost: 3, adjustment: 0, totalCost: 3 }]);
    expect(warnings).toEqual([
      'NaN or infinite numbers count as 0: c1 (2026-11-14T00:00:00Z to 2026-11-15T00:00:00Z: adjustment, breakdown, cpuCost).',
    ]);
  });
});

describe('a day and its hours', () => {
  const cost = (span: Span, cpuCost: number) => allocationsOf(span, [container('c1', span, { cpuCost })]);
  const withHours = (ofDay: number, ofHour: number) => [
    cost(theDay, ofDay),
    ...theHours.map((span) => cost(span, ofHour)),
  ];
  const warnings = [
    'Days of allocations and their 24 hours differ in cost by more than 1 %: c1 on 2026-11-14 (24.30 and 24.00).',
  ];

  test.each([
    ['the day is requested', whole],
    ['one of its hours is requested', { ...whole, window: hourAt(5) }],
  ])('that differ are reported if %s', async (_, request) => {
    await serve(withHours(24.3, 1));
    expect((await engine.allocations(request)).warnings).toEqual(warnings);
  });

  test.each([
    ['differ by less than 1 %', withHours(24.2, 1), whole],
    ['are not over yet', withHours(24.3, 1), { ...whole, now: firstDay + day - 1 }],
    ['lack an hour', withHours(24.3, 1).slice(0, -1), whole],
    ['are not requested', [...withHours(24.3, 1), cost(hourAt(30), 1)], { ...whole, window: hourAt(30) }],
  ])('are not reported if they %s', async (_, files, request) => {
    await serve(files);
    expect((await engine.allocations(request)).warnings).toEqual([]);
  });
});

describe('excluded clusters', () => {
  test('are reported as excluded, never as missing', async () => {
    await serve([
      allocationsOf(
        theDay,
        ['c1', 'c2'].map((cluster) => container(cluster, theDay, { cpuCost: 1 })),
      ),
    ]);
    expect((await engine.allocations(whole)).warnings).toEqual([]);
    await serve([allocationsOf(theDay, [container('c1', theDay, { cpuCost: 1 })])], {
      excluded: [{ cluster: 'c2', reason: 'odd prices' }, { cluster: 'c3' }],
    });
    expect((await engine.allocations(whole)).warnings).toEqual([
      'Excluded from the federation, and not in this answer: c2 (odd prices), c3.',
    ]);
    expect(engine.state().clusters.map(({ cluster }) => cluster)).toEqual(['c1']);
  });
});
