import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toByteString } from '../../etl/byte-string';
import { assetCost } from '../../etl/cost';
import { decodeSet } from '../../etl/file';
import type { Asset, AssetProperties, AssetSet } from '../../etl/model';
import type { AssetAnswer, AssetRow } from '../../query/answer';
import { answerAssets } from '../../query/assets';
import { toColumns } from '../../query/columns';
import { QueryEngine } from '../../query/engine';
import type { Filter } from '../../query/filter';
import type { WantedFile } from '../../query/ingest';
import type { AssetField, AssetGroup, AssetRequest } from '../../query/request';
import type { Span } from '../../query/span';
import { asset, assetSet } from '../etl/build-records';
import { goldenBytes } from '../etl/golden-files';

const day = 86_400;
const first = 1_794_614_400;
const goldenFolder = 'expected/federated/combined/etl/bingen/assets/1d';

let folder: string;
let engine: QueryEngine;
let served = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assets-'));
  engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 1 });
});

afterAll(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

function fileOf(resolution: string, window: Span, set: AssetSet): WantedFile {
  return {
    pipeline: 'assets',
    resolution,
    window,
    digest: `${served} ${resolution} ${window.start}`,
    read: async () => toColumns(set),
  };
}

async function serve(files: (next: number) => WantedFile[]): Promise<void> {
  served++;
  await engine.serve(files(served), {
    generation: served,
    ingestedAt: new Date(served * 1_000).toISOString(),
  });
}

/** Makes the engine serve one set of assets per day. The first day starts at `first`. */
async function serveDays(...days: Asset[][]): Promise<void> {
  await serve(() =>
    days.map((records, index) => {
      const start = first + index * day;
      return fileOf('1d', { start, end: start + day }, assetSet(records));
    }),
  );
}

const base: AssetRequest = {
  window: { start: first, end: first + day },
  step: 'window',
  accumulate: 'none',
  disableAdjustments: false,
  offset: 0,
  now: first + 30 * day,
};

async function ask(request: Partial<AssetRequest> = {}, mostRows = 1_000): Promise<AssetAnswer> {
  return engine.withConnection((connection, catalog) =>
    answerAssets(connection, catalog, { ...base, ...request }, mostRows),
  );
}

/** Row type for assets of type `T`. Several asset types share one row type. */
type RowOf<T extends AssetRow['type']> = AssetRow extends infer R
  ? R extends { type: infer U }
    ? T extends U
      ? R
      : never
    : never
  : never;

/**
 * Returns the only row of an answer. Throws if the answer does not have exactly one set with one row of the given type.
 */
async function askOne<T extends AssetRow['type']>(
  type: T,
  request: Partial<AssetRequest> = {},
): Promise<RowOf<T>> {
  const { sets } = await ask(request);
  const rows = sets.flatMap((set) => set.rows);
  const [row] = rows;
  if (sets.length !== 1 || rows.length !== 1 || row?.type !== type)
    throw new Error(`not one ${type}: ${rows.map(({ key }) => key).join()}`);
  return row as RowOf<T>;
}

function by(...fields: AssetField[]): AssetGroup[] {
  return fields.map((field) => ({ kind: 'field', field }));
}

function fieldIs(field: string, ...values: string[]): Filter {
  return { kind: 'compare', left: { kind: 'field', field }, comparator: 'equals', values };
}

function named(name: string, more: Partial<AssetProperties> = {}): AssetProperties {
  return {
    ...{ version: 21, category: 'Compute', provider: 'AWS', account: '', project: '', service: 'Kubernetes' },
    ...{ cluster: 'c1', name, providerID: `i-${name}` },
    ...more,
  };
}

function times(index = 0, from = 0, to = 24) {
  const at = (hours: number) => ({
    seconds: first + index * day + hours * 3_600,
    nanos: 0,
    zoneMinutes: -1,
    zoneSeconds: null,
  });
  return { start: at(from), end: at(to) };
}

function labels(entries: Record<string, string>) {
  return new Map(Object.entries(entries).map(([key, text]) => [toByteString(key), toByteString(text)]));
}

function shares(idle: number, user: number) {
  return { version: 21, idle, other: 0, system: 1 - idle - user, user };
}

type NodeFields = Partial<Extract<Asset, { type: 'Node' }>>;

const plainNode: NodeFields = {
  ...times(),
  labels: new Map(),
  cpuCost: 0,
  ramCost: 0,
  gpuCost: 0,
  discount: 0,
  adjustment: 0,
  preemptible: 0,
};

function node(name: string, fields: NodeFields = {}): Asset {
  return asset('Node', { ...plainNode, properties: named(name), ...fields });
}

function disk(name: string, fields: Partial<Extract<Asset, { type: 'Disk' }>> = {}): Asset {
  return asset('Disk', {
    ...{ ...times(), labels: new Map(), cost: 1, adjustment: 0 },
    ...{ properties: named(name, { category: 'Storage' }), byteHoursUsed: null, byteUsageMax: null },
    ...fields,
  });
}

describe('over the golden data', () => {
  const sets: { window: Span; set: AssetSet }[] = [];

  beforeAll(async () => {
    for (const resolution of ['1d', '1h']) {
      const below = `${goldenFolder.slice(0, -2)}${resolution}`;
      for (const name of await readdir(join(__dirname, '..', 'golden', below))) {
        const [start = 0, end = 0] = name.split('-').map(Number);
        const set = decodeSet('assets', goldenBytes(`${below}/${name}`));
        sets.push({ window: { start, end }, set });
      }
    }
    await serve(() =>
      sets.map(({ window, set }) => fileOf(window.end - window.start === day ? '1d' : '1h', window, set)),
    );
  });

  function expected(keyOf: (record: Asset) => string, of: (window: Span) => boolean): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { window, set } of sets) {
      if (!of(window)) continue;
      for (const record of set.assets?.values() ?? []) {
        if (record === null) continue;
        sums.set(keyOf(record), (sums.get(keyOf(record)) ?? 0) + assetCost(record));
      }
    }
    return sums;
  }

  function expectTotals(rows: readonly AssetRow[], totals: ReadonlyMap<string, number>): void {
    expect(rows.map(({ key }) => key).sort()).toEqual([...totals.keys()].sort());
    for (const { key, totalCost } of rows) expect(totalCost).toBeCloseTo(totals.get(key) ?? NaN, 8);
  }

  const typeOf = ({ type }: Asset) => (type === 'SharedAsset' ? 'Shared' : type);
  const clusterOf = ({ properties }: Asset) => properties?.cluster || '__undefined__';
  const isDaily = ({ start, end }: Span) => end - start === day;
  const threeDays = { start: first, end: first + 3 * day };

  test('totals are the sums of the daily files', async () => {
    for (const [field, keyOf] of [
      ['type', typeOf],
      ['cluster', clusterOf],
    ] as const) {
      const { sets: found } = await ask({ window: threeDays, groups: by(field) });
      expect(found).toHaveLength(1);
      expectTotals(found[0]?.rows ?? [], expected(keyOf, isDaily));
    }
    const { sets: found } = await ask({ window: threeDays, groups: by('cluster', 'type') });
    expectTotals(
      found[0]?.rows ?? [],
      expected((record) => `${clusterOf(record)}/${typeOf(record)}`, isDaily),
    );
  });

  test('totals of each day are those of its file', async () => {
    const answer = await ask({ window: threeDays, groups: by('type'), step: { seconds: day } });
    expect(answer.sets).toHaveLength(3);
    for (const { window, rows } of answer.sets) {
      expectTotals(
        rows,
        expected(typeOf, ({ start, end }) => start === window.start && end === window.end),
      );
    }
  });

  test('a window of a few hours is answered from the hourly files', async () => {
    const window = { start: 1_794_816_000, end: 1_794_830_400 };
    const answer = await ask({ window, groups: by('type') });
    expectTotals(
      answer.sets[0]?.rows ?? [],
      expected(typeOf, (span) => !isDaily(span)),
    );
  });

  test('single assets add up to the totals of their types', async () => {
    const single = await ask({ window: threeDays });
    const total = (single.sets[0]?.rows ?? []).reduce((sum, { totalCost }) => sum + totalCost, 0);
    const all = [...expected(typeOf, isDaily).values()].reduce((sum, one) => sum + one, 0);
    expect(total).toBeCloseTo(all, 6);
  });
});

