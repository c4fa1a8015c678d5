import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { drawPlan } from '../../activities/draw-plan';
import type { DrawnPlan } from '../../activities/drawn-plan';
import { writeFullListing } from '../../activities/full-listing';
import { readNewestGeneration } from '../../activities/read-generations';
import { scanWindowFiles } from '../../activities/survey-clusters';
import { clusterId } from '../../etl/cluster-id';
import { parseWindowId } from '../../etl/window';
import { byBytes } from '../../federation/byte-order';
import { contributes, refused } from '../../federation/decision';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { fingerprint } from '../../federation/fingerprint';
import type { Generation } from '../../federation/generation';
import { clusterEtlPrefix, fullListingKey } from '../../federation/layout';
import { isRecent } from '../../federation/listing';
import { nextGeneration, sameGeneration } from '../../federation/next-generation';
import type { WindowResult } from '../../federation/plan-document';
import type { Bucket, ListEntry, ListOptions, ObjectInfo, Version } from '../../storage/bucket';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { propertyRuns } from '../etl/run-counts';
import { describeWithS3, s3Store, startS3Server } from '../servers/versitygw';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';
import { federatedBucket, overriding, sourceKey } from './federated-bucket';

afterAll(removeTemporaryFolders);

const hour = 3_600;
const day = 24 * hour;
/** Midnight of an arbitrary day, in seconds. */
const start = 1_794_614_400;
/**
 * Old windows of one hour each: more than a listing page can contain, and all older than the other windows of the
 * tests.
 */
const history = Array.from({ length: 1_005 }, (_, hours) =>
  window('allocations', hour, start - 90 * day + hours * hour),
);

function window(pipeline: string, seconds: number, from: number): string {
  return `${pipeline}/${seconds === hour ? '1h' : `${seconds / day}d`}/${from}-${from + seconds}`;
}

/** An empty bucket. The bucket of `World` forwards calls such as `head` to it, so that these calls find no objects. */
const nowhere = federatedBucket({ empty: true });

/** A bucket in memory and a clock. `pages` counts the listing pages that a real store would have returned. */
class World {
  pages = 0;
  now = start;
  readonly bucket: Bucket;
  private readonly objects = new Map<string, { info: ObjectInfo; bytes: Buffer }>();
  private writes = 0;
  private sorted?: string[];

  constructor() {
    this.bucket = overriding(nowhere, {
      list: (prefix, options) => this.list(prefix, options),
      put: async (key, body) => {
        if (!(body instanceof Uint8Array)) throw new TypeError('bytes are expected');
        return this.keep(key, Buffer.from(body), 'own');
      },
      get: async (key) => {
        const { info, bytes } = this.objects.get(key) ?? {};
        if (info === undefined || bytes === undefined) return nowhere.get(key);
        return {
          head: { ...info, metadata: {} },
          body: (async function* () {
            yield bytes;
          })(),
        };
      },
    });
  }

  /** Writes an object. The object's version tells `run` whether the file is good or bad. */
  write(key: string, bytes = Buffer.alloc(0), good = true): void {
    this.keep(key, bytes, `${good ? 'good' : 'bad'}-${++this.writes}`);
  }

  private keep(key: string, bytes: Buffer, version: string): ObjectInfo {
    const modified = new Date(this.now * 1_000);
    const info = { key, size: bytes.length, modified, version: version as Version };
    this.objects.set(key, { info, bytes });
    this.sorted = undefined;
    return info;
  }

  delete(key: string): void {
    this.objects.delete(key);
    this.sorted = undefined;
  }

  /**
   * Writes as many files as fit on a listing page. They belong to no window. In the folder, they sort before all
   * windows.
   */
  fill(folder: string): void {
    for (let number = 0; number < 1_000; number++)
      this.write(sourceKey('a', `${folder}/0${String(number).padStart(3, '0')}`));
  }

  /** Returns a copy with the same objects. Later changes to one of the two do not affect the other. */
  copy(): World {
    const copy = new World();
    for (const [key, object] of this.objects) copy.objects.set(key, object);
    copy.writes = this.writes;
    return copy;
  }

