import { ask, serverOver, useGoldenServer, window } from './served';

const golden = useGoldenServer();

type Rows = Record<string, Record<string, unknown>>;

describe('opencost-ui', () => {
  it('reads its rows by day', async () => {
    const { status, data } = await ask(golden.app, '/allocation/compute', {
      window,
      aggregate: 'namespace',
      includeIdle: 'true',
      step: '1d',
      accumulate: 'day',
    });
    expect([status, data.length]).toEqual([200, 3]);
    const costs = 'cpuCost gpuCost ramCost pvCost networkCost loadBalancerCost sharedCost'.split(' ');
    const averages =
      'cpuCoreRequestAverage cpuCoreUsageAverage ramByteRequestAverage ramByteUsageAverage'.split(' ');
    for (const set of data as Rows[]) {
      for (const [key, row] of Object.entries(set)) {
        expect(row).toMatchObject({
          name: key,
          minutes: expect.any(Number),
          window: { start: expect.any(String) },
        });
        for (const field of [...costs, ...averages, 'totalCost'])
          expect([field, typeof row[field]]).toEqual([field, 'number']);
      }
    }
  });

  it('finds its assets in one object, with or without the prefix if so configured', async () => {
    const parameters = {
      window,
      aggregate: 'assetType',
      step: '1d',
      accumulate: 'true',
      includeIdle: 'true',
    };
    const { data } = await ask(golden.app, '/assets', parameters);
    expect(Array.isArray(data)).toBe(false);
    for (const asset of Object.values(data as Rows)) {
      expect([typeof asset['type'], typeof asset['totalCost']]).toEqual(['string', 'number']);
    }
    const direct = await serverOver(golden.engine, { assetsFlavour: 'opencost' });
    expect((await ask(direct, '/model/assets', parameters)).data).toEqual(data);
    await direct.close();
  });

  it('shows no data rather than an error on pages without a source', async () => {
    for (const prefix of ['', '/model']) {
      for (const path of [
        '/cloudCost',
        '/cloudCost/view/graph',
        '/cloudCost/view/totals',
        '/cloudCost/view/table',
        '/cloudCost/view/trends',
        '/cloudCost/status',
        '/cloudCost/autocomplete',
        '/customCost/total',
        '/customCost/timeseries',
        '/customCost/other',
      ]) {
        const { status, data } = await ask(golden.app, `${prefix}${path}`, {
          window: '7d',
          aggregate: 'service',
        });
        expect([path, status, data !== null]).toEqual([path, 200, true]);
      }
    }
  });
});

describe('kubectl-cost', () => {
  it.each([
    'cluster',
    'cluster,namespace',
    'cluster,namespace,deployment',
    'cluster,namespace,controllerKind',
    'label:app',
  ])('reads data[0] by %s, including idle', async (aggregate) => {
    const parameters = {
      window,
      aggregate,
      accumulate: 'true',
      idle: 'true',
      includeIdle: 'true',
      filterNamespaces: '',
    };
    const { status, data } = await ask(golden.app, '/model/allocation', parameters);
    expect([status, data.length]).toEqual([200, 1]);
    // kubectl-cost computes costs per month (43,200 minutes) as cost · 43200 / minutes, so `minutes` must not be 0.
    for (const row of Object.values(data[0] as Rows)) expect(row['minutes']).toBeGreaterThan(0);
    expect(Object.keys(data[0] as Rows).some((name) => name.includes('__idle__'))).toBe(true);
  });

  it('always gets an element, also beyond the data', async () => {
    const { data } = await ask(golden.app, '/model/allocation', {
      window: '1577836800,1577923200',
      accumulate: 'true',
    });
    expect(data).toEqual([{}]);
    const assets = await ask(golden.app, '/model/assets', {
      window: '1577836800,1577923200',
      accumulate: 'true',
    });
    expect(assets.data).toEqual([{}]);
    expect((await ask(golden.app, '/assets', { window: '1577836800,1577923200' })).data).toEqual({});
  });

  it('asks for the cluster and its currency', async () => {
    expect((await ask(golden.app, '/model/clusterInfo')).data.id).toBe('local');
    expect((await ask(golden.app, '/model/getConfigs')).data.currencyCode).toBe('EUR');
    for (const path of ['/savings/requestSizingV2', '/prediction/speccost']) {
      const response = await golden.app.inject({ method: 'POST', url: `/model${path}`, payload: {} });
      expect([response.statusCode, response.json().data]).toEqual([501, null]);
    }
  });
});