describe('merging', () => {
  test('nodes: sums, and fractions weighted by their base', async () => {
    await serveDays([
      node('a', {
        ...times(0, 2, 10),
        ...{ nodeType: 'm5.large', cpuCost: 30, ramCost: 10, gpuCost: 6, discount: 0.5, preemptible: 1 },
        ...{ cpuCoreHours: 8, ramByteHours: 100, gpuHours: 8, gpuCount: 1, adjustment: -2 },
        ...{ cpuBreakdown: shares(0.5, 0.25), ramBreakdown: shares(0.2, 0.2) },
        overhead: {
          version: 21,
          cpuOverheadFraction: 0.1,
          ramOverheadFraction: 0.2,
          overheadCostFraction: 9,
        },
      }),
      node('b', {
        ...times(0, 6, 18),
        ...{ nodeType: 'm5.large', cpuCost: 10, ramCost: 30, gpuCost: 0, discount: 0.1, preemptible: 0 },
        ...{ cpuCoreHours: 4, ramByteHours: 50, gpuHours: 24, gpuCount: 2, adjustment: 1 },
        ...{ cpuBreakdown: shares(0.1, 0.25), ramBreakdown: shares(0.6, 0.2) },
        overhead: { version: 21, cpuOverheadFraction: 0.3, ramOverheadFraction: 0, overheadCostFraction: 9 },
      }),
    ]);
    const row = await askOne('Node', { groups: by('type') });
    expect(row).toMatchObject({
      ...{ key: 'Node', nodeType: 'm5.large', start: first + 2 * 3_600, end: first + 18 * 3_600 },
      ...{ cpuCost: 40, ramCost: 40, gpuCost: 6, adjustment: -1 },
      ...{ cpuCoreHours: 12, ramByteHours: 150, gpuHours: 32, gpuCount: 2 },
      properties: { category: 'Compute', provider: 'AWS', service: 'Kubernetes', cluster: 'c1' },
    });
    expect(row.properties).not.toHaveProperty('name');
    expect(row.properties).not.toHaveProperty('providerID');
    expect(row.discount).toBeCloseTo(0.3, 8);
    expect(row.preemptible).toBeCloseTo(26 / 62, 12);
    expect(row.cpuBreakdown.idle).toBeCloseTo((0.5 * 30 + 0.1 * 10) / 40, 12);
    expect(row.cpuBreakdown.user).toBeCloseTo(0.25, 12);
    expect(row.ramBreakdown.idle).toBeCloseTo((0.2 * 10 + 0.6 * 30) / 40, 12);
    expect(row.totalCost).toBeCloseTo(20 + 36 + 6 - 1, 12);
    expect(row.totalCost).toBeCloseTo(80 * (1 - row.discount) + 6 - 1, 12);
    expect(row.overhead?.cpuOverheadFraction).toBeCloseTo(0.15, 12);
    expect(row.overhead?.ramOverheadFraction).toBeCloseTo(0.05, 12);
    expect(row.overhead?.overheadCostFraction).toBeCloseTo((0.15 * 40 + 0.05 * 40) / 61, 12);
  });

  test('a single node is unchanged, whatever its cost', async () => {
    const overhead = {
      cpuOverheadFraction: 0.1,
      ramOverheadFraction: 0.2,
      overheadCostFraction: 0.3,
    };
    await serveDays([
      node('a', {
        ...{ discount: 0.3, preemptible: 1, cpuBreakdown: shares(0.5, 0.25), gpuHours: 48, gpuCount: 7 },
        overhead: { version: 21, ...overhead },
      }),
    ]);
    expect(await askOne('Node')).toMatchObject({
      ...{ discount: 0.3, preemptible: 1, gpuCount: 2, overhead },
      cpuBreakdown: { idle: 0.5, other: 0, system: 0.25, user: 0.25 },
    });
  });

  test('nodes without cost: the unweighted mean, as in OpenCost; values that differ are dropped', async () => {
    await serveDays([
      node('a', { nodeType: 'x', discount: 0.2, preemptible: 1, overhead: null }),
      node('b', { nodeType: 'y', discount: 0.4, preemptible: 0 }),
    ]);
    const row = await askOne('Node', { groups: by('type') });
    expect(row).toMatchObject({ nodeType: '', preemptible: 0.5, overhead: null, totalCost: 0 });
    expect(row.discount).toBeCloseTo(0.3, 8);
  });

  test('disks: usage may be unknown, and a breakdown is weighted by cost', async () => {
    await serveDays([
      disk('a', {
        ...{ cost: 3, byteHours: 10, byteHoursUsed: 4, byteUsageMax: 7, breakdown: shares(1, 0) },
        ...{ storageClass: 'gp3', claimName: 'data', claimNamespace: 'x', volumeName: 'v1' },
      }),
      disk('b', {
        ...{ cost: 1, byteHours: 30, byteHoursUsed: null, byteUsageMax: 9, breakdown: shares(0, 1) },
        ...{ storageClass: 'gp3', claimName: 'data', claimNamespace: 'y', volumeName: 'v2', adjustment: 2 },
      }),
    ]);
    const both = await askOne('Disk', { groups: by('type') });
    expect(both).toMatchObject({
      ...{ byteHours: 40, byteHoursUsed: 4, byteUsageMax: null, totalCost: 6, adjustment: 2 },
      ...{ storageClass: 'gp3', claimName: 'data', claimNamespace: '', volumeName: '' },
      breakdown: { idle: 0.75, other: 0, system: 0, user: 0.25 },
    });
    const one = await askOne('Disk', { filter: fieldIs('name', 'a') });
    expect(one).toMatchObject({ byteHoursUsed: 4, byteUsageMax: 7 });
    const other = await askOne('Disk', { filter: fieldIs('name', 'b') });
    expect(other).toMatchObject({ byteHoursUsed: null, byteUsageMax: 9 });
  });

  test('types with a cost, a credit, an address', async () => {
    const timed = { ...times(), labels: new Map(), adjustment: 1 };
    await serveDays([
      asset('Cloud', { ...timed, properties: named('bill'), cost: 10, credit: -4 }),
      asset('Network', { ...timed, properties: named('net'), cost: 2 }),
      asset('LoadBalancer', { ...timed, properties: named('l1'), cost: 3, private: true, ip: '192.0.2.1' }),
      asset('LoadBalancer', { ...timed, properties: named('l2'), cost: 4, private: true, ip: '192.0.2.2' }),
      asset('SharedAsset', { labels: new Map(), properties: named('s'), cost: 5 }),
      asset('ClusterManagement', { labels: new Map(), properties: named('m'), cost: 6, adjustment: 0 }),
    ]);
    const { sets } = await ask({ groups: by('type') });
    const rows = new Map((sets[0]?.rows ?? []).map((row) => [row.key, row]));
    expect([...rows.keys()]).toEqual(['LoadBalancer', 'Cloud', 'ClusterManagement', 'Shared', 'Network']);
    expect(rows.get('Cloud')).toMatchObject({ type: 'Cloud', credit: -4, totalCost: 7 });
    expect(rows.get('LoadBalancer')).toMatchObject({ private: true, ip: '', totalCost: 9 });
    expect(rows.get('Shared')).toMatchObject({ totalCost: 5, adjustment: 0, start: first, end: first + day });
    expect(rows.get('ClusterManagement')).toMatchObject({ totalCost: 6 });
    expect(rows.get('Network')).toMatchObject({ totalCost: 3 });
  });

  test('different types become a row without a type', async () => {
    await serveDays([
      node('a', { cpuCost: 10, discount: 0.5, adjustment: 1 }),
      disk('a', { cost: 3, adjustment: 2 }),
    ]);
    const row = await askOne('Any', { groups: by('cluster') });
    expect(row).toMatchObject({ key: 'c1', totalCost: 11, adjustment: 3 });
    expect(row.properties).toEqual({
      ...{ provider: 'AWS', service: 'Kubernetes', cluster: 'c1', name: 'a', providerID: 'i-a' },
    });
  });

  test('without adjustments', async () => {
    await serveDays([node('a', { cpuCost: 10, adjustment: -3 }), disk('a', { cost: 3, adjustment: 2 })]);
    const { sets } = await ask({ disableAdjustments: true, groups: by('type') });
    expect(sets[0]?.rows.map(({ key, adjustment, totalCost }) => [key, adjustment, totalCost])).toEqual([
      ['Node', 0, 10],
      ['Disk', 0, 3],
    ]);
  });
});

