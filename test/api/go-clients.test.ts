import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { timeText } from '../../query/notes';
import { allocationFields } from '../../query/request';
import { propertyRuns, runs } from '../etl/run-counts';
import { openEngine, serveWorld } from '../query/engine-over';
import { firstDay, madeUpWorlds } from '../query/made-up-sets';
import { container, smallWorld, window as hour } from '../query/small-world';
import { balancersCost, goTotal, readAllocations, readAssets, volumesCost } from './go-reader';
import { ask, serverOver, useGoldenServer, window as goldenWindow } from './served';

const { numRuns = 0, seed } = propertyRuns(3, 200);
const questionsPerWorld = 10;

type Parameters = Record<string, string>;

/** The groupings to test. Quick runs omit most groupings by a single field. */
const aggregates = [
  ...runs<readonly string[]>(['cluster', 'namespace', 'controllerKind', 'providerID'], allocationFields),
  ...['all', 'label:app', 'annotation:team', 'namespaceLabel:team', 'team', 'cluster,namespace'],
  ...['namespace,pod,container', 'cluster,namespace,controllerKind', 'cluster,node,namespace,pod,container'],
];
const flags = fc.constantFrom('true', 'false');

/**
 * Generates the parameters of allocation requests. The window is one of the given windows. The values of most other
 * parameters vary, so that the answers differ.
 */
function questions(windows: readonly string[], namespaces: readonly string[]): fc.Arbitrary<Parameters> {
  return fc.record(
    {
      window: fc.constantFrom(...windows),
      aggregate: fc.constantFrom(...aggregates),
      filter: fc.constantFrom('', ...namespaces.flatMap((one) => ['', `namespace!:"${one}"`])),
      filterNamespaces: fc.constantFrom('', '', '', ...namespaces),
      accumulate: fc.constantFrom('true', 'false', 'day', 'week'),
      step: fc.constantFrom('1d', '6h', '1h'),
      includeIdle: flags,
      idleByNode: flags,
      splitIdle: flags,
      shareIdle: flags,
      shareNamespaces: fc.constantFrom(...namespaces),
      shareLabels: fc.constant('app:a'),
      shareCost: fc.constantFrom('0', '73'),
      shareSplit: fc.constantFrom('weighted', 'even'),
      shareTenancyCosts: flags,
      reconcile: flags,
      includeAggregatedMetadata: flags,
    },
    { requiredKeys: ['window', 'aggregate'] },
  );
}

const paths = fc.constantFrom('/allocation', '/model/allocation', '/allocation/compute');

/**
 * The numbers in our answer, by set, row and member. They include members that OpenCost's Go types lack, such as
 * `totalCost`.
 */
type OwnRows = readonly Record<string, Record<string, number>>[];

/**
 * Sends a request and checks the totals in each row of the answer. A Go client ignores the totals in our answer, and
 * adds up the parts instead. The parts must add up to the totals. Returns the number of rows.
 */
async function holdsForGo(app: FastifyInstance, path: string, parameters: Parameters): Promise<number> {
  const { status, text, data } = await ask(app, path, parameters);
  expect([path, parameters, status]).toEqual([path, parameters, 200]);
  const sets = readAllocations(text);
  // Compare with tolerances: answers round costs to five decimals, and the costs of single volumes to nine.
  const wrong = sets.flatMap((set, index) =>
    [...set].flatMap(([name, row]) => {
      const own = (data as OwnRows)[index]?.[name] ?? {};
      const { pvCost = NaN, loadBalancerCost = NaN, totalCost = NaN } = own;
      const near = (a: number, b: number, most: number) => Math.abs(a - b) <= most;
      const volumes = near(volumesCost(row), pvCost, 1e-5);
      const balancers = near(balancersCost(row), loadBalancerCost, 1e-5);
      return volumes && balancers && near(goTotal(row), totalCost, 1e-4) ? [] : [{ name, own, row }];
    }),
  );
  expect({ path, parameters, wrong }).toEqual({ path, parameters, wrong: [] });
  return sets.reduce((sum, { size }) => sum + size, 0);
}

