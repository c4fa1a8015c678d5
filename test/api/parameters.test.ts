import type { FastifyInstance } from 'fastify';
import { openApi } from '../../api/openapi';
import type { AllocationAnswer } from '../../query/answer';
import type { Answers } from '../../query/answers';
import { type AskedOf, knownParameters } from '../../query/parse-parameters';
import type { AllocationRequest, AssetRequest, AutocompleteRequest } from '../../query/request';
import { ask, atOnce, serverOver, window } from './served';

const span = { start: 1_794_614_400, end: 1_794_873_600 };

/** Fake query engine. It records the parsed requests and returns empty answers. */
class Remembering implements Answers {
  readonly asked: (AllocationRequest | AssetRequest | AutocompleteRequest)[] = [];
  private readonly nothing: AllocationAnswer = {
    sets: [{ window: span, rows: [] }],
    window: span,
    warnings: ['Of the data.'],
  };

  readonly megabytes = 1_000;
  readonly inTurn = atOnce;

  async allocations(request: AllocationRequest) {
    this.asked.push(request);
    return this.nothing;
  }

  async assets(request: AssetRequest) {
    this.asked.push(request);
    return { ...this.nothing, sets: [{ window: span, rows: [] }] };
  }

  async autocomplete(request: AutocompleteRequest) {
    this.asked.push(request);
    return ['shop'];
  }

  state() {
    return { empty: false, clusters: [], generation: 7 };
  }
}

let answers: Remembering;
let app: FastifyInstance;
beforeEach(async () => {
  answers = new Remembering();
  app = await serverOver(answers, { revision: () => '1' });
});
afterEach(() => app.close());

const warned = async (path: string, query: string): Promise<string[]> => {
  const { status, warning = '' } = await ask(app, `${path}?window=${encodeURIComponent(window)}&${query}`);
  expect([query, status]).toEqual([query, 200]);
  return warning
    .split(/; /)
    .map((one) => one.replace(/\.$/, ''))
    .filter((one) => one !== '' && one !== 'Of the data');
};

const paths: Record<AskedOf, string> = {
  allocations: '/allocation',
  summaries: '/allocation/summary',
  toplines: '/allocation/summary/topline',
  assets: '/assets',
  'allocation values': '/allocation/autocomplete',
  'asset values': '/assets/autocomplete',
};
const fieldOf = (path: string) => (path.endsWith('/autocomplete') ? 'field=cluster&' : '');

describe('a parameter without a value', () => {
  it.each(Object.entries(paths))('is treated as missing: of %s', async (of, path) => {
    const names = knownParameters(of as AskedOf).filter((name) => name !== 'window' && name !== 'field');
    const nothing = names.map((name) => `${name}=`).join('&');
    const blank = names.map((name) => `${name}=%20`).join('&');
    for (const query of ['', nothing, blank, 'unknown=', 'unknown'])
      expect(await warned(path, fieldOf(path) + query)).toEqual([]);
    expect(answers.asked).toHaveLength(1);
  });

  it('does not disable other filters', async () => {
    await warned('/allocation', 'filterNamespaces=shop&filter=');
    await warned('/allocation', 'filterNamespaces=shop');
    await warned('/assets', 'filterTypes=Node&filter=');
    expect(answers.asked).toHaveLength(2);
    for (const { filter } of answers.asked) expect(filter).toBeDefined();
  });

  it('is a missing window, and the default number of runs', async () => {
    expect(await ask(app, '/allocation?window=')).toMatchObject({
      status: 400,
      message: expect.stringContaining("'window'"),
    });
    expect((await ask(app, '/cloudCost?window=')).status).toBe(200);
    expect((await ask(app, '/api/federations?limit=')).status).toBe(200);
  });
});

describe('a parameter that is given twice', () => {
  it('counts once, the first with a value, with a warning', async () => {
    expect(await warned('/allocation', 'aggregate=&aggregate=cluster&aggregate=pod')).toEqual([
      'aggregate is given 2 times, and the first counts',
    ]);
    expect(answers.asked[0]).toMatchObject({ groups: [{ kind: 'field', field: 'cluster' }] });
    expect(await warned('/allocation', 'step=&step=1d')).toEqual([]);
  });
});