describe('labels', () => {
  test('are kept if all assets have them', async () => {
    await serveDays(
      [node('a', { labels: labels({ team: 'x', zone: '1', ['__proto__']: 'p' }) })],
      [node('a', { ...times(1), labels: labels({ team: 'x', zone: '2', ['__proto__']: 'p', new: '' }) })],
    );
    const row = await askOne('Node', { window: { start: first, end: first + 2 * day } });
    expect(Object.entries(row.labels).sort()).toEqual([
      ['__proto__', 'p'],
      ['team', 'x'],
    ]);
    expect(row.end).toBe(first + 2 * day);
  });

  test('are merged over thousands of nodes', async () => {
    const nodes = Array.from({ length: 3_000 }, (_, index) =>
      node(`n${index}`, { labels: labels({ host: `n${index}`, os: 'linux', arch: 'amd64' }) }),
    );
    await serveDays(nodes);
    expect((await askOne('Node', { groups: by('type') })).labels).toEqual({ os: 'linux', arch: 'amd64' });
  });

  test('of an asset are those in all sets of a step, also for filters and groups', async () => {
    await serveDays(
      [node('a', { cpuCost: 1, labels: labels({ team: 'x', env: 'prod' }) }), disk('d')],
      [node('a', { cpuCost: 2, labels: labels({ team: 'y', env: 'prod' }) })],
    );
    const window = { start: first, end: first + 2 * day };
    const inTeam: Filter = {
      kind: 'compare',
      left: { kind: 'label', key: 'team' },
      comparator: 'equals',
      values: ['x'],
    };
    const teams: AssetGroup[] = [{ kind: 'label', key: 'team' }];
    expect((await ask({ window, filter: inTeam })).sets[0]?.rows).toEqual([]);
    expect(await askOne('Any', { window, groups: teams })).toMatchObject({
      ...{ key: '__undefined__', totalCost: 4 },
    });
    const perDay = await ask({ window, groups: teams, step: { seconds: day } });
    expect(perDay.sets.map(({ rows }) => rows.map(({ key }) => key).sort())).toEqual([
      ['__undefined__', 'team=x'],
      ['team=y'],
    ]);
    const prod: Filter = { ...inTeam, left: { kind: 'alias', key: 'env' }, values: ['prod'] };
    expect(await askOne('Node', { window, filter: prod })).toMatchObject({
      ...{ totalCost: 3, labels: { env: 'prod' } },
    });
  });

  test('name the pool of a node', async () => {
    const cases: [Record<string, string>, string][] = [
      [{ label_cloud_google_com_gke_nodepool: 'pool-1' }, 'pool-1'],
      [{ cloud_google_com_gke_nodepool: 'pool-2' }, 'pool-2'],
      [{ eks_amazonaws_com_nodegroup: 'group' }, 'group'],
      [{ alpha_eksctl_io_nodegroup_name: 'eksctl' }, 'eksctl'],
      [{ agentpool: 'aks' }, ''],
    ];
    await serveDays(cases.map(([said], index) => node(`n${index}`, { labels: labels(said) })));
    for (const [index, [, pool]] of cases.entries())
      expect((await askOne('Node', { filter: fieldIs('name', `n${index}`) })).pool).toBe(pool);
    expect((await askOne('Node', { groups: by('type') })).pool).toBe('');
  });
});