describe("a client of OpenCost's Go types", () => {
  describe('of the golden clusters', () => {
    const golden = useGoldenServer();

    it.each(aggregates)('gets the total of each row by %s as the sum of its parts', async (aggregate) => {
      for (const shareIdle of ['false', 'true']) {
        const parameters = { window: goldenWindow, aggregate, includeIdle: 'true', shareIdle };
        expect(await holdsForGo(golden.app, '/allocation', parameters)).toBeGreaterThan(0);
      }
    });

    it('gets volumes in rows of any size, with their complete cost', async () => {
      const read = async (aggregate: string) => {
        const { text } = await ask(golden.app, '/allocation', { window: goldenWindow, aggregate });
        const rows = [...(readAllocations(text)[0]?.values() ?? [])];
        return rows.reduce((sum, row) => sum + goTotal(row), 0);
      };
      const { data } = await ask(golden.app, '/allocation', { window: goldenWindow, aggregate: 'all' });
      const { totalCost, pvCost } = (data as OwnRows)[0]?.[''] ?? {};
      expect(pvCost).toBeGreaterThan(0);
      for (const aggregate of ['cluster', 'namespace', 'controller', 'pod', 'label:app']) {
        expect(await read(aggregate)).toBeCloseTo(totalCost ?? NaN, 2);
      }
    });

    it('gets consistent sums for any request', async () => {
      const asked = fc.tuple(paths, questions([goldenWindow], ['kube-system', 'monitoring', 'shop']));
      for (const [path, parameters] of fc.sample(asked, { numRuns: numRuns * 4, seed })) {
        await holdsForGo(golden.app, path, parameters);
      }
    });

    it.each(['/assets', '/model/assets'])('reads all assets of %s', async (path) => {
      for (const aggregate of ['', 'type', 'cluster', 'provider', 'label:app']) {
        const { status, text } = await ask(golden.app, path, { window: goldenWindow, aggregate });
        expect(status).toBe(200);
        expect(readAssets(text).reduce((sum, { size }) => sum + size, 0)).toBeGreaterThan(0);
      }
    });
  });

  it('gets consistent sums for any request over made-up clusters, and reads all of their assets', async () => {
    const day = 86_400;
    const windows = [
      [0, 3],
      [0, 1],
      [1, 2],
      [-1, 4],
    ].map(([from = 0, to = 0]) => `${timeText(firstDay + from * day)},${timeText(firstDay + to * day)}`);
    const asked = fc.tuple(paths, questions(windows, ['x', 'y', 'kube-system']));
    const samples = fc.sample(asked, { numRuns: numRuns * questionsPerWorld, seed });
    const engine = await openEngine();
    const app = await serverOver(engine);
    let rows = 0;
    try {
      for (const [index, world] of fc.sample(madeUpWorlds(), { numRuns, seed }).entries()) {
        await serveWorld(engine, world, index);
        const from = index * questionsPerWorld;
        for (const [path, parameters] of samples.slice(from, from + questionsPerWorld)) {
          rows += await holdsForGo(app, path, parameters);
        }
        for (const path of ['/assets', '/model/assets']) {
          for (const aggregate of ['', 'type', 'cluster', 'label:app']) {
            readAssets((await ask(app, path, { window: windows[0] ?? '', aggregate })).text);
          }
        }
      }
    } finally {
      await app.close();
      engine.dispose();
    }
    // Ensure that the generated data was not empty: on average, an answer must have more than one row.
    expect(rows).toBeGreaterThan(numRuns * questionsPerWorld);
  });

  it('gets the sum of a row with thousands of volumes whose names contain colons', async () => {
    const arn = 'arn:aws:eks:eu-west-1:1086:cluster/prod';
    const pvs = Array.from({ length: 3_000 }, (_, index) => ({
      key: { version: 25, cluster: index % 2 === 0 ? arn : 'c2', name: `vol:${index}` },
      value: { version: 25, byteHours: 1, cost: 0.001 * index + 1e-7, providerID: '' },
    }));
    const engine = await openEngine();
    const app = await serverOver(engine);
    try {
      await serveWorld(engine, smallWorld([container(`c1/n1/x/a`, { pvs }, { cluster: arn })]), 0);
      const window = `${hour.start},${hour.end}`;
      for (const aggregate of aggregates) {
        expect(await holdsForGo(app, '/allocation', { window, aggregate })).toBe(1);
      }
      const { text } = await ask(app, '/allocation', { window, aggregate: 'all' });
      const row = readAllocations(text)[0]?.get('');
      expect(Object.keys(row?.pvs ?? {})).toHaveLength(1_002);
      expect(Object.keys(row?.pvs ?? {})).toContain(
        'cluster=arn_aws_eks_eu-west-1_1086_cluster/prod:name=__other__',
      );
    } finally {
      await app.close();
      engine.dispose();
    }
  });
});

describe('the reader', () => {
  const row = { window: {}, start: '2026-11-14T00:00:00Z', end: '2026-11-15T00:00:00Z' };
  const body = (one: object) => JSON.stringify({ code: 200, data: [{ a: { ...row, ...one } }] });
  const known = (one: object) => readAllocations(body(one))[0]?.get('a');

  it('ignores totalCost and pvCost, and reads null as 0', () => {
    const pvs = { 'cluster=c:name=v': { cost: 2 } };
    const read = known({ cpuCost: 1, ramCost: null, pvs, totalCost: 9, pvCost: 9 });
    expect(read).not.toHaveProperty('totalCost');
    expect(read && goTotal(read)).toBe(3);
  });

  it.each([
    { pvs: { 'cluster=arn:aws:name=v': { cost: 1 } } },
    { pvs: { v: { cost: 1 } } },
    { cpuCost: '1' },
    { start: '2026-11-14' },
    { end: '2026-11-14 00:00:00' },
    { start: undefined },
  ])('refuses the whole answer for %j', (one) => {
    expect(() => readAllocations(body(one))).toThrow();
    expect(() => readAllocations(body({}))).not.toThrow();
  });

  it.each(['properties', 'labels', 'start', 'end', 'breakdown'])('panics for a disk without %s', (member) => {
    const breakdown = { idle: 0, other: 0, system: 0, user: 0 };
    const disk = { type: 'Disk', properties: {}, labels: {}, breakdown, ...row };
    const of = (one: object) => JSON.stringify({ code: 200, data: { a: one } });
    expect(() => readAssets(of(disk))).not.toThrow();
    expect(() => readAssets(of({ ...disk, [member]: undefined }))).toThrow();
  });

  it.each(['cpuBreakdown', 'ramBreakdown'])('panics for a node without %s', (member) => {
    const breakdown = { idle: 0, other: 0, system: 0, user: 0 };
    const node = { type: 'Node', properties: {}, labels: {}, ...row };
    const of = (one: object) => JSON.stringify({ code: 200, data: [{ a: one }] });
    const whole = { ...node, cpuBreakdown: breakdown, ramBreakdown: breakdown };
    expect(() => readAssets(of(whole))).not.toThrow();
    expect(() => readAssets(of({ ...whole, [member]: null }))).toThrow();
  });
});
