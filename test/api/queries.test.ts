import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { allocationCost, assetCost } from '../../etl/cost';
import { decodeSet } from '../../etl/file';
import { combinedEtl, openEngine } from '../query/engine-over';
import { ask, serverOver, useGoldenServer, window } from './served';

const golden = useGoldenServer();

const days = ['1794614400-1794700800', '1794700800-1794787200', '1794787200-1794873600'];
const file = (pipeline: string, day: string) =>
  readFileSync(path.join(combinedEtl, 'bingen', pipeline, '1d', day));

/** Computes the expected cost of each cluster over the three days, from golden files that OpenCost merged. */
function expectedAllocations(): Map<string, number> {
  const costs = new Map<string, number>();
  for (const day of days) {
    for (const record of decodeSet('allocations', file('allocations', day)).allocations?.values() ?? []) {
      if (record === null || record.name.includes('__idle__')) continue;
      const cluster = record.properties?.cluster ?? '';
      costs.set(cluster, (costs.get(cluster) ?? 0) + allocationCost(record));
    }
  }
  return costs;
}

function expectedAssets(): Map<string, number> {
  const costs = new Map<string, number>();
  for (const day of days) {
    for (const record of decodeSet('assets', file('assets', day)).assets?.values() ?? []) {
      if (record === null) continue;
      const type = record.type === 'SharedAsset' ? 'Shared' : record.type;
      costs.set(type, (costs.get(type) ?? 0) + assetCost(record));
    }
  }
  return costs;
}

type Rows = Record<string, Record<string, number> & { name: string }>;
const total = (rows: Rows) => Object.values(rows).reduce((sum, row) => sum + (row['totalCost'] ?? 0), 0);