describe('the parquet exporter', () => {
  it('gets 24 hours for a day that ends a second early, as application/json', async () => {
    const { headers, data } = await ask(golden.app, '/allocation/compute', {
      window: '2026-11-16T00:00:00Z,2026-11-16T23:59:59Z',
      aggregate: 'namespace,pod,container',
      includeIdle: 'false',
      idleByNode: 'false',
      step: '1h',
    });
    expect(headers['content-type']).toContain('application/json');
    expect(data).toHaveLength(24);
    const [row] = (data as Rows[]).flatMap((set) => Object.values(set));
    expect(row).toMatchObject({
      properties: expect.any(Object),
      window: { start: expect.stringMatching(/:00:00Z$/), end: expect.stringMatching(/:00:00Z$/) },
      start: expect.any(String),
      end: expect.any(String),
    });
  });
});

describe("OpenCost's integration tests", () => {
  it('get whole days in their windows', async () => {
    for (const [asked, days] of [
      ['today', 1],
      ['yesterday', 1],
      ['7d', 7],
    ] as const) {
      const { data } = await ask(golden.app, '/allocation/summary', { window: asked });
      const [start, end] = [Date.parse(data.window.start), Date.parse(data.window.end)];
      expect([asked, (end - start) / 86_400_000, start % 86_400_000]).toEqual([asked, days, 0]);
    }
  });

  it('get one set over the window without accumulation, also in the summary', async () => {
    const parameters = { window, aggregate: 'namespace', accumulate: 'false' };
    const { data } = await ask(golden.app, '/allocation', parameters);
    const summary = (await ask(golden.app, '/allocation/summary', parameters)).data;
    expect([data.length, summary.sets.length]).toEqual([1, 1]);
    expect(Object.keys(summary.sets[0].allocations as Rows)).toEqual(Object.keys(data[0] as Rows));
    for (const [name, item] of Object.entries(summary.sets[0].allocations as Rows)) {
      expect(item['cpuCost']).toBeCloseTo(Number((data[0] as Rows)[name]?.['cpuCost']), 4);
    }
  });
});

describe('scripts and dashboards', () => {
  it('may send requests from pages of this machine, and with HEAD', async () => {
    const head = await golden.app.inject({ method: 'HEAD', url: '/getConfigs' });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    for (const path of ['/allocation', '/nowhere', '/api/status']) {
      const { headers } = await ask(golden.app, path, {}, { origin: 'http://localhost:3000' });
      expect(headers).toMatchObject({
        'access-control-allow-origin': 'http://localhost:3000',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
  });

  it('get large answers compressed, and small ones uncompressed', async () => {
    for (const encoding of ['br', 'gzip']) {
      const { headers } = await golden.app.inject({
        url: `/allocation?window=${encodeURIComponent(window)}`,
        headers: { 'accept-encoding': encoding },
      });
      expect([headers['content-encoding'], headers['vary']]).toEqual([
        encoding,
        expect.stringContaining('accept-encoding'),
      ]);
    }
    expect(
      (await ask(golden.app, '/version', {}, { 'accept-encoding': 'gzip' })).headers['content-encoding'],
    ).toBeUndefined();
  });

  it('get a file name for CSV', async () => {
    const { headers } = await ask(golden.app, '/assets', { window, format: 'csv', labelColumns: 'app' });
    expect(headers['content-disposition']).toBe(
      'attachment; filename="federated-etl-assets-20261114T000000Z-20261117T000000Z.csv"',
    );
  });
});