  private async *list(
    prefix: string,
    { after = '', delimiter }: ListOptions = {},
  ): AsyncGenerator<ListEntry> {
    this.sorted ??= [...this.objects.keys()].sort();
    const keys = this.sorted.filter((key) => key.startsWith(prefix) && key > after);
    const entries = new Map<string, ListEntry>();
    for (const key of keys) {
      const deeper = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      const folder = key.slice(0, deeper + 1);
      const info = this.objects.get(key)?.info;
      if (deeper >= 0) entries.set(folder, { kind: 'prefix', prefix: folder });
      else if (info !== undefined) entries.set(key, { kind: 'object', ...info });
    }
    let given = 0;
    for (const entry of entries.values()) {
      if (given++ % 1_000 === 0) this.pages += 1;
      yield entry;
    }
    if (given === 0) this.pages += 1;
  }
}

const input = { federator: 'f', scope: { exclude: [] }, roster: 'r', exclusions: {} };

/**
 * Plans a run and commits it. Stops before the commit if `fails` is true. Reads and merges no files: the version of a
 * file says whether the file is bad.
 */
async function run(world: World, { fails = false, full = false } = {}): Promise<DrawnPlan> {
  const now = new Date(world.now * 1_000);
  const request = { trigger: 'schedule' as const, at: now.toISOString(), full };
  const drawn = await drawPlan(world.bucket, { ...input, request, now });
  if (fails || (drawn.outcome !== 'work' && drawn.outcome !== 'nothing-changed')) return drawn;
  const { baseGeneration: base, membership } = drawn;
  const results = drawn.windows.map(({ window: id, sources }): WindowResult => {
    const decided = sources.map((source) =>
      source.seen.startsWith('bad') ? { ...source, decision: refused('ETL_CORRUPT') } : source,
    );
    const quarantined = decided
      .filter((source) => !contributes(source))
      .map(({ cluster, seen }) => ({ cluster, window: id, seen, code: 'ETL_CORRUPT', detail: '' }));
    const ref = parseWindowId(id);
    if (ref === undefined || quarantined.length === decided.length)
      return { window: id, quarantined, accepted: [], names: [], shrunk: [] };
    const name = fingerprint(ref, decided);
    return {
      window: id,
      quarantined,
      accepted: [],
      names: [],
      shrunk: [],
      merged: { fingerprint: name, digest: sha256(name), size: 1 },
    };
  });
  const { number, names } = drawn;
  const plan = {
    ...drawn,
    names: names.names,
    nameConflicts: names.nameConflicts,
    number,
    membership,
    removed: [...drawn.removed],
    quarantined: [...drawn.quarantined],
    accepted: [],
    shrunk: [],
  };
  const next = nextGeneration({ base, plan, results, run: 'run', program: '0.1.0', now });
  const same = base !== undefined && sameGeneration(base, next);
  if (!same) await replaceDocument(world.bucket, documents.generation.at(next.generation), next);
  const { generation } = same ? base : next;
  if (drawn.fullListing !== undefined)
    await writeFullListing(world.bucket, drawn.fullListing, generation, {});
  return drawn;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Returns the clusters of the newest generation, and its entries for the windows that ended after `since`. */
async function said(world: World, since: number) {
  const generation = await readNewestGeneration(world.bucket);
  const looked = (id: string) =>
    isRecent(
      parseWindowId(id) ?? { pipeline: 'assets', resolution: '', window: { start: 0, end: 0 } },
      since,
    );
  return {
    windows: Object.fromEntries(Object.entries(generation?.windows ?? {}).filter(([id]) => looked(id))),
    quarantined: (generation?.quarantined ?? []).filter(({ window: id }) => looked(id)),
    clusters: generation?.membership.clusters,
  } satisfies Record<string, unknown> & Pick<Generation, 'windows' | 'quarantined'>;
}

/** Creates a bucket with two clusters, each with files for several weeks. */
function twoClusters(): World {
  const world = new World();
  for (const cluster of ['a', 'b']) {
    for (let days = -12; days < 0; days++) {
      world.write(sourceKey(cluster, window('allocations', day, start + days * day)));
      world.write(sourceKey(cluster, window('assets', day, start + days * day)));
    }
    world.write(sourceKey(cluster, window('assets', 7 * day, start - 14 * day)));
    world.write(sourceKey(cluster, window('assets', 7 * day, start - 7 * day)));
  }
  return world;
}

/** Same as `twoClusters`, but each cluster also has so many old windows that they do not fit on one listing page. */
function twoWithHistory(): World {
  const world = twoClusters();
  for (const cluster of ['a', 'b']) for (const id of history) world.write(sourceKey(cluster, id));
  return world;
}

describe('over days of changes', () => {
  const change = fc.record({
    cluster: fc.constantFrom('a', 'a', 'b', 'b', 'new'),
    pipeline: fc.constantFrom('allocations', 'assets'),
    seconds: fc.constantFrom(hour, day, 7 * day),
    /** Number of hours from the end of the window to the change. Negative if the window has not ended yet. */
    back: fc.oneof(fc.integer({ min: -5, max: 8 * 24 }), fc.integer({ min: 0, max: 80 * 24 })),
    what: fc.constantFrom('good', 'good', 'bad', 'gone'),
  });
  const step = fc.record({
    hours: fc.integer({ min: 1, max: 12 }),
    changes: fc.array(change, { maxLength: 4 }),
    fails: fc.boolean(),
  });

  test('recent windows match those of a full listing in every run, and after a full listing all windows do', async () => {
    const seen = { full: 0, recent: 0, behind: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const own = twoClusters();
        for (const folder of ['allocations/1d', 'allocations/1h', 'assets/1d']) own.fill(folder);
        const other = own.copy();
        for (const { hours, changes, fails } of [{ hours: 30, changes: [], fails: false }, ...steps]) {
          for (const world of [own, other]) {
            world.now += hours * hour;
            for (const { cluster, pipeline, seconds, back, what } of changes) {
              const end = Math.floor((world.now - back * hour) / seconds) * seconds;
              const key = sourceKey(cluster, window(pipeline, seconds, end - seconds));
              if (what === 'gone') world.delete(key);
              else world.write(key, Buffer.alloc(1), what === 'good');
            }
          }
          const { listing } = await run(own, { fails });
          if (listing.kind === 'none') throw new Error(listing.why);
          seen[listing.kind] += 1;
          await run(other, { fails, full: true });
          if (fails) continue;
          const since = listing.kind === 'full' ? 0 : listing.since;
          expect(await said(own, since)).toEqual(await said(other, since));
          if (!isDeepStrictEqual(await said(own, 0), await said(other, 0))) seen.behind += 1;
        }
        for (const world of [own, other]) world.now += day;
        await run(own);
        await run(other, { full: true });
        expect(await said(own, 0)).toEqual(await said(other, 0));
      }),
      propertyRuns(12, 100),
    );
    // Check that the random changes have led to every situation that this test is about.
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
  });
});