describe('an unknown parameter', () => {
  it.each([
    ['/allocation', 'agregate=pod', '"agregate" is not a parameter here, but aggregate is'],
    [
      '/allocation',
      'filterNamespace=shop',
      '"filterNamespace" is not a parameter here, but filterNamespaces is',
    ],
    ['/model/allocation', 'includeidle=true', '"includeidle" is not a parameter here, but includeIdle is'],
    ['/allocation', 'colour=red', '"colour" is not a parameter here'],
    ['/allocation/summary', 'labelColumns=app', '"labelColumns" is not a parameter here'],
    ['/allocation/summary/topline', 'limit=5', '"limit" is not a parameter here'],
    ['/assets', 'filterNamespaces=shop', '"filterNamespaces" is not a parameter here'],
    ['/model/assets', 'idle=true', '"idle" is not a parameter here'],
    ['/model/assets', 'sortBy=totalCost', '"sortBy" is not a parameter here'],
    ['/allocation/autocomplete', 'field=pod&serch=a', '"serch" is not a parameter here, but search is'],
    ['/assets/autocomplete', 'field=name&aggregate=pod', '"aggregate" is not a parameter here'],
  ])('causes a warning, but no error: %s?%s', async (path, query, warning) => {
    expect(await warned(path, query)).toEqual([warning]);
  });

  it('has no other effect, and is reported to every client that sends it, also in the header', async () => {
    const parameters = { window, aggregate: 'cluster' };
    const plain = await ask(app, '/allocation', parameters);
    const odd = await ask(app, '/allocation', { ...parameters, colour: 'rød' });
    const csv = await ask(app, '/allocation', { ...parameters, çolour: 'red', format: 'csv' });
    expect(plain.warning).toBe('Of the data.');
    expect(odd.warning).toBe('"colour" is not a parameter here; Of the data.');
    expect(odd.headers['x-federated-etl-warning']).toBe('"colour" is not a parameter here; Of the data.');
    expect(csv.headers['x-federated-etl-warning']).toBe('"?olour" is not a parameter here; Of the data.');
    expect(odd.headers['etag']).not.toBe(plain.headers['etag']);
    expect((await ask(app, '/allocation', parameters)).warning).toBe('Of the data.');
    expect(new Set(answers.asked.map((request) => JSON.stringify(request))).size).toBe(1);
  });

  it('is quoted truncated, and at most five times', async () => {
    const many = Array.from({ length: 500 }, (_, at) => `p${at}=1`).join('&');
    const warnings = await warned('/allocation', many);
    expect(warnings).toHaveLength(6);
    expect(warnings.at(-1)).toBe('495 more parameters are unknown');
    const [long = ''] = await warned('/allocation', `${'x'.repeat(5_000)}=1`);
    expect(long.length).toBeLessThan(100);
    expect(await warned('/allocation', '__proto__=1&constructor=2')).toHaveLength(2);
  });
});

describe('a meaningless parameter sent by stock clients', () => {
  it.each(Object.entries(paths))('causes no warning: of %s', async (_, path) => {
    const query =
      'resolution=1m&metrics=x&costUnit=USD&costMetric=cumulative&sharelb=true&_=123&external=false&includeSharedCostBreakdown=true';
    expect(await warned(path, fieldOf(path) + query)).toEqual([]);
  });

  it('causes no warning for assets', async () => {
    expect(await warned('/assets', 'step=1d&includeIdle=true&accumulate=true')).toEqual([]);
    expect(await warned('/model/assets', 'step=1d&includeIdle=true&accumulate=day')).toEqual([]);
  });

  it('does not make a different request', async () => {
    await warned('/allocation', '_=1');
    await warned('/allocation', '_=2');
    expect(answers.asked).toHaveLength(1);
  });
});

