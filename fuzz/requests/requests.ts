import { openApi } from '../../api/openapi';
import { randoms } from '../../bench/made-up';
import { type AskedOf, knownParameters } from '../../query/parse-parameters';
import { integer, pick, type Random } from '../random';

/** A request to the API. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The data that the requests ask for. */
export interface AskedData {
  /** Start and end in unix seconds. */
  readonly start: number;
  readonly end: number;
}

const day = 86_400;

/** The paths of queries, and what they query. Most requests go to these. */
const queries: readonly (readonly [string, AskedOf])[] = [
  ['/allocation', 'allocations'],
  ['/allocation/compute', 'allocations'],
  ['/model/allocation', 'allocations'],
  ['/allocation/summary', 'summaries'],
  ['/model/allocation/summary', 'summaries'],
  ['/allocation/summary/topline', 'toplines'],
  ['/model/allocation/summary/topline', 'toplines'],
  ['/assets', 'assets'],
  ['/model/assets', 'assets'],
  ['/allocation/autocomplete', 'allocation values'],
  ['/model/assets/autocomplete', 'asset values'],
];

const documented = Object.keys(openApi()['paths']);

const hostileTexts = [
  '',
  ' ',
  "'",
  '"',
  '\\',
  '\0',
  '\r\nx: y',
  '%',
  '%00',
  '../../etc/passwd',
  'constructor',
  '__proto__',
  'toString',
  "'; drop table allocation; --",
  '" or 1=1 --',
  '${jndi:ldap://x}',
  '\u202e\u001b[31mx',
  '💣',
  '\ud800',
  'null',
  'NaN',
  'Infinity',
  '-1',
  '0',
  '1e309',
  '9'.repeat(30),
  '0x10',
  'a'.repeat(2_000),
  ','.repeat(300),
  '('.repeat(200),
  'label[app]:"x"+'.repeat(300),
];

const allocationFields =
  'cluster node namespace pod container controller controllerKind service account provider'.split(' ');
const assetFields = 'cluster type name category provider providerID account project service'.split(' ');
const keys = ['app', 'team', 'env', 'pod_template_hash', 'constructor', '__proto__', 'a.b/c-d'];
const values = [
  'cluster-1',
  'namespace-3',
  'service-7',
  'app-1',
  '__idle__',
  '__unallocated__',
  'kube',
  'x',
  ...hostileTexts.slice(0, 14),
];

/** Makes requests. The same seed and index always give the same request. */
export class Requests {
  constructor(
    private readonly seed: number,
    private readonly data: AskedData,
  ) {}

  at(index: number): ApiRequest {
    const random = randoms(Math.imul(this.seed, 0x9e3779b1) ^ Math.imul(index + 1, 0xc2b2ae35));
    for (let warm = 0; warm < 4; warm++) random();
    const kind = random();
    if (kind < 0.85) return this.query(random);
    if (kind < 0.95) return this.other(random);
    return this.odd(random);
  }

  /** A query, mostly with valid values, so that it is answered. */
  private query(random: Random): ApiRequest {
    const [path, of] = pick(random, queries);
    const parameters = new URLSearchParams();
    const hostile = random() < 0.3 ? 0.25 : 0;
    const set = (name: string, value: () => string) =>
      parameters.append(name, random() < hostile ? pick(random, hostileTexts) : value());
    if (random() < 0.97) set('window', () => this.window(random));
    if (of.endsWith('values'))
      set('field', () => pick(random, ['namespace', 'label', 'label:app', 'node', 'type', 'name']));
    for (const name of knownParameters(of)) {
      const often = ['aggregate', 'accumulate', 'filter', 'limit'].includes(name) ? 0.5 : 0.08;
      if (name !== 'window' && random() < often) set(name, () => this.value(random, name, of));
    }
    if (random() < 0.05) parameters.append(pick(random, hostileTexts), pick(random, hostileTexts));
    return {
      method: random() < 0.03 ? 'HEAD' : 'GET',
      target: `${path}?${parameters.toString()}`,
      headers: this.headers(random),
    };
  }

