import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { allocationSetsParts } from '../../api/allocation-json';
import { assetSetsParts } from '../../api/asset-json';
import { envelopeParts } from '../../api/json';
import { summaryParts } from '../../api/summary-json';
import { writeWorld } from '../../bench/query/made-up-files';
import { toByteString } from '../../etl/byte-string';
import { decodeSet, encodeSet } from '../../etl/file';
import type { Allocation, EtlSet } from '../../etl/model';
import { parseWindowId, windowId } from '../../etl/window';
import { toColumns } from '../../query/columns';
import type { QueryEngine } from '../../query/engine';
import type { WantedFile } from '../../query/ingest';
import type { Serving } from '../../query/publish';
import type { AllocationRequest, AssetRequest } from '../../query/request';
import { runs } from '../etl/run-counts';
import { openEngine, wantedFrom } from './engine-over';
import { allocationRequests, assetRequests, madeUpWorlds } from './made-up-sets';
import type { StoredWorld } from './reference/stored-sets';

/*
 * Servers of the same generation must return the same bytes, regardless of which generations they served before. This
 * test compares three servers:
 * - One ingests five generations, one after another.
 * - One ingests only the last generation.
 * - One ingests only the last generation, with its records in a different order and with a single thread.
 */

jest.setTimeout(3_600_000);
const seed = 20261128;
const worlds = runs(1, 5);
const generations = 5;
const requestsPerWorld = runs(10, 40);
const repetitions = runs(2, 100);

type Sets = readonly { readonly path: string; readonly set: EtlSet }[];

function setsOf(world: StoredWorld): Sets {
  return [...world.allocations, ...world.assets].map(({ start, end, resolution, set }) => ({
    path: windowId({ pipeline: set.kind, resolution, window: { start, end } }),
    set: odd(set),
  }));
}

/**
 * Changes a set so that answers differ if a server depends on the order of records. Sums of the changed amounts depend
 * on the order of addition. Each allocation gets different namespace labels.
 */
function odd(set: EtlSet): EtlSet {
  const own = oddNumbers(set) as EtlSet;
  if (own.kind === 'assets' || own.allocations === null) return own;
  const withDetails = (record: Allocation): Allocation => ({
    ...record,
    properties: record.properties && {
      ...record.properties,
      namespaceLabels: new Map([[toByteString('told_by'), record.name]]),
    },
  });
  return {
    ...own,
    allocations: new Map([...own.allocations].map(([key, record]) => [key, record && withDetails(record)])),
  };
}

const counted = new Set(['version', 'seconds', 'nanos', 'zoneMinutes', 'zoneSeconds']);

function oddNumbers(value: unknown): unknown {
  if (typeof value === 'number') return value * 0.1237;
  if (Array.isArray(value)) return value.map(oddNumbers);
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, oddNumbers(one)]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, counted.has(name) ? one : oddNumbers(one)]),
  );
}

/** Reverses the order of the records in a set. */
function reversed(set: EtlSet): EtlSet {
  const turned = <K, V>(map: ReadonlyMap<K, V> | null) => map && new Map([...map].reverse());
  return set.kind === 'assets'
    ? { ...set, assets: turned(set.assets) }
    : { ...set, allocations: turned(set.allocations) };
}

async function serve(engine: QueryEngine, sets: Sets, name: string, serving: Partial<Serving> = {}) {
  const files = sets.map(({ path: id, set }): WantedFile => {
    const ref = parseWindowId(id);
    if (ref === undefined) throw new Error(`${id} is not a window`);
    const bytes = encodeSet(set);
    return { ...ref, digest: `${name} ${id}`, read: async () => toColumns(decodeSet(ref.pipeline, bytes)) };
  });
  await engine.serve(files, { ingestedAt: name, ...serving });
}

async function allocationBody(engine: QueryEngine, request: AllocationRequest): Promise<string> {
  const answer = await engine.allocations(request);
  const long = [...envelopeParts(allocationSetsParts(answer.sets), answer.warnings)].join('');
  return long + [...summaryParts(answer, true)].join('');
}