describe('a known parameter without effect', () => {
  it.each([
    ['/allocation', 'external=true', 'costs from outside the clusters are not part of this version'],
    ['/model/assets', 'external=1', 'costs from outside the clusters are not part of this version'],
    ['/allocation', 'costMetric=hourly', 'costs are sums over a set, not rates'],
    ['/allocation', 'costMetric=daily', 'costs are sums over a set, not rates'],
    ['/allocation/summary', 'costMetric=monthly', 'costs are sums over a set, not rates'],
    ['/model/allocation', 'idle=maybe', 'it is neither true nor false'],
    ['/allocation', 'includeIdle=yes', 'it is neither true nor false'],
    ['/allocation', 'reconcile=no', 'it is neither true nor false'],
    ['/allocation', 'shareIdle=odd', 'it is not true, false or weighted'],
    ['/assets', 'disableAdjustments=on', 'it is neither true nor false'],
    ['/allocation', 'idle=true', 'on this path includeIdle says it'],
    ['/model/allocation/compute', 'idle=false&includeIdle=true', 'on this path includeIdle says it'],
    ['/allocation', 'shareIdle=true', 'on this path it needs includeIdle=true'],
    ['/allocation', 'shareIdle=weighted&includeIdle=false', 'on this path it needs includeIdle=true'],
    ['/model/allocation', 'labelColumns=app', 'only CSV has columns'],
    ['/assets', 'labelColumns=app&format=json', 'only CSV has columns'],
    ['/assets', 'accumulate=day', 'on this path assets are one set'],
    ['/assets', 'accumulateBy=week', 'on this path assets are one set'],
  ])('causes a warning: %s?%s', async (path, query, why) => {
    const [first = ''] = query.split('&');
    expect(await warned(path, query)).toEqual([`${first} is ignored: ${why}`]);
  });

  it.each([
    ['/model/allocation', 'idle=true&includeIdle=true'],
    ['/allocation', 'idle=true&includeIdle=true'],
    ['/allocation', 'idle=false'],
    ['/model/allocation', 'shareIdle=true'],
    ['/allocation', 'shareIdle=true&includeIdle=true'],
    ['/allocation', 'shareIdle=false'],
    ['/model/allocation', 'idle=false'],
    ['/model/assets', 'accumulate=day'],
    ['/assets', 'accumulate=false'],
  ])('causes no warning where it has an effect: %s?%s', async (path, query) => {
    expect(await warned(path, query)).toEqual([]);
  });

  it('has its default value', async () => {
    await warned('/model/allocation', 'idle=maybe');
    await warned('/allocation', 'includeIdle=maybe');
    expect(answers.asked.map((request) => 'idle' in request && request.idle.include)).toEqual([true, false]);
  });
});

describe('the description', () => {
  const described = (path: string) =>
    (openApi().paths[path]?.get?.parameters ?? []).map((one) => ('name' in one ? one.name : ''));
  const meaningless =
    'resolution metrics costUnit costMetric sharelb _ external includeSharedCostBreakdown'.split(' ');

  it.each(Object.entries(paths))('lists every meaningful parameter of %s', (of, path) => {
    const known = knownParameters(of as AskedOf).filter((name) => !meaningless.includes(name));
    const unsaid = of === 'assets' ? ['includeIdle'] : [];
    for (const prefix of ['', '/model'])
      expect([...described(`${prefix}${path}`), ...unsaid].sort()).toEqual([...known].sort());
  });
});

describe('a path that is not built', () => {
  it.each(['GET', 'POST'] as const)('is refused with a sentence, at any depth: %s', async (method) => {
    for (const prefix of ['', '/model']) {
      for (const path of [
        '/savings',
        '/savings/',
        '/savings/requestSizingV2',
        '/savings/requestSizingV2/topline',
        `/savings/a/b/c/${'d'.repeat(400)}`,
        '/prediction',
        '/prediction/speccost',
        '/prediction/a/b?window=7d&what=ever',
      ]) {
        const response = await app.inject({
          method,
          url: `${prefix}${path}`,
          headers: { accept: 'text/html' },
          ...(method === 'POST' && {
            headers: { 'content-type': 'application/yaml' },
            payload: 'kind: Deployment',
          }),
        });
        expect([path, response.statusCode]).toEqual([path, 501]);
        expect(response.json()).toMatchObject({
          code: 501,
          data: null,
          message: expect.stringMatching(/^Error: \/(savings|prediction) is not part of this version\./),
        });
      }
    }
  });
});