describe('keys', () => {
  test('have all identifying properties of an asset by default', async () => {
    await serveDays([node('a'), node('b', { properties: null })]);
    const { sets } = await ask();
    expect(sets[0]?.rows.map(({ key }) => key).sort()).toEqual([
      'AWS/__undefined__/__undefined__/Compute/c1/Node/Kubernetes/i-a/a',
      `${'__undefined__/'.repeat(5)}Node${'/__undefined__'.repeat(3)}`,
    ]);
  });

  test('have one part per group', async () => {
    await serveDays([
      node('a', { labels: labels({ team: 'x', empty: '' }) }),
      disk('d', { properties: named('d', { account: '1', project: 'p' }) }),
    ]);
    const groups: AssetGroup[] = [
      ...by('type', 'account', 'project'),
      ...['team', 'empty'].map((key) => ({ kind: 'label' as const, key })),
      { kind: 'alias', key: 'team' },
    ];
    const { sets } = await ask({ groups });
    expect(sets[0]?.rows.map(({ key }) => key).sort()).toEqual([
      'Disk/1/p/__undefined__/__undefined__/__unallocated__',
      'Node/__undefined__/__undefined__/team=x/empty=/x',
    ]);
    expect(await askOne('Any', { groups: [] })).toMatchObject({ key: '' });
  });
});