async function assetBody(engine: QueryEngine, request: AssetRequest): Promise<string> {
  const answer = await engine.assets(request);
  return [...envelopeParts(assetSetsParts(answer.sets), answer.warnings)].join('');
}

it('an answer depends on the generation alone, to the byte', async () => {
  const known = fc.sample(madeUpWorlds(), { numRuns: worlds * generations, seed }).map(setsOf);
  const asked = fc.sample(allocationRequests, { numRuns: worlds * requestsPerWorld, seed });
  const askedOfAssets = fc.sample(assetRequests, { numRuns: worlds * requestsPerWorld, seed });
  const bodies = new Set<string>();
  for (let world = 0; world < worlds; world++) {
    const history = known.slice(world * generations, (world + 1) * generations);
    const newest = history.at(-1) ?? [];
    const last = { generation: 5, excluded: [{ cluster: 'c9', reason: 'odd prices' }] };
    const follower = await openEngine();
    const fresh = await openEngine();
    const turned = await openEngine({ threads: 1 });
    try {
      for (const [index, sets] of history.entries())
        await serve(follower, sets, `${index}`, index === generations - 1 ? last : { generation: index });
      await serve(fresh, newest, 'fresh', last);
      await serve(
        turned,
        newest.map(({ path: id, set }) => ({ path: id, set: reversed(set) })),
        'turned',
        last,
      );
      for (let index = world * requestsPerWorld; index < (world + 1) * requestsPerWorld; index++) {
        const [request, ofAssets] = [asked[index], askedOfAssets[index]];
        if (request === undefined || ofAssets === undefined) throw new Error('too few requests');
        const expected = [await allocationBody(fresh, request), await assetBody(fresh, ofAssets)];
        for (const body of expected) bodies.add(body);
        for (let again = 0; again < repetitions; again++) {
          const engine = [follower, turned, fresh][again % 3] ?? follower;
          const found = [await allocationBody(engine, request), await assetBody(engine, ofAssets)];
          expect({ world, index, again, request, found }).toEqual({
            world,
            index,
            again,
            request,
            found: expected,
          });
        }
      }
    } finally {
      for (const engine of [follower, fresh, turned]) engine.dispose();
    }
  }
  // Ensure that the requests had many different answers. If all answers were empty, comparing them would prove nothing.
  expect(bodies.size).toBeGreaterThan(worlds * requestsPerWorld);
});

it('an answer does not depend on which thread reads which rows', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'one-answer-'));
  const engine = await openEngine();
  try {
    // Write more rows than a thread reads at once, so that several threads share the work.
    await writeWorld(folder, { days: 2, clusters: 10, allocations: 7_000 });
    await engine.serve(await wantedFrom(folder), { ingestedAt: 'large' });
    const [{ start = 0 } = {}] = [{ start: 1_792_108_800 }];
    const window = { start, end: start + 2 * 86_400 };
    const [base] = fc.sample(allocationRequests, { numRuns: 1, seed });
    if (base === undefined) throw new Error('no request');
    const plain = {
      ...base,
      ...{ window, step: 'window' as const, accumulate: 'none' as const, filter: undefined, now: window.end },
      ...{ reconcile: true, details: true, volumes: true, offset: 0, limit: undefined },
      sharing: { namespaces: [], labels: [], monthlyCost: 0, split: 'weighted' as const, tenancy: true },
      sort: { by: 'totalCost' as const, descending: true },
    };
    const idle = { include: true, byNode: false, split: false, share: false };
    const requests: AllocationRequest[] = [
      { ...plain, idle, groups: [] },
      { ...plain, idle: { ...idle, share: true }, groups: [{ kind: 'field', field: 'cluster' }] },
      { ...plain, idle: { ...idle, byNode: true, share: true }, groups: [{ kind: 'field', field: 'node' }] },
      { ...plain, idle, groups: [{ kind: 'label', key: 'team' }] },
      { ...plain, idle, groups: [{ kind: 'field', field: 'container' }] },
    ];
    for (const request of requests) {
      const first = await allocationBody(engine, request);
      for (let again = 0; again < runs(2, 100); again++)
        expect((await allocationBody(engine, request)) === first).toBe(true);
    }
  } finally {
    engine.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
});