  private window(random: Random): string {
    const { start, end } = this.data;
    const days = Math.max(Math.round((end - start) / day), 1);
    const from = start + integer(random, days) * day;
    const to = random() < 0.2 ? end : Math.min(end, from + (1 + integer(random, 7)) * day);
    const iso = (seconds: number) => new Date(seconds * 1_000).toISOString().replace('.000', '');
    return pick(random, [
      () => `${from},${to}`,
      () => `${iso(from)},${iso(to)}`,
      () => `${iso(from + integer(random, 24) * 3_600)},${iso(to)}`,
      () => `${to},${from}`,
      () =>
        pick(random, [
          'today',
          'yesterday',
          'week',
          'lastmonth',
          '7d',
          '30d',
          '24h',
          '15m',
          '1h offset 1d',
          'x',
          '1d,2d',
        ]),
    ])();
  }

  private value(random: Random, name: string, of: AskedOf): string {
    const fields = of.startsWith('asset') ? assetFields : allocationFields;
    const field = () =>
      random() < 0.2
        ? `label:${pick(random, keys)}`
        : pick(random, [...fields, 'department', 'team', 'bogus']);
    switch (name) {
      case 'aggregate':
        return Array.from({ length: 1 + integer(random, random() < 0.1 ? 24 : 3) }, field).join(',');
      case 'filter':
        return this.filter(random, fields, 3);
      case 'step':
        return pick(random, [
          '1h',
          '1d',
          '7d',
          'day',
          'week',
          'month',
          'quarter',
          '1s',
          '1m',
          '0d',
          '-1d',
          '9999999d',
        ]);
      case 'accumulate':
      case 'accumulateBy':
        return pick(random, ['true', 'false', 'day', 'week', 'hour', 'month', 'quarter', 'all', 'none']);
      case 'limit':
      case 'offset':
        return pick(random, ['0', '1', '10', '100', '1000', '100000', '-1', '1.5', '9'.repeat(20)]);
      case 'format':
        return pick(random, ['json', 'csv', 'csv', 'pdf', 'xml']);
      case 'sortBy':
        return pick(random, ['totalCost', 'name', 'cpuCost', 'bogus', 'constructor']);
      case 'sortByOrder':
        return pick(random, ['asc', 'desc', 'up']);
      case 'shareCost':
        return pick(random, ['0', '100', '-5', '1e300', 'NaN', 'x']);
      case 'shareLabels':
        return `${pick(random, keys)}:${pick(random, values)}`;
      case 'search':
        return pick(random, values);
      default:
        return name.startsWith('filter') || name.startsWith('share')
          ? Array.from({ length: 1 + integer(random, 3) }, () =>
              pick(random, [...values, 'app:*', 'a*']),
            ).join(',')
          : pick(random, ['true', 'false', 'weighted', 'even', '1', 'x']);
    }
  }

  private filter(random: Random, fields: readonly string[], depth: number): string {
    if (depth > 0 && random() < 0.35) {
      const parts = Array.from({ length: 2 + integer(random, 3) }, () =>
        this.filter(random, fields, depth - 1),
      );
      const joined = parts.join(pick(random, [' + ', ' | ', '+', '|']));
      return random() < 0.5 ? `(${joined})` : joined;
    }
    const key = pick(random, keys);
    const operand = pick(random, [
      ...fields,
      'controllerName',
      'services',
      `label[${key}]`,
      `annotation[${key}]`,
      'bogus',
      'label',
    ]);
    const comparator = pick(random, [':', '!:', '~:', '!~:', '<~:', '~>:', '=', '::']);
    const list = Array.from({ length: 1 + integer(random, 3) }, () => {
      const value = pick(random, values);
      return random() < 0.9 ? JSON.stringify(value) : value;
    });
    const text = `${operand}${comparator}${list.join(',')}`;
    return random() < 0.05 ? text.slice(0, integer(random, text.length + 1)) : text;
  }