describe('allocations', () => {
  it('cost the same as in the files', async () => {
    const { status, data } = await ask(golden.app, '/allocation', { window, aggregate: 'cluster' });
    expect(status).toBe(200);
    const expected = expectedAllocations();
    expect(Object.keys(data[0]).sort()).toEqual([...expected.keys()].sort());
    for (const row of Object.values(data[0] as Rows)) {
      expect(row['totalCost']).toBeCloseTo(expected.get(row.name) ?? NaN, 4);
    }
  });

  it('have the two flavours', async () => {
    const opencost = await ask(golden.app, '/allocation', { window, aggregate: 'cluster' });
    expect(opencost.data).toHaveLength(1);
    expect(opencost.data[0].__idle__).toBeUndefined();
    const kubecost = await ask(golden.app, '/model/allocation', { window, aggregate: 'cluster' });
    expect(kubecost.data).toHaveLength(3);
    expect(kubecost.data[0].__idle__.cpuCost).toBeGreaterThan(0);
    const compute = await ask(golden.app, '/model/allocation/compute', { window, aggregate: 'cluster' });
    expect(compute.data).toEqual(opencost.data);
    expect((await ask(golden.app, '/allocation/', { window, aggregate: 'cluster' })).data).toEqual(
      opencost.data,
    );
  });

  it('have every field that a parquet exporter casts and kubectl-cost reads', async () => {
    const { data } = await ask(golden.app, '/model/allocation/compute', {
      window,
      includeIdle: 'true',
      idleByNode: 'true',
    });
    const fields =
      'minutes cpuCores cpuCoreRequestAverage cpuCoreUsageAverage cpuCoreHours cpuCost cpuCostAdjustment cpuEfficiency gpuCount gpuHours gpuCost gpuCostAdjustment networkTransferBytes networkReceiveBytes networkCost networkCrossZoneCost networkCrossRegionCost networkInternetCost networkCostAdjustment loadBalancerCost loadBalancerCostAdjustment pvBytes pvByteHours pvCost pvCostAdjustment ramBytes ramByteRequestAverage ramByteUsageAverage ramByteHours ramCost ramCostAdjustment ramEfficiency externalCost sharedCost totalCost totalEfficiency'.split(
        ' ',
      );
    for (const row of Object.values(data[0] as Rows)) {
      for (const field of fields) expect([field, typeof row[field]]).toEqual([field, 'number']);
      expect(row).toMatchObject({ window: { start: '2026-11-14T00:00:00Z', end: '2026-11-17T00:00:00Z' } });
    }
  });

  it('cost the same however they are grouped, split into steps, and with idle shown or shared', async () => {
    const of = async (parameters: Record<string, string>) => {
      const { data } = await ask(golden.app, '/allocation', { window, includeIdle: 'true', ...parameters });
      return (data as Rows[]).reduce((sum, rows) => sum + total(rows), 0);
    };
    const whole = await of({ aggregate: 'all' });
    expect(whole).toBeGreaterThan(4_000);
    for (const parameters of [
      { aggregate: 'cluster' },
      { aggregate: 'namespace,controllerKind' },
      { aggregate: 'label:app' },
      { aggregate: 'team,annotation:owner' },
      { aggregate: 'pod', idleByNode: 'true', splitIdle: 'true' },
      { aggregate: 'namespace', shareIdle: 'true' },
      { aggregate: 'namespace', shareIdle: 'weighted', idleByNode: 'true' },
      { aggregate: 'namespace', step: '1d' },
      { aggregate: 'namespace', step: '1d', accumulate: 'true' },
      { aggregate: 'namespace', accumulate: 'week' },
      { aggregate: 'namespace', shareNamespaces: 'kube-system,monitoring' },
      { aggregate: 'cluster', shareLabels: 'app:checkout', shareSplit: 'even' },
    ] as Record<string, string>[]) {
      expect([parameters, await of(parameters)]).toEqual([parameters, expect.closeTo(whole, 2)]);
    }
  });

  it('are filtered before they are grouped, in both languages', async () => {
    const by = async (filter: Record<string, string>) =>
      total((await ask(golden.app, '/allocation', { window, aggregate: 'cluster', ...filter })).data[0]);
    const whole = await by({});
    const parts = await Promise.all([1, 2, 3, 4, 5].map((n) => by({ filter: `cluster:"cluster-${n}"` })));
    const rest = await by({ filter: 'cluster:""' });
    expect([...parts, rest].reduce((sum, part) => sum + part, 0)).toBeCloseTo(whole, 3);
    expect(await by({ filter: 'cluster:"cluster-1","cluster-2" + namespace:"shop"' })).toBeCloseTo(
      await by({ filterClusters: 'cluster-1,cluster-2', filterNamespaces: 'shop' }),
      6,
    );
    expect(await by({ filter: 'namespace!:"shop"' })).toBeCloseTo(
      whole - (await by({ filterNamespaces: 'shop' })),
      3,
    );
    expect(await by({ filter: 'label[app]~:"check" | label[app]:"search"' })).toBeCloseTo(
      (await by({ filterLabels: 'app:check*' })) + (await by({ filterLabels: 'app:search' })),
      3,
    );
    expect(await by({ filterNamespaces: '' })).toBeCloseTo(whole, 6);
    const shop = await by({ filterNamespaces: 'shop' });
    expect(shop).toBeLessThan(whole);
    expect(await by({ filterNamespaces: 'shop', filter: '' })).toBe(shop);
    expect(await by({ filter: 'namespace:shop' })).toBe(shop);
    expect(await by({ filterNamespaces: 'shop', filter: 'cluster:cluster-1' })).toBeCloseTo(
      await by({ filter: 'namespace:"shop"+cluster:"cluster-1"' }),
      6,
    );
  });

  it('use stored days, or hours where only these fit, and never both', async () => {
    const daily = (await ask(golden.app, '/allocation', { window, aggregate: 'all', step: '1d' }))
      .data as Rows[];
    const third = '2026-11-16T00:00:00Z,2026-11-17T00:00:00Z';
    expect(
      total((await ask(golden.app, '/allocation', { window: third, aggregate: 'all' })).data[0]),
    ).toBeCloseTo(total(daily[2] ?? {}), 4);
    const hours = '2026-11-16T08:00:00Z,2026-11-16T12:00:00Z';
    const hourly = await ask(golden.app, '/allocation', { window: hours, aggregate: 'all', step: '1h' });
    expect(hourly.data).toHaveLength(4);
    expect(hourly.warning).toBeUndefined();
    // This exporter requests four hours, but ends the window one second early. It must get the answer for the full four
    // hours.
    const exporter = await ask(golden.app, '/allocation/compute', {
      window: '2026-11-16T08:00:00Z,2026-11-16T11:59:59Z',
      aggregate: 'all',
      step: '1h',
    });
    expect(exporter.data).toEqual(hourly.data);
    const part = await ask(golden.app, '/allocation', {
      window: '2026-11-15T06:00:00Z,2026-11-15T18:00:00Z',
      aggregate: 'all',
    });
    expect(total(part.data[0])).toBeCloseTo(total(daily[1] ?? {}), 4);
    expect(part.warning).toContain('counted whole, though a part was asked for');
  });

  it('are empty sets beyond the data, with a warning', async () => {
    const { status, data, warning } = await ask(golden.app, '/allocation', {
      window: '2020-01-01T00:00:00Z,2020-01-04T00:00:00Z',
      step: '1d',
    });
    expect([status, data]).toEqual([200, [{}, {}, {}]]);
    expect(warning).toBe(
      'The window extends beyond the data, which covers 2026-11-14T00:00:00Z to 2026-11-17T00:00:00Z.',
    );
  });

  it('are paged by cost', async () => {
    const names = async (parameters: Record<string, string>) =>
      Object.keys(
        (await ask(golden.app, '/allocation', { window, aggregate: 'namespace', ...parameters }))
          .data[0] as Rows,
      );
    const all = await names({});
    expect(await names({ offset: '1', limit: '2' })).toEqual(all.slice(1, 3));
    const { text } = await ask(golden.app, '/allocation', { window, aggregate: 'namespace' });
    const costs = [...text.matchAll(/"totalCost":([-\d.e]+)/g)].map(([, cost]) => Number(cost));
    expect(costs).toEqual([...costs].sort((a, b) => b - a));
  });
});