describe('filters', () => {
  test('apply to single assets', async () => {
    await serveDays([
      node('a', { cpuCost: 1 }),
      node('b', { cpuCost: 2 }),
      disk('d', { cost: 4, properties: named('d', { cluster: 'c2' }) }),
    ]);
    const totalOf = async (filter: Filter) => (await ask({ groups: [], filter })).sets[0]?.rows[0]?.totalCost;
    expect(await totalOf(fieldIs('assetType', 'node'))).toBe(3);
    expect(await totalOf(fieldIs('name', 'b', 'd'))).toBe(6);
    expect(await totalOf({ kind: 'not', part: fieldIs('cluster', 'c1') })).toBe(4);
    expect(await totalOf(fieldIs('name', "' or true --"))).toBeUndefined();
  });
});

describe('steps', () => {
  const window = { start: first, end: first + 4 * day };
  const threeDays = [0, 1, 2].map((index) => [node('a', { ...times(index), cpuCost: index + 1 })]);

  async function totals(request: Partial<AssetRequest>) {
    const { sets } = await ask({ window, groups: by('type'), ...request });
    return sets.map(({ rows }) => rows.map(({ totalCost }) => totalCost));
  }

  test('are answered one by one, and accumulated', async () => {
    await serveDays(...threeDays);
    expect(await totals({})).toEqual([[6]]);
    expect(await totals({ step: { seconds: day } })).toEqual([[1], [2], [3], []]);
    expect(await totals({ step: { seconds: day }, accumulate: 'all' })).toEqual([[6]]);
    // Weeks begin on Sunday. The first day is a Saturday, so the second and the third day are in the next week.
    expect(await totals({ step: { seconds: day }, accumulate: 'week' })).toEqual([[1], [5]]);
  });

  test('without data have an empty set each', async () => {
    await serveDays(...threeDays);
    const answer = await ask({
      window: { start: first + 10 * day, end: first + 12 * day },
      step: { seconds: day },
    });
    expect(answer.sets).toEqual([
      { window: { start: first + 10 * day, end: first + 11 * day }, rows: [] },
      { window: { start: first + 11 * day, end: first + 12 * day }, rows: [] },
    ]);
    expect(answer.warnings.join()).toContain('extends beyond the data');
    expect(answer.generation).toBe(served);
  });

  test('count a set whole, with a warning, if there is no finer one', async () => {
    await serveDays(...threeDays);
    const answer = await ask({ window: { start: first, end: first + day / 2 } });
    expect(answer.sets[0]?.rows.map(({ totalCost }) => totalCost)).toEqual([1]);
    expect(answer.warnings.join()).toContain('counted whole');
  });

  test('never count both a day and its hours', async () => {
    await serve(() => [
      fileOf('1d', { start: first, end: first + day }, assetSet([node('a', { cpuCost: 24 })])),
      ...[0, 1].map((hour) => {
        const start = first + hour * 3_600;
        return fileOf('1h', { start, end: start + 3_600 }, assetSet([node('a', { cpuCost: 1 })]));
      }),
    ]);
    expect(await totals({ window: { start: first, end: first + day } })).toEqual([[24]]);
    expect(await totals({ window: { start: first, end: first + 7_200 } })).toEqual([[2]]);
  });
});

describe('rows', () => {
  test('are sorted by cost, then by key, and paged in that order', async () => {
    await serveDays(['b', 'a', 'd', 'c'].map((name) => disk(name, { cost: name === 'd' ? 9 : 1 })));
    const keys = async (request: Partial<AssetRequest>) =>
      (await ask({ groups: by('name'), ...request })).sets[0]?.rows.map(({ key }) => key);
    expect(await keys({})).toEqual(['d', 'a', 'b', 'c']);
    expect(await keys({ offset: 1, limit: 2 })).toEqual(['a', 'b']);
    expect(await keys({ offset: 4 })).toEqual([]);
  });

  test('are refused if there are too many', async () => {
    await serveDays(['a', 'b', 'c'].map((name) => disk(name)));
    await expect(ask({}, 2)).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' });
    await expect(ask({}, 3)).resolves.toBeDefined();
  });
});