describe('a run after a full listing', () => {
  test('that failed lists everything again', async () => {
    const world = twoWithHistory();
    world.now += 2 * day;
    expect((await run(world, { fails: true })).listing).toMatchObject({ kind: 'full' });
    expect((await run(world)).listing).toMatchObject({ kind: 'full', why: 'there is no generation yet' });
    world.now += day;
    expect((await run(world, { fails: true })).listing).toMatchObject({ kind: 'full' });
    world.now += hour;
    expect((await run(world)).listing).toMatchObject({ kind: 'full' });
    world.now += hour;
    expect((await run(world)).listing).toMatchObject({ kind: 'recent' });
  });

  test('lists everything if the record of it is lost or damaged', async () => {
    const world = twoWithHistory();
    world.now += 2 * day;
    await run(world);
    const noted = await readAll(world.bucket, fullListingKey);
    for (const spoil of [
      () => world.delete(fullListingKey),
      () => world.write(fullListingKey, Buffer.from('{"format":1')),
      () => world.write(fullListingKey, Buffer.from('{"format":2}')),
    ]) {
      spoil();
      expect((await run(world)).listing).toEqual({ kind: 'full', why: 'no full listing is known' });
      expect((await run(world)).listing).toMatchObject({ kind: 'recent' });
    }
    expect((await readAll(world.bucket, fullListingKey)).bytes).toEqual(noted.bytes);
  });

  test('adds all windows of a new cluster as they arrive', async () => {
    const world = twoWithHistory();
    world.now += 2 * day;
    await run(world);
    // Uploads a part of a new cluster's history. The test uploads the history in two parts, with a run after each.
    const bring = (from: number, to: number) =>
      history.slice(from, to).forEach((id) => world.write(sourceKey('new', id)));
    bring(900, 1_000);
    world.now += hour;
    expect((await run(world)).listing).toEqual({ kind: 'full', why: 'new is new' });
    bring(0, 900);
    world.now += hour;
    expect(await run(world)).toMatchObject({
      listing: { kind: 'full', why: 'older windows of new changed' },
      windows: { length: 900 },
    });
    world.now += hour;
    expect(await run(world)).toMatchObject({ listing: { kind: 'recent' }, windows: [] });
  });

  test('notices at once that a source of an older window is good again', async () => {
    const world = twoWithHistory();
    const [broken = ''] = history;
    world.write(sourceKey('a', broken), Buffer.alloc(1), false);
    world.now += 2 * day;
    await run(world);
    world.now += hour;
    expect(await run(world)).toMatchObject({ listing: { kind: 'recent' }, quarantined: { length: 1 } });
    world.write(sourceKey('a', broken));
    world.now += hour;
    expect(await run(world)).toMatchObject({
      listing: { kind: 'full', why: 'older windows of a changed' },
      windows: [{ window: broken }],
    });
    expect((await readNewestGeneration(world.bucket))?.quarantined).toEqual([]);
  });

  test('reads every page of a cluster whose names do not sort by time', async () => {
    const world = twoWithHistory();
    const yesterday = window('allocations', hour, start - hour);
    // The prefix `1.` makes this file sort before all other windows in its folder. `fill` puts a whole listing page of
    // files that belong to no window before it.
    const odd = sourceKey('a', yesterday.replace('1h/', '1h/1.'));
    world.fill('allocations/1h');
    world.write(odd);
    world.now += 2 * day;
    await run(world);
    world.now += hour;
    expect(await run(world)).toMatchObject({ listing: { kind: 'recent' }, windows: [] });
  });

  test('with few files is full, as that takes no more requests', async () => {
    const world = new World();
    for (let days = 1; days < 280; days++)
      world.write(sourceKey('a', window('allocations', day, start - days * day)));
    await run(world);
    const before = world.pages;
    // The run does not record its full listing again, because the recorded one is less than a day old.
    expect(await run(world)).toMatchObject({
      listing: { kind: 'full', why: 'it took no more requests' },
      fullListing: undefined,
    });
    // The run requests three listing pages: one page of clusters, one of generations, and one of files.
    expect(world.pages - before).toBe(3);
  });
});