describe('summaries', () => {
  it('have the sets and names of allocations', async () => {
    for (const prefix of ['', '/model']) {
      const parameters = { window, aggregate: 'namespace' };
      const allocations = await ask(golden.app, `${prefix}/allocation`, parameters);
      const { data } = await ask(golden.app, `${prefix}/allocation/summary`, parameters);
      expect(data.sets.map((set: { allocations: object }) => Object.keys(set.allocations))).toEqual(
        allocations.data.map((set: object) => Object.keys(set)),
      );
      expect(data.step).toBe(prefix === '' ? 259_200_000_000_000 : 86_400_000_000_000);
      expect(data.window).toEqual({ start: '2026-11-14T00:00:00Z', end: '2026-11-17T00:00:00Z' });
    }
    const adjusted = (await ask(golden.app, '/model/allocation/summary/topline', { window })).data;
    const whole = (
      await ask(golden.app, '/model/allocation', { window, aggregate: 'all', accumulate: 'true' })
    ).data[0] as Rows;
    expect(adjusted.combined.allocations.total.totalCost).toBeCloseTo(total(whole), 3);
  });

  it.each([
    ['true', 3],
    ['day', 1],
    ['week', 7],
    ['false', 1],
  ])('state the length of their sets, accumulate=%s', async (accumulate, days) => {
    const { data } = await ask(golden.app, '/model/allocation/summary', { window, accumulate });
    expect(data.step).toBe(days * 86_400_000_000_000);
  });
});