  private headers(random: Random): Record<string, string> {
    const some: Record<string, string> = {};
    const maybe = (name: string, list: readonly string[]) => {
      if (random() < 0.1) some[name] = pick(random, list);
    };
    maybe('accept-encoding', ['gzip', 'br', 'identity', 'bogus;q=9', '*']);
    maybe('if-none-match', ['*', '"x"', 'W/"y"', ','.repeat(500)]);
    maybe('authorization', ['Bearer wrong', 'Basic eDp5', 'Bearer ', 'x']);
    maybe('origin', ['http://evil.example', 'null', 'http://localhost:1']);
    maybe('x-forwarded-for', ['10.0.0.1', "'"]);
    maybe('range', ['bytes=0-1', 'bytes=9-1']);
    return some;
  }

  /** A request to any route, with any method. */
  private other(random: Random): ApiRequest {
    const path = pick(random, [
      ...documented.map(
        (one) =>
          `${pick(random, ['', '', '/model'])}${one.replace(/\{\w+\}/g, () => encodeURIComponent(pick(random, hostileTexts).toWellFormed()))}`,
      ),
      '/',
      '/readyz',
      '/metrics',
      '/api/docs/json',
      '/api/docs/static/..%2f..%2fpackage.json',
      '/page/..%2f..%2fpackage.json',
      '/page/constructor',
      '/savings/x',
      '/cloudCost/view/table',
      '/customCost/total?window=7d',
      '/api/generations/diff?from=1&to=constructor',
      '/api/federations?limit=-1',
      `/${encodeURIComponent(pick(random, hostileTexts).toWellFormed())}`,
    ]);
    const method = pick(random, ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);
    if (['GET', 'HEAD', 'OPTIONS'].includes(method))
      return { method, target: path, headers: this.headers(random) };
    const body = pick(random, [
      '',
      '{}',
      '{"reason":1}',
      '{"__proto__":{"x":1}}',
      '[',
      'null',
      '"x"',
      `{"reason":"${'x'.repeat(70_000)}"}`,
    ]);
    const type = pick(random, ['application/json', 'text/plain', 'application/x-www-form-urlencoded', '']);
    return {
      method,
      target: path,
      headers: { ...this.headers(random), ...(type !== '' && { 'content-type': type }) },
      body,
    };
  }

  /** A request that most clients would not send. */
  private odd(random: Random): ApiRequest {
    const { target } = this.query(random);
    return pick<() => ApiRequest>(random, [
      () => ({ method: 'GET', target: `${target}&filter=${'%28'.repeat(4_000)}`, headers: {} }),
      () => ({ method: 'GET', target: `${target}&x=${'y'.repeat(20_000)}`, headers: {} }),
      () => ({ method: 'GET', target: `${target}&a=%E0%A4%A&b=%`, headers: {} }),
      () => ({ method: 'GET', target: `${target}${'&window=7d'.repeat(500)}`, headers: {} }),
      () => ({ method: 'GET', target: `${target}${'&a[b]=c'.repeat(500)}`, headers: {} }),
      () => ({ method: 'GET', target: target.replaceAll('/', '//'), headers: {} }),
      () => ({ method: 'BREW', target, headers: {} }),
      () => ({ method: 'GET', target: target.replace('?', '%3F'), headers: {} }),
      () => ({
        method: 'GET',
        target,
        headers: { host: pick(random, ['evil.example', 'localhost', '[::1]', 'x'.repeat(300)]) },
      }),
      () => ({ method: 'GET', target: `http://evil.example${target}`, headers: {} }),
      () => ({ method: 'GET', target, headers: { 'x-long': 'y'.repeat(30_000) } }),
      () => ({ method: 'GET', target, headers: { 'transfer-encoding': 'chunked', 'content-length': '5' } }),
    ])();
  }
}
