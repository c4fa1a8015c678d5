import pino from 'pino';
import { createCleanUp } from '../../activities/clean-up';
import { createCommitGeneration } from '../../activities/commit-generation';
import { createLeavePrimary } from '../../activities/leave-primary';
import { createMergeWindow } from '../../activities/merge-window';
import { createPlanFederation } from '../../activities/plan-federation';
import { createPublishGeneration } from '../../activities/publish-generation';
import { createReadExclusions } from '../../activities/read-exclusions';
import { createRecordShard } from '../../activities/record-shard';
import type { ErrorCode } from '../../errors/catalog';
import { isFederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { verifyNewest } from '../../operator/verify';
import type { Bucket } from '../../storage/bucket';
import { ClusterOnDisk } from '../local-etl/cluster-on-disk';
import { type Damage, DamagedWorld, damages, type Kind } from '../scripts/damaged-world';
import { firstDay, goldenSource, TestFederator, testMergeThreads } from './federated-bucket';

const threads = testMergeThreads();
let world: DamagedWorld;
beforeAll(async () => {
  world = await DamagedWorld.make(threads);
});
afterAll(() => world[Symbol.asyncDispose]());

type Events = string[];

/**
 * The activities that read documents in the bucket. The ingest activity is not one of them: it reads only pulled files.
 */
const activities = {
  plan: (bucket: Bucket, events: Events) =>
    createPlanFederation(depsOf(bucket, events))({ run: world.inProgress.run, attempt: 2, request }),
  merge: (bucket: Bucket, events: Events) =>
    createMergeWindow(depsOf(bucket, events))({ ...world.inProgress, index: 0 }),
  record: (bucket: Bucket, events: Events) => createRecordShard(depsOf(bucket, events))(world.inProgress),
  commit: (bucket: Bucket, events: Events) =>
    createCommitGeneration(depsOf(bucket, events))(world.inProgress),
  publish: (bucket: Bucket, events: Events) => createPublishGeneration(depsOf(bucket, events))(),
  'clean up': (bucket: Bucket, events: Events) => createCleanUp(depsOf(bucket, events))(),
  'read exclusions': (bucket: Bucket, events: Events) => createReadExclusions(depsOf(bucket, events))(),
  pull,
  'leave primary': leave,
} as const;
type Activity = keyof typeof activities;
const names = Object.keys(activities) as Activity[];
const request = { trigger: 'person', at: '2026-11-20T00:00:00.000Z' } as const;

function depsOf(bucket: Bucket, events: Events) {
  const write = (line: string) => void events.push((JSON.parse(line) as { event: string }).event);
  return { ...new TestFederator(bucket, threads).deps, log: pino({ level: 'warn' }, { write }) };
}

/** Pulls to cluster-1, which has a new volume. The volume contains only one file, which the cluster built itself. */
async function pull(bucket: Bucket): Promise<object> {
  await using disk = await ClusterOnDisk.make(bucket);
  await disk.build(firstDay, goldenSource('cluster-1', firstDay));
  return await disk.pull({ cluster: clusterId('cluster-1') });
}

/** Makes cluster-4 stop being a primary. The bucket contains a backup of the cluster's own files. */
async function leave(bucket: Bucket): Promise<object> {
  await using disk = await ClusterOnDisk.make(bucket);
  const cluster = clusterId('cluster-4');
  return await createLeavePrimary({ ...disk.pullDependencies(), cluster })();
}

/** What an activity does if a document is damaged. By default, it must do the same as if no document were damaged. */
interface Expected {
  readonly refused?: ErrorCode;
  /** Matches the error's detail and hint. */
  readonly why?: RegExp;
  /** Members that the activity's result must have. */
  readonly gives?: object;
  /** Name of the only event that the activity logs. */
  readonly logs?: string;
}
type Row = Partial<Record<Activity, Expected>>;

const wayOut = /`federated-etl federate --from 1 --wait`/;
const refused = { refused: 'GENERATION_UNREADABLE', why: wayOut } as const;
const again = { refused: 'PLAN_UNREADABLE', why: /plans again by itself/ } as const;
const verified = { refused: 'GENERATION_UNREADABLE', why: /federated-etl verify/ } as const;
const publishedAgain = {
  logs: 'generation.published-record-lost',
  gives: { generation: 2, copied: 2, deleted: 0 },
};
const both = (row: Row) => ({ damaged: row, missing: row });

/** What to expect for each kind of document. A document that was cut short counts as damaged. */
const table: Record<Kind, { damaged: Row; missing: Row }> = {
  // If this document is damaged or missing, nothing fails, because the next commit writes it again.
  federation: both({}),
  generation: {
    damaged: {
      plan: refused,
      commit: verified,
      publish: refused,
      'clean up': { refused: 'GENERATION_UNREADABLE', why: /Nothing is deleted/ },
      'read exclusions': { logs: 'roster.generation-damaged', gives: { follows: { generation: 1 } } },
      pull: { ...refused, why: /keeps and serves what it has pulled[^]*federate --from 1/ },
    },
    missing: {
      plan: { gives: { base: 1 } },
      commit: { gives: { status: 'replan' } },
      publish: { gives: { generation: 1 } },
      'clean up': { gives: {} },
      'read exclusions': { gives: { follows: { generation: 1 } } },
      pull: { gives: { generation: 1 } },
    },
  },
  provenance: both({ merge: { refused: 'GENERATION_UNREADABLE', why: /federate --force/ }, pull: verified }),
  published: both({ publish: publishedAgain }),
  unreferenced: { damaged: { 'clean up': { logs: 'clean-up.record-lost', gives: {} } }, missing: {} },
  // If the record of the full listing is damaged or missing, the plan lists the whole bucket, with the same result.
  fullListing: both({}),
  runRequest: both({}),
  planShard: both({ merge: again }),
  planHead: both({ commit: again }),
  windowQuarantine: both({ record: again }),
  shardOutcome: both({ commit: again }),
  runReport: both({}),
  backupManifest: {
    damaged: { 'leave primary': { refused: 'STORAGE_CORRUPT', why: /older versions/ } },
    // A backup without a manifest is unfinished, so it is ignored.
    missing: {},
  },
  exportSchema: both({}),
};

const intact = new Map<Activity, unknown>();
beforeAll(async () => {
  for (const name of names) intact.set(name, (await attempt(name)).result);
});

describe.each(Object.keys(documents) as Kind[])('%s', (kind) => {
  test.each(damages)('%s', async (damage) => {
    const row = table[kind][damage === 'missing' ? 'missing' : 'damaged'];
    // Activities treat a document that was cut short like any other damaged document. To save time, try only the
    // activities in `row`.
    for (const name of damage === 'cut' ? names.filter((name) => row[name] !== undefined) : names) {
      const { gives, logs, ...failure } = row[name] ?? {};
      const { result, error, events } = await attempt(name, kind, damage);
      expect({ name, refused: error?.code, said: error && `${error.detail}\n${error.hint}` }).toEqual({
        name,
        refused: failure.refused,
        said: failure.why && (expect.stringMatching(failure.why) as string),
      });
      if (gives !== undefined) expect({ name, result }).toMatchObject({ name, result: gives });
      else if (failure.refused === undefined)
        expect({ name, result }).toEqual({ name, result: intact.get(name) });
      expect({ name, events }).toEqual({ name, events: logs === undefined ? expect.anything() : [logs] });
    }
  });
});

async function attempt(name: Activity, kind?: Kind, damage?: Damage) {
  await using bucket = world.copy(kind, damage);
  const events: Events = [];
  try {
    return { result: await activities[name](bucket, events), events };
  } catch (error) {
    if (!isFederationError(error)) throw error;
    return { error, events };
  }
}

describe('the way out', () => {
  test('of a damaged newest generation is to start from an earlier one, under a new number', async () => {
    await using bucket = world.copy('generation');
    const { commit } = await new TestFederator(bucket, threads).federate({ from: 1 });
    expect(commit).toMatchObject({ status: 'committed', generation: 3 });
    const verified = await verifyNewest(bucket, { deep: false, progress: () => undefined });
    expect(verified).toMatchObject({
      generation: 3,
      findings: [
        { about: 'generation 2', todo: expect.stringContaining('Newer generations are not affected') },
      ],
    });
  });

  test('a window whose provenance is damaged is merged again with --force', async () => {
    await using bucket = world.copy('provenance');
    await new TestFederator(bucket, threads).federate({ force: true });
    expect((await verifyNewest(bucket, { deep: false, progress: () => undefined }))?.findings).toEqual([]);
  });

  test('published files that have left the set are removed although the record of them is lost', async () => {
    await using bucket = world.copy('published');
    const federator = new TestFederator(bucket, threads);
    const { [firstDay]: kept } = (await federator.newest()).windows;
    if (kept === undefined) throw new Error('The window is missing.');
    const next = { ...(await federator.newest()), generation: 3, windows: { [firstDay]: kept } };
    await replaceDocument(bucket, documents.generation.at(3), next);
    expect(await federator.publish()).toMatchObject({ copied: 1, deleted: 1 });
    expect((await verifyNewest(bucket, { deep: false, progress: () => undefined }))?.findings).toEqual([]);
  });
});