describe('assets', () => {
  it('cost the same as in the files, as one object or as a list of sets', async () => {
    const expected = expectedAssets();
    const { data } = await ask(golden.app, '/assets', { window, aggregate: 'type' });
    expect(Object.keys(data).sort()).toEqual([...expected.keys()].sort());
    for (const [type, asset] of Object.entries(data as Record<string, { type: string; totalCost: number }>)) {
      expect(asset.type).toBe(type);
      expect(asset.totalCost).toBeCloseTo(expected.get(type) ?? NaN, 4);
    }
    const kubecost = await ask(golden.app, '/model/assets', { window, aggregate: 'assetType' });
    expect(kubecost.data).toHaveLength(3);
    const accumulated = await ask(golden.app, '/model/assets', {
      window,
      aggregate: 'assetType',
      accumulate: 'true',
    });
    expect(accumulated.data).toEqual([data]);
    const byCluster = (await ask(golden.app, '/assets', { window, aggregate: 'cluster' })).data as Record<
      string,
      { type?: string }
    >;
    expect(Object.values(byCluster).some(({ type }) => type === undefined)).toBe(true);
  });

  it('have the fields of nodes that kubectl-cost reads', async () => {
    const { data } = await ask(golden.app, '/model/assets', {
      window,
      filterTypes: 'Node',
      accumulate: 'true',
    });
    const nodes = Object.values(data[0] as Record<string, object>);
    expect(nodes.length).toBeGreaterThan(10);
    for (const node of nodes) {
      expect(node).toMatchObject({
        type: 'Node',
        cpuBreakdown: {
          idle: expect.any(Number),
          other: expect.any(Number),
          system: expect.any(Number),
          user: expect.any(Number),
        },
        properties: { category: 'Compute', name: expect.any(String) },
        labels: expect.any(Object),
        preemptible: expect.any(Number),
        minutes: expect.any(Number),
        cpuCost: expect.any(Number),
        ramCost: expect.any(Number),
        totalCost: expect.any(Number),
      });
    }
    const filtered = await ask(golden.app, '/assets', { window, filter: 'assetType:"node"' });
    expect(Object.keys(filtered.data)).toHaveLength(nodes.length);
  });
});