describeWithS3('on an S3 server', () => {
  test('a recent listing takes one request per folder, however large, and misses nothing recent', async () => {
    const name = 'recent-listing';
    const rootDir = temporaryFolder();
    const server = await startS3Server({ rootDir });
    await server.createBucket(name);
    let requests = 0;
    const bucket = await openBucket(parseFederatedStore(JSON.stringify(s3Store(server, name)), 'f.yaml'), {
      observe: ({ verb, pages = 0 }) => void (verb === 'list' && (requests += pages)),
    });
    const cluster = clusterId('c');
    const prefix = clusterEtlPrefix(cluster);
    const since = start;
    const files = [
      { folder: '10m', seconds: 600, older: 1_400, recent: 5 },
      { folder: '1h', seconds: hour, older: 2_200, recent: 3 },
      { folder: '1d', seconds: day, older: 30, recent: 2 },
    ].flatMap(({ folder, seconds, older, recent }) =>
      Array.from({ length: older + recent }, (_, number) => {
        const from = start - (older - number) * seconds;
        return `allocations/${folder}/${from}-${from + seconds}`;
      }),
    );
    // Write the files directly to the server's folder, because this is faster than uploading them.
    for (const file of files) {
      const at = path.join(rootDir, name, prefix, file);
      mkdirSync(path.dirname(at), { recursive: true });
      writeFileSync(at, 'x');
    }

    const scan = async (from?: number) => {
      requests = 0;
      const found: string[] = [];
      const { passedOver } = await scanWindowFiles(bucket, [cluster], {
        since: from,
        onFile: (file) => found.push(file.path),
      });
      return { found: found.sort(byBytes), passedOver, requests };
    };
    expect(await scan()).toEqual({ found: [...files].sort(byBytes), passedOver: false, requests: 4 });
    const partly = await scan(since);
    expect(partly).toMatchObject({ passedOver: true, requests: 3 });
    const recent = files.filter((file) => Number(file.split('-')[1]) > since);
    expect(recent).toHaveLength(10);
    expect(partly.found).toEqual(expect.arrayContaining(recent));
    await bucket.close();
    await server.stop();
  });
});
