import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSettings } from '../../config/settings';
import type { ErrorCode } from '../../errors/catalog';
import { describeError, FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import { documents } from '../../federation/documents';
import { clusterEtlKey } from '../../federation/layout';
import { checkClusters } from '../../operator/doctor/clusters';
import { requireCommittable } from '../../operator/hold';
import type { Operator } from '../../operator/operator';
import { replayRequest } from '../../operator/replay';
import { surveyBucket } from '../../operator/survey';
import { names } from '../../workflows/names';
import { firstDay, testMergeThreads } from '../activities/federated-bucket';
import { clearSettings } from '../servers/clear-environment';
import { connectToTestServer } from '../servers/temporal';
import { backup, DamagedWorld, damages, type Kind } from './damaged-world';
import { type Answer, runMain } from './run-main';

const threads = testMergeThreads();
let world: DamagedWorld;
clearSettings();
beforeAll(async () => {
  world = await DamagedWorld.make(threads);
});
afterAll(() => world[Symbol.asyncDispose]());

/**
 * The verbs that read documents in the bucket. `primary` is not one of them: the primary's worker reads the documents,
 * and the tests of activities cover that. `include` is omitted because it reads the same documents as `exclude`.
 */
const verbs = {
  status: () => run('status'),
  runs: () => run('runs'),
  generations: () => run('generations'),
  quarantine: () => run('quarantine'),
  verify: () => run('verify'),
  'verify --deep': () => run('verify', '--deep'),
  // Run only the doctor's checks of the clusters. Its other checks do not depend on documents in the bucket.
  doctor: async (): Promise<Answer> => {
    const settings = loadSettings({ file: world.folder.settings });
    const { bucket } = world.folder;
    const checks = await checkClusters(bucket, settings, await surveyBucket(bucket), {});
    const failed = checks.some(({ outcome }) => outcome === 'failed');
    return { status: failed ? 1 : 0, out: JSON.stringify(checks, null, 2), err: '' };
  },
  'federate --dry-run': () => run('federate', '--dry-run'),
  export: () => run('export', '--out', join(world.folder.folder, 'out')),
  diff: () => run('diff', '1'),
  'diff 1 2': () => run('diff', '1', '2'),
  'rollback --dry-run': () => run('rollback', '1', '--dry-run'),
  // The verbs from here to `cluster remove` ask for confirmation. There is no terminal, so they end with an error.
  accept: () => run('accept', 'cluster-2'),
  'accept --name': () => run('accept', 'cluster-2', '--name', 'cluster-1'),
  'quarantine drop': () => run('quarantine', 'drop', 'cluster-2'),
  'cluster remove': () => run('cluster', 'remove', 'cluster-2'),
  // This verb starts no run, because cluster-2 is not removed.
  'cluster restore': () => run('cluster', 'restore', 'cluster-2'),
  restore: () => run('restore', backup),
  // This verb stops when it needs the roster workflow, because that workflow is not running.
  exclude: () => run('exclude', 'cluster-1'),
  // Call only those parts of `federate` and `replay` that read documents. The verbs themselves would start runs.
  federate: () => answerOf((operator) => requireCommittable(operator, {})),
  replay: () => answerOf((operator) => replayRequest(operator, world.inProgress.run)),
  backups: () => run('backups'),
  inspect: () => run('inspect', clusterEtlKey(clusterId('cluster-1'), firstDay)),
} as const;
type Verb = keyof typeof verbs;
const verbNames = Object.keys(verbs) as Verb[];
const kinds = Object.keys(documents) as Kind[];

/** What a verb does if a document is damaged. By default, it must answer as if no document were damaged. */
interface Expected {
  /** Matches a part of the answer. */
  readonly says?: RegExp;
  /** The verb fails with this code, and with a hint that matches `hint`. */
  readonly refused?: ErrorCode;
  readonly hint?: RegExp;
  /** Exit status, if it differs from the one that the verb has when no document is damaged. */
  readonly status?: number;
}
type Row = Partial<Record<Verb, Expected>>;

const unreadable = { refused: 'GENERATION_UNREADABLE' } as const;
const wayOut = /`federated-etl federate --from 1 --wait`.*`federated-etl rollback 1`/;
const isDamaged = {
  says: /Generation 2 is damaged \(federated\/combined\/generations\/000000000002\.json\)/,
};
const refused = { ...unreadable, hint: wayOut };
/**
 * The expected errors of verbs that start a run or record a decision. They must fail early, because no run could
 * commit.
 */
const refuses = {
  federate: refused,
  'federate --dry-run': refused,
  accept: refused,
  'accept --name': refused,
  'quarantine drop': refused,
  'cluster remove': refused,
  'cluster restore': refused,
};
const isMissing = { says: /Generation 2 has been published, but is missing/ };
const found = (says: RegExp) => ({ verify: { says, status: 1 }, 'verify --deep': { says, status: 1 } });
const forced = /`federated-etl federate --force --window 1794614400,1794700800` merges it again/;
const onlyTemporalKnows = { refused: 'TEMPORAL_UNAVAILABLE' } as const;
const unlisted = { says: /no full listing is known/ };

/** What to expect for each kind of document. A document that was cut short counts as damaged. */
const table: Record<Kind, { damaged: Row; missing: Row }> = {
  federation: {
    damaged: found(/federation: .*no JSON.*\n +The next commit writes it again/),
    missing: found(/federation: It is missing\. /),
  },
  generation: {
    damaged: {
      status: isDamaged,
      generations: isDamaged,
      quarantine: isDamaged,
      ...found(wayOut),
      doctor: { ...isDamaged, status: 1 },
      ...refuses,
      'rollback --dry-run': isDamaged,
      export: { ...isDamaged, status: 1 },
      diff: { ...isDamaged, status: 1 },
      'diff 1 2': {
        ...unreadable,
        hint: /generations` lists those that can be read; `federated-etl verify`/,
      },
    },
    missing: {
      status: isMissing,
      generations: isMissing,
      quarantine: isMissing,
      ...found(isMissing.says),
      doctor: { ...isMissing, status: 1 },
      'federate --dry-run': { says: /2 windows to merge, 0 as they are in generation 1/ },
      'rollback --dry-run': isMissing,
      accept: isMissing,
      'accept --name': isMissing,
      'quarantine drop': isMissing,
      'cluster remove': isMissing,
      'cluster restore': isMissing,
      export: { ...isMissing, status: 1 },
      diff: { ...isMissing, status: 1 },
      'diff 1 2': { ...unreadable, hint: /`federated-etl generations`/ },
    },
  },
  provenance: {
    damaged: found(forced),
    missing: { ...found(forced), 'rollback --dry-run': { refused: 'ROLLBACK_IMPOSSIBLE' } },
  },
  published: {
    damaged: {
      ...found(/published: .*no JSON.*\n +The next federation repairs that/),
      doctor: { says: /published\.json is damaged, so it is unknown which files .* were published/ },
    },
    missing: found(/Generation 2 is the newest, but none is published/),
  },
  unreferenced: {
    damaged: found(/The next federation writes it again; what it waits to delete/),
    missing: {},
  },
  fullListing: {
    damaged: { ...found(/The next federation lists the whole bucket/), 'federate --dry-run': unlisted },
    missing: { 'federate --dry-run': unlisted },
  },
  runRequest: {
    damaged: {
      status: { says: /request\.json is damaged/ },
      runs: { says: /request\.json is damaged/ },
      replay: onlyTemporalKnows,
      ...found(/request\.json\)\n +No other run needs it/),
    },
    missing: {
      // Without the request, it is unknown when and by whom the run was requested. Temporal has no workflow of this
      // run, so the run must have ended without a report.
      status: { says: /run-cluster-4-3: died\n/ },
      runs: { says: /run-cluster-4-3 +- +- +died/ },
      replay: onlyTemporalKnows,
    },
  },
  runReport: {
    damaged: {
      runs: { says: /run-cluster-4-2 .* unknown(.|\n)*report\.json is damaged/ },
      ...found(/report\.json\)\n +No other run needs it/),
    },
    missing: { runs: { says: /run-cluster-4-2 .* died/ } },
  },
  // Only the run itself reads the next four kinds of documents. If one of them is damaged, the run plans again.
  // `test/activities/damaged-documents.test.ts` tests this.
  planShard: { damaged: {}, missing: {} },
  planHead: { damaged: {}, missing: {} },
  windowQuarantine: { damaged: {}, missing: {} },
  shardOutcome: { damaged: {}, missing: {} },
  backupManifest: {
    damaged: {
      backups: { says: /The manifest of the backup 2026-11-20T10-00-00-000Z is damaged/ },
      restore: { refused: 'STORAGE_CORRUPT', hint: /older versions/ },
    },
    // A backup without a manifest is unfinished, so it is not listed.
    missing: {
      backups: { says: /No backup of cluster-4/ },
      restore: { refused: 'BACKUP_NOT_FOUND', hint: /`federated-etl backups`/ },
    },
  },
  // If this document is damaged or missing, the next export to the bucket writes it again.
  exportSchema: { damaged: {}, missing: {} },
};

let intact: Readonly<Record<Verb, Answer>>;
beforeAll(async () => {
  const server = await connectToTestServer();
  const { folder, settings } = world.folder;
  mkdirSync(join(folder, 'etl'));
  writeFileSync(
    settings,
    JSON.stringify({
      clusterId: 'cluster-4',
      storage: { configFile: 'federated-store.yaml' },
      localEtl: { path: 'etl' },
      // Use a real server, but a namespace without workflows. If there were no server, each verb would wait for
      // Temporal until its time limit.
      temporal: { address: server.address, namespace: await server.createNamespace() },
    }),
  );
  await server.close();
  await verbs.export();
  const answers: Partial<Record<Verb, Answer>> = {};
  for (const verb of verbNames) answers[verb] = await ask(verb);
  intact = answers as Record<Verb, Answer>;
});

/** The kinds of documents that no verb reads. One document of each of these kinds is damaged at the same time. */
const unread = kinds.filter(
  (kind) => Object.keys({ ...table[kind].damaged, ...table[kind].missing }).length === 0,
);
const cells = [...kinds.filter((kind) => !unread.includes(kind)).map((kind) => [kind]), unread];

describe.each(cells.map((of) => ({ of, name: of.join(', ') })))('$name', ({ of }) => {
  test.each(damages)('%s', async (damage) => {
    const row = of.length > 1 ? {} : table[of[0] as Kind][damage === 'missing' ? 'missing' : 'damaged'];
    // Verbs treat a document that was cut short like any other damaged document. To save time, run only the verbs in
    // `row`.
    const asked = damage === 'cut' ? verbNames.filter((verb) => row[verb] !== undefined) : verbNames;
    await world.whileDamaged(of, damage, async () => {
      for (const verb of asked) expectAnswer(verb, await ask(verb), row[verb]);
    });
  });
});

function expectAnswer(verb: Verb, answer: Answer, { says, refused, hint, status }: Expected = {}): void {
  const { out, err } = answer;
  expect(out + err).not.toMatch(/INTERNAL|please report/);
  if (refused !== undefined) {
    const text = new RegExp(`^${refused}: .*\\n +.*${hint?.source ?? ''}`);
    const refusal = { status: 1, out: '', err: expect.stringMatching(text) as string };
    expect({ verb, ...answer }).toEqual({ verb, ...refusal });
  } else if (says !== undefined) {
    const expected = { text: expect.stringMatching(says) as string, status: status ?? intact[verb].status };
    expect({ verb, text: out + err, status: answer.status }).toEqual({ verb, ...expected });
  } else expect({ verb, ...answer }).toEqual({ verb, ...intact[verb] });
}

async function ask(verb: Verb): Promise<Answer> {
  const { status, out, err } = await verbs[verb]();
  return { status, out: timeless(out), err: timeless(err) };
}

/**
 * Calls `ask` with an operator that cannot reach Temporal. If `ask` throws, the answer contains the description of the
 * error.
 */
async function answerOf(ask: (operator: Operator) => Promise<unknown>): Promise<Answer> {
  const away = new FederationError('TEMPORAL_UNAVAILABLE', { detail: 'No Temporal server answers.' });
  try {
    await ask({
      settings: loadSettings({ file: world.folder.settings }),
      names: names(''),
      bucket: async () => world.folder.bucket,
      temporal: () => Promise.reject(away),
    });
    return { status: 0, out: '', err: '' };
  } catch (error) {
    return { status: 1, out: '', err: describeError(error) };
  }
}

function run(...argv: string[]): Promise<Answer> {
  return runMain(...argv, '--config', world.folder.settings);
}

/**
 * Makes answers comparable. Replaces ages, durations and numbers of missing windows with fixed words, because they grow
 * with time. Replaces each run of spaces with one space, because the widths of columns depend on these texts.
 */
function timeless(text: string): string {
  return text
    .replace(/(\d+[smhd] ?)+ago */g, 'ago ')
    .replace(/\d+ (windows? )?missing/g, 'missing')
    .replace(/ in \d+m?s$/gm, ' in no time')
    .replace(/ +/g, ' ');
}