describe('other requests', () => {
  it('are answered: values of fields, clusters, currency', async () => {
    const values = await ask(golden.app, '/allocation/autocomplete', {
      window,
      field: 'namespace',
      search: 'KUBE',
    });
    expect(values.data.data).toEqual(['kube-system', 'kubecost']);
    expect(
      (await ask(golden.app, '/allocation/autocomplete', { window, field: 'label' })).data.data,
    ).toContain('app');
    expect(
      (await ask(golden.app, '/allocation/autocomplete', { window, field: 'label:app', limit: '2' })).data
        .data,
    ).toHaveLength(2);
    expect(
      (await ask(golden.app, '/model/assets/autocomplete', { window, field: 'type' })).data.data,
    ).toContain('Node');
    expect((await ask(golden.app, '/getConfigs')).data.currencyCode).toBe('EUR');
    expect((await ask(golden.app, '/model/clusterInfo')).data.id).toBe('local');
    expect(Object.keys((await ask(golden.app, '/clusterInfoMap')).data)).toEqual(
      [1, 2, 3, 4, 5].map((n) => `cluster-${n}`),
    );
    expect((await ask(golden.app, '/cloudCost', { window: '7d' })).data.sets).toEqual([]);
    expect((await ask(golden.app, '/model/customCost/total', { window: '7d' })).data.totalBilledCost).toBe(0);
    expect((await ask(golden.app, '/savings/requestSizingV2')).status).toBe(501);
    const described = JSON.parse((await ask(golden.app, '/api/openapi.json')).text) as {
      paths: Record<string, unknown>;
    };
    expect(Object.keys(described.paths)).toContain('/model/allocation/summary/topline');
    expect((await ask(golden.app, '/api/docs/')).text).toContain('swagger-ui');
  });

  it('are answered as CSV on request', async () => {
    const { text, headers } = await ask(golden.app, '/model/allocation', {
      window,
      aggregate: 'cluster,namespace',
      format: 'csv',
      labelColumns: 'app',
    });
    expect(headers['content-type']).toContain('text/csv');
    const [header = '', ...rows] = text.trim().split('\n');
    expect(header).toContain('window_start,window_end,name,cluster');
    expect(header).toContain('label:app');
    expect(header).toContain('totalCost');
    expect(rows.length).toBeGreaterThan(60);
    expect(
      rows.some((row) => row.startsWith('2026-11-14T00:00:00Z,2026-11-15T00:00:00Z,cluster-1/shop,')),
    ).toBe(true);
    const assets = await ask(golden.app, '/model/assets', {
      window,
      aggregate: 'type',
      accumulate: 'true',
      format: 'csv',
    });
    expect(assets.text).toContain('Node');
    const summary = await ask(golden.app, '/allocation/summary', { window, format: 'csv' });
    expect(summary.text.split('\n')[0]).toContain('totalEfficiency');
  });

  it('are answered once: then by an entity tag, or from the cache', async () => {
    const question = { window, aggregate: 'label:team' };
    const first = await ask(golden.app, '/allocation', question);
    expect(String(first.headers['server-timing'])).toMatch(/^query;dur=/);
    const again = await ask(golden.app, '/allocation', { ...question, metrics: 'x' });
    expect(again.headers['server-timing']).toBe('cache;desc="hit"');
    expect(again.text).toBe(first.text);
    const etag = String(first.headers['etag']);
    expect((await ask(golden.app, '/allocation', question, { 'if-none-match': etag })).status).toBe(304);
    expect(first.headers).toMatchObject({
      'x-federated-etl-generation': '7',
      'x-federated-etl-data-until': '2026-11-17T00:00:00Z',
    });
    const compressed = await golden.app.inject({
      url: '/allocation',
      query: { window },
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(compressed.rawPayload).toString()).toContain('"code":200');
  });
});

describe('an invalid request', () => {
  it.each([
    ['/allocation', {}, "'window'"],
    ['/allocation', { window: 'soon' }, '"soon"'],
    ['/allocation', { window: '2026-11-15T00:00:00Z,2026-11-14T00:00:00Z' }, 'ends before it starts'],
    ['/allocation', { window: '7d', aggregate: 'colour' }, '"colour"'],
    ['/allocation', { window: '7d', step: 'x' }, "'step'"],
    ['/allocation', { window: '7d', accumulateBy: 'fortnight' }, '"fortnight"'],
    ['/allocation', { window: '7d', filter: 'namespace:"a"+cluster:"b"|pod:"c"' }, 'character 26'],
    ['/allocation', { window: '7d', includeProportionalAssetResourceCosts: 'true' }, 'includeIdle'],
    ['/model/assets', { window: '7d', aggregate: 'pod' }, '"pod"'],
    ['/allocation/autocomplete', { window: '7d', field: 'colour' }, '"colour"'],
    ['/allocation/autocomplete', { window: '7d', field: 'constructor' }, '"constructor"'],
    ['/assets/autocomplete', { window: '7d', field: 'toString:app' }, '"toString:app"'],
  ])('is a 400 that names the parameter: %s %j', async (path, parameters, named) => {
    const { status, data, message } = await ask(golden.app, path, parameters);
    expect([status, data]).toEqual([400, null]);
    expect(message).toContain(named);
  });

  it('never breaks the server', async () => {
    const parameter = fc.constantFrom(
      'window aggregate step accumulate accumulateBy filter filterLabels filterControllers shareLabels shareCost offset limit idle format labelColumns field search'.split(
        ' ',
      ),
    );
    const words = fc.constantFrom(
      ...'7d|today|cluster|label:app|true|month|namespace:"a"|label[x]!~:"y"|(|)|+|,|"|[|\\|%00|1e9|-1|__idle__|🎉|a:b|*'.split(
        '|',
      ),
    );
    const value = fc.oneof(
      words,
      fc.array(words, { maxLength: 6 }).map((all) => all.join('')),
      fc.string({ unit: 'grapheme' }),
    );
    const names = fc.array(
      fc.tuple(
        parameter.chain((all) => fc.constantFrom(...all)),
        value,
      ),
      { maxLength: 5 },
    );
    const paths = fc.constantFrom(
      '/allocation',
      '/model/allocation',
      '/model/assets',
      '/allocation/summary',
      '/assets/autocomplete',
    );
    await fc.assert(
      fc.asyncProperty(paths, names, async (route, given) => {
        const { status, text } = await ask(golden.app, route, { window: '3d', ...Object.fromEntries(given) });
        expect([200, 400, 501]).toContain(status);
        if (status !== 200) expect(JSON.parse(text)).toMatchObject({ code: status, data: null });
      }),
      { numRuns: 150 },
    );
  });
});

it('before the first generation, queries are refused with the reason', async () => {
  const empty = await openEngine();
  const early = await serverOver(empty);
  try {
    const { status, message, headers } = await ask(early, '/model/allocation', { window: '7d' });
    expect(status).toBe(503);
    expect(message).toContain('No federation has been committed yet');
    expect(headers['retry-after']).toBe('30');
    expect((await ask(early, '/readyz')).status).toBe(503);
    expect((await ask(early, '/healthz')).status).toBe(200);
    expect((await ask(early, '/api/status')).data.served.empty).toBe(true);
  } finally {
    await early.close();
    empty.dispose();
  }
});
