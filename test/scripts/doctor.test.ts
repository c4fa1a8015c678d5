import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { silentLog } from '../../config/log';
import { clusterId } from '../../etl/cluster-id';
import { clusterEtlKey, combinedEtlKey, combinedEtlPrefix } from '../../federation/layout';
import { instanceOf } from '../../local-etl/instance';
import { localEtl } from '../../local-etl/store';
import type { Check } from '../../operator/doctor/check';
import { describeMachine } from '../../operator/doctor/local-etl';
import { permissionFor } from '../../operator/doctor/permissions';
import { roleGone } from '../../operator/stopped-pushes';
import type { Bucket } from '../../storage/bucket';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucketFromFile } from '../../storage/open-bucket';
import { probeOperations } from '../../storage/probe-bucket';
import { endWorkflow } from '../../workers/end-workflow';
import { Releasers } from '../../workers/releasers';
import { ensureSchedule } from '../../workers/schedule';
import { names } from '../../workflows/names';
import { clearSettings } from '../servers/clear-environment';
import { describeWithMounts, ReadOnlyVolume } from '../servers/read-only-volume';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { startFaultyServer } from '../storage/faulty-s3-server';
import { until } from '../until';
import { FederationFolder } from './federation-folder';
import { type Answer, runMain } from './run-main';

const day = 'allocations/1d/1794614400-1794700800';
const golden = resolve(__dirname, '../golden/bucket/federated');

let federation: FederationFolder;
clearSettings();
beforeEach(async () => {
  federation = await FederationFolder.create();
});
afterEach(() => federation[Symbol.asyncDispose]());

interface Setup {
  clusterId?: string;
  federatedETL?: object;
  storage?: object;
  localEtl?: object;
  export?: object;
  temporal?: object;
}

/** Address at which no Temporal server runs: connections to port 1 are refused at once. */
const nowhere = { address: '127.0.0.1:1' };
const federator = (more: object = {}) => ({ federator: { enabled: true, ...more } });

async function doctor(setup: Setup, ...argv: string[]): Promise<Answer> {
  const settings = {
    clusterId: 'cluster-4',
    storage: { configFile: 'federated-store.yaml' },
    localEtl: { path: 'etl' },
    temporal: nowhere,
    ...setup,
  };
  writeFileSync(federation.settings, JSON.stringify(settings));
  return runMain('doctor', ...argv, '--config', federation.settings);
}

interface Found {
  status: number;
  ok: boolean;
  checks: Check[];
  /** Returns the first check with this name, and with this subject and place if they are given. */
  of(check: Check['check'], subject?: string, place?: string): Check | undefined;
}

async function examine(setup: Setup, ...argv: string[]): Promise<Found> {
  const { status, out, err } = await doctor(setup, '--json', ...argv);
  expect(err).toBe('');
  const { checks, ok } = JSON.parse(out) as { checks: Check[]; ok: boolean };
  const of: Found['of'] = (check, subject, place) =>
    checks.find(
      (one) =>
        one.check === check &&
        (subject === undefined || one.subject === subject) &&
        (place === undefined || one.place === place),
    );
  return { status, ok, checks, of };
}

const failures = ({ checks }: Found) => checks.filter(({ outcome }) => outcome === 'failed');
/** Returns the outcomes of all checks that concern a place in the bucket. Keys are the subjects of the checks. */
const inPlace = ({ checks }: Found, place: string): Record<string, string> =>
  Object.fromEntries(
    checks.filter((one) => one.place === place).map(({ subject = '', outcome }) => [subject, outcome]),
  );

async function keys(bucket: Bucket): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of bucket.list('')) found.push(entry.kind === 'object' ? entry.key : entry.prefix);
  return found;
}

function buildLocalEtl(): void {
  cpSync(join(golden, 'cluster-4/etl'), join(federation.folder, 'etl'), { recursive: true });
}

it('is interrupted by a signal, and stops listening to signals when it is done', async () => {
  const before = process.listenerCount('SIGINT');
  const going = doctor({});
  while (process.listenerCount('SIGINT') === before) await setImmediate();
  process.emit('SIGINT');
  const { status, out, err } = await going;
  expect({ status, err }).toEqual({ status: 1, err: '' });
  expect(out).toMatch(/\nInterrupted\.\n$/);
  expect(out).not.toContain('Temporal');
  expect(process.listenerCount('SIGINT')).toBe(before);
});

describe('settings', () => {
  it('that cannot be read are one failure', async () => {
    const { status, checks } = await examine({ clusterId: 'combined' });
    expect(status).toBe(1);
    expect(checks).toEqual([
      expect.objectContaining({
        check: 'settings',
        outcome: 'failed',
        detail: expect.stringContaining('combined'),
        todo: expect.any(String),
      }),
      expect.objectContaining({ outcome: 'skipped' }),
    ]);
  });

  it('are shown: file, roles, storage', async () => {
    const found = await examine({ federatedETL: { ...federator(), federatedCluster: true } });
    expect(found.of('settings', 'file')?.detail).toBe(federation.settings);
    expect(found.of('settings', 'roles')?.detail).toBe('Federated Cluster, Federator');
    expect(found.of('settings', 'storage')?.detail).toContain(
      `config.directory: ${join(federation.folder, 'bucket')}`,
    );
    expect((await examine({})).of('settings', 'roles')?.outcome).toBe('warning');
  });

  it('may be in the file that a variable names', async () => {
    await doctor({});
    process.env.FEDERATED_ETL_CONFIG = federation.settings;
    const { out } = await runMain('doctor');
    expect(out).toContain(`file: ${federation.settings}`);
  });

  it('report which of two storage files is used', async () => {
    cpSync(join(federation.folder, 'federated-store.yaml'), join(federation.folder, 'backup.yaml'));
    const found = await examine({
      federatedETL: { useExistingS3Config: true },
      storage: { configFile: 'federated-store.yaml', existingConfigFile: 'backup.yaml' },
    });
    expect(found.of('settings', 'storage file')?.detail).toMatch(
      /backup\.yaml, by federatedETL\.useExistingS3Config/,
    );
    expect(found.of('settings', 'notice')).toMatchObject({
      outcome: 'warning',
      detail: expect.stringContaining('unreliable'),
    });
  });

  it.each([
    [[], 'warning'],
    [['--strict'], 'failed'],
  ])('of the store that are unknown: with %j a %s', async (argv, outcome) => {
    const { folder } = federation;
    const file = join(folder, 'federated-store.yaml');
    writeFileSync(file, `type: FILESYSTEM\nconfig:\n  directory: ${folder}/bucket\n  directry: x\n`);
    const found = await examine({}, ...argv);
    expect(found.checks).toContainEqual(
      expect.objectContaining({
        check: 'settings',
        outcome,
        detail: expect.stringMatching(/line 4: config\.directry.*Did you mean directory\?/),
      }),
    );
    expect(failures(found).map(({ check }) => check)).toEqual(
      outcome === 'failed' ? ['settings', 'Temporal'] : ['Temporal'],
    );
  });

  it('of the store that are unusable do not prevent the other checks', async () => {
    writeFileSync(join(federation.folder, 'federated-store.yaml'), 'type: CLOUD\n');
    const found = await examine({ federatedETL: federator() });
    expect(found.of('settings', 'storage file')?.outcome).toBe('ok');
    expect(failures(found).map(({ check }) => check)).toEqual(['settings', 'Temporal']);
    expect(found.of('bucket')?.outcome).toBe('skipped');
    expect(found.of('clusters')?.outcome).toBe('skipped');
  });
});

describe('the bucket', () => {
  const all = Object.fromEntries([...probeOperations, 'clock'].map((name) => [name, 'ok']));

  it('of a Federated Cluster is tested in its own folder, as far as it pushes', async () => {
    buildLocalEtl();
    const found = await examine({ federatedETL: { federatedCluster: true } });
    const wanted = { list: 'ok', write: 'ok', replace: 'ok', head: 'ok', clock: 'ok' };
    const not = 'not needed';
    expect(inPlace(found, 'federated/cluster-4/')).toEqual({
      ...wanted,
      read: not,
      copy: not,
      delete: not,
      'conditional create': not,
    });
    expect(found.checks.filter(({ place }) => place !== undefined)).toHaveLength(9);
    expect(await keys(federation.bucket)).toEqual([]);
  });

  it('of a federator is tested where it merges, and read where clusters push', async () => {
    await federation.push('cluster-1', day);
    const before = await keys(federation.bucket);
    const found = await examine({ federatedETL: federator() });
    expect(inPlace(found, 'federated/')).toEqual({ list: 'ok' });
    expect(inPlace(found, 'federated/cluster-1/')).toEqual({ read: 'ok' });
    expect(inPlace(found, 'federated/combined/')).toEqual(all);
    expect(await keys(federation.bucket)).toEqual(before);
    expect(readdirSync(join(federation.folder, 'bucket/federated'))).toEqual(['cluster-1']);
  });

  it('of a primary is read, and written where it saves its local ETL', async () => {
    const primary = { federatedETL: { primaryCluster: true } };
    const fresh = await examine(primary);
    expect(inPlace(fresh, 'federated/combined/')).toMatchObject({
      list: 'ok',
      read: 'skipped',
      write: 'not needed',
    });
    expect(inPlace(fresh, 'federated-etl/backups/cluster-4/')).toEqual({ backup: 'not needed' });
    expect(inPlace(fresh, 'federated/cluster-4/etl/bingen/')).toMatchObject({ list: 'ok', read: 'skipped' });
    buildLocalEtl();
    const found = await examine(primary);
    expect(inPlace(found, 'federated-etl/backups/cluster-4/')).toEqual({
      list: 'ok',
      write: 'ok',
      head: 'ok',
      read: 'ok',
      delete: 'ok',
      'conditional create': 'ok',
      clock: 'ok',
      replace: 'not needed',
      copy: 'not needed',
    });
    mkdirSync(join(federation.folder, 'saved'));
    const elsewhere = await examine({ ...primary, localEtl: { path: 'etl', backupPath: 'saved' } });
    expect(inPlace(elsewhere, 'federated-etl/backups/cluster-4/')).toEqual({ backup: 'not needed' });
    expect(await keys(federation.bucket)).toEqual([]);
  });

  it('of a primary that exports is also written where it exports', async () => {
    const found = await examine({ federatedETL: { primaryCluster: true }, export: { enabled: true } });
    expect(inPlace(found, 'federated/combined/export/')).toMatchObject({
      write: 'ok',
      replace: 'ok',
      delete: 'ok',
    });
    expect(inPlace(found, 'federated/combined/')).toMatchObject({ list: 'ok', write: 'not needed' });
    expect(await keys(federation.bucket)).toEqual([]);
  });

  it.each([
    ['federated', 'federated/combined/', { ...federator() }],
    ['federated/combined/export', 'federated/combined/export/', {}],
  ])('in which a file blocks the place %s: the file is named', async (blocked, place, more) => {
    const path = join(federation.folder, 'bucket', blocked);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    const found = await examine({
      federatedETL: { primaryCluster: true, ...more },
      export: { enabled: true },
    });
    const failed = found.checks.find((one) => one.outcome === 'failed' && one.place === place);
    expect(failed).toMatchObject({
      detail: expect.stringContaining(`${path} is not a folder, but has to be one.`),
      todo: `Move or remove ${path}, unless another program needs it.`,
    });
  });

  it('that does not exist is one failure', async () => {
    writeFileSync(
      join(federation.folder, 'federated-store.yaml'),
      `type: FILESYSTEM\nconfig: {directory: ${federation.folder}/unmounted}\n`,
    );
    const found = await examine({
      federatedETL: { federatedCluster: true, primaryCluster: true, ...federator() },
    });
    const ofBucket = found.checks.filter(({ check }) => check === 'bucket');
    expect(ofBucket.filter(({ outcome }) => outcome === 'failed')).toEqual([
      {
        check: 'bucket',
        subject: 'list',
        place: 'federated/cluster-4/',
        outcome: 'failed',
        detail: expect.stringMatching(/^STORAGE_BUCKET_NOT_FOUND: There is no folder .*unmounted/),
        todo: expect.stringContaining('federated-store.yaml'),
      },
    ]);
    expect(ofBucket.some(({ outcome }) => outcome === 'ok')).toBe(false);
    expect(inPlace(found, 'federated/combined/')).toMatchObject({ list: 'skipped', write: 'skipped' });
    expect(found.of('clusters')?.outcome).toBe('skipped');
  });
});

describeWithS3('a bucket of an S3 server', () => {
  const store = async (config: object = {}): Promise<Bucket> => {
    const s3 = await connectToS3();
    const bucket = `b-${randomUUID()}`;
    await s3.createBucket(bucket);
    const full = { ...s3Settings(s3, bucket), ...config };
    const file = join(federation.folder, 'federated-store.yaml');
    writeFileSync(file, JSON.stringify({ type: 'S3', config: full, prefix: 'team' }));
    return openBucketFromFile(file);
  };
  const everything = { federatedETL: { federatedCluster: true, primaryCluster: true, ...federator() } };

  it('is tested below its prefix, and left unchanged', async () => {
    buildLocalEtl();
    await using closing = new Releasers();
    const bucket = await store();
    closing.defer(() => bucket.close());
    const found = await examine(everything);
    expect(failures(found).map(({ check }) => check)).toEqual(['Temporal']);
    expect(await keys(bucket)).toEqual([]);
  });

  it('with a wrong secret is one failure, and the secret is not shown', async () => {
    await (await store({ secret_key: 'not-the-secret' })).close();
    const { status, out, err } = await doctor(everything);
    expect({ status, err }).toEqual({ status: 1, err: '' });
    expect(out.match(/STORAGE_ACCESS_DENIED/g)).toHaveLength(1);
    expect(out).toContain('config.secret_key: ***');
    expect(out).not.toContain('not-the-secret');
  });
});

describe('a store that refuses', () => {
  const refusing = async (
    code: string,
    methods: readonly string[],
    setup: Setup = { federatedETL: { federatedCluster: true } },
  ): Promise<Found> => {
    await using closing = new Releasers();
    const server = await startFaultyServer();
    closing.defer(() => server.close());
    const { endpoint } = server;
    const config = { bucket: 'costs', endpoint, access_key: 'a', secret_key: 'secret', insecure: true };
    writeFileSync(join(federation.folder, 'federated-store.yaml'), JSON.stringify({ type: 'S3', config }));
    server.answer((response, { method = '' }) => {
      const error = `<Error><Code>${code}</Code><Message>no</Message></Error>`;
      if (methods.includes(method)) return response.writeHead(403).end(error);
      if (method === 'GET')
        return response.end('<ListBucketResult><Name>costs</Name><KeyCount>0</KeyCount></ListBucketResult>');
      return response.writeHead(204).end();
    });
    return await examine(setup);
  };

  it('an operation: the permission is named', async () => {
    const found = await refusing('AccessDenied', ['PUT']);
    expect(found.checks).toContainEqual({
      check: 'bucket',
      subject: 'write',
      place: 'federated/cluster-4/',
      outcome: 'failed',
      detail: expect.stringMatching(/^STORAGE_ACCESS_DENIED: Could not write in .*AccessDenied/),
      todo: 'Allow s3:PutObject on arn:aws:s3:::costs/federated/cluster-4/*.',
    });
    expect(found.of('bucket', 'list')?.outcome).toBe('ok');
  });

  it('an export: the permission is named', async () => {
    const found = await refusing('AccessDenied', ['PUT'], {
      federatedETL: { primaryCluster: true },
      export: { enabled: true },
    });
    expect(found.of('bucket', 'write', 'federated/combined/export/')).toMatchObject({
      outcome: 'failed',
      todo: 'Allow s3:PutObject on arn:aws:s3:::costs/federated/combined/export/*.',
    });
  });

  it('because of the clock: to set it, reported once', async () => {
    const found = await refusing('RequestTimeTooSkewed', ['GET', 'PUT', 'HEAD', 'DELETE']);
    expect(failures(found).filter(({ check }) => check === 'bucket')).toEqual([
      expect.objectContaining({
        subject: 'list',
        detail: expect.stringContaining('RequestTimeTooSkewed'),
        todo: expect.stringContaining('clock'),
      }),
    ]);
  });
});

describe('clusters', () => {
  it('if there are none: what to do', async () => {
    const found = await examine({ federatedETL: federator() });
    expect(found.of('clusters', 'found')).toMatchObject({
      outcome: 'warning',
      detail: expect.stringContaining('no cluster'),
      todo: expect.stringContaining('federatedETL.federatedCluster'),
    });
  });

  it('are counted, and shown as included or excluded', async () => {
    for (const cluster of ['cluster-1', 'cluster-2', 'cluster-3']) await federation.push(cluster, day);
    const setup = { federatedETL: federator({ excludeClusters: ['cluster-2', 'cluster3'] }) };
    const found = await examine(setup);
    expect(found.of('clusters', 'found')?.detail).toContain('3 clusters');
    expect(found.of('clusters', 'cluster-1')?.detail).toMatch(/^allocations 1d 1 \(newest ends .*last push/);
    expect(found.of('clusters', 'who is in')?.detail).toBe(
      'By the settings: every cluster but cluster-2, cluster3. Included now: cluster-1, cluster-3. Excluded: cluster-2 (settings).',
    );
    expect(found.of('clusters', 'exclude')).toMatchObject({
      outcome: 'warning',
      detail: expect.stringMatching(/cluster3, but .* Did you mean cluster-3\?/),
    });
    const only = await examine({
      federatedETL: federator({ clusters: ['cluster-1'], clustersMode: 'include' }),
    });
    expect(only.of('clusters', 'who is in')?.detail).toMatch(
      /only cluster-1\. Included now: cluster-1\. Excluded:/,
    );
    expect(only.of('clusters', 'include')).toBeUndefined();
  });

  it('that have gone silent get a warning, also beyond the first twenty, unless they are excluded', async () => {
    const old = { 'cluster-1': 1, 'cluster-2': 80, 'cluster-3': 120, 'cluster-5': 120 };
    for (const [cluster, hours] of Object.entries(old)) {
      await federation.push(cluster, day);
      federation.lastPushed(cluster, day, hours);
    }
    const others = Array.from({ length: 20 }, (_, index) => `a${index}`);
    for (const other of others)
      await federation.bucket.put(clusterEtlKey(clusterId(other), day), Buffer.from('x'));
    const excluded = { [clusterId('cluster-5')]: { by: 'person', reason: 'is shut down' } as const };
    await federation.commit(1, ['cluster-1', 'cluster-2', 'cluster-3'], [day], { excluded });
    const found = await examine({ federatedETL: federator() });
    expect(found.checks.filter((one) => one.check === 'clusters' && one.outcome === 'warning')).toEqual([
      expect.objectContaining({
        subject: 'cluster-2',
        detail: expect.stringMatching(/^It is late: .*last push 3d 8h ago; it usually pushes every 1d\.$/),
        todo: expect.stringContaining('federated-etl doctor'),
      }),
      expect.objectContaining({
        subject: 'cluster-3',
        detail: expect.stringMatching(/^It is gone: /),
        todo: expect.stringContaining('exclude or remove it'),
      }),
    ]);
    expect(found.of('clusters', 'more')?.detail).toMatch(/^2 more/);
  });

  it('excluded by a person are shown as excluded, by the newest generation while Temporal is down', async () => {
    for (const cluster of ['cluster-1', 'cluster-2']) await federation.push(cluster, day);
    await federation.commit(1, ['cluster-1', 'cluster-2'], [day]);
    const { of } = await examine({ federatedETL: federator() });
    expect(of('clusters', 'who is in')?.detail).toContain(
      'Included now: cluster-1, cluster-2. Excluded: none.',
    );
    expect(of('clusters', 'strangers')?.outcome).toBe('ok');
  });

  it('removed by a person are shown as removed, with a warning while they push', async () => {
    for (const cluster of ['cluster-1', 'cluster-2']) await federation.push(cluster, day);
    const removal = { by: 'kim@host', reason: '', at: '2026-01-01T00:00:00Z', lastGeneration: 1 };
    const removed = { [clusterId('cluster-2')]: removal, [clusterId('cluster-9')]: removal };
    await federation.commit(2, ['cluster-1'], [day], { removed });
    const { of } = await examine({ federatedETL: federator() });
    expect(of('clusters', 'cluster-2')).toMatchObject({
      outcome: 'warning',
      detail: 'removed by kim@host at 2026-01-01T00:00:00Z, still pushing. What it pushes is ignored.',
    });
    expect(of('clusters', 'cluster-9')).toMatchObject({ outcome: 'ok' });
    expect(of('clusters', 'who is in')?.detail).toMatch(
      /Included now: cluster-1\. Excluded: none\. Removed: cluster-2, cluster-9\.$/,
    );
  });

  it('are not other objects in the published place, of which ten are shown', async () => {
    await federation.push('cluster-1', day);
    await federation.commit(1, ['cluster-1'], [day]);
    const put = (key: string) => federation.bucket.put(key, Buffer.from('a stranger'));
    await put(combinedEtlKey('assets/1d/1794614400-1794700800' as never));
    await put(`${combinedEtlPrefix}${day}.gz`);
    for (let at = 0; at < 10; at++) await put(`${combinedEtlPrefix}notes/${at}`);
    const stranger = (await examine({ federatedETL: federator() })).of('clusters', 'strangers');
    expect(stranger).toMatchObject({ outcome: 'warning', detail: expect.stringMatching(/^12 files/) });
    expect(stranger?.detail).toContain(`${day}.gz`);
    expect(stranger?.detail).not.toContain(`${day},`);
    expect(stranger?.detail).toMatch(/, and 2 more\.$/);
  });
});

describe('the local ETL', () => {
  it('is counted', async () => {
    buildLocalEtl();
    const found = await examine({ federatedETL: { federatedCluster: true } });
    expect(found.of('local ETL', 'windows')).toMatchObject({
      outcome: 'ok',
      detail: expect.stringContaining('allocations 1d: 3 files'),
    });
    expect(found.of('local ETL', 'machine')?.detail).toMatch(/^Node v.* are free at /);
    // The doctor only reads the local ETL. It must not have created anything there.
    expect(readdirSync(join(federation.folder, 'etl'))).toEqual(['bingen']);
  });

  it('on a volume that is nearly full is a warning, and on a full one a failure', () => {
    const MiB = 2 ** 20;
    expect(describeMachine({ at: '/etl', size: 64 * MiB, free: MiB })).toMatchObject({
      outcome: 'warning',
      detail: expect.stringContaining('1.0 MiB of 64.0 MiB are free at /etl'),
      todo: expect.stringContaining('at least 3.2 MiB'),
    });
    expect(describeMachine({ at: '/etl', size: 64 * MiB, free: 32 * MiB })).toMatchObject({ outcome: 'ok' });
    for (const free of [0, MiB - 1])
      expect(describeMachine({ at: '/etl', size: 64 * MiB, free })).toMatchObject({
        outcome: 'failed',
        todo: expect.stringContaining('at least 3.2 MiB'),
      });
  });

  it('that does not exist is a failure for a push, but not for a primary', async () => {
    const push = await examine({ federatedETL: { federatedCluster: true } });
    expect(push.of('local ETL')).toMatchObject({
      outcome: 'failed',
      detail: 'It does not exist (localEtl.path).',
      todo: expect.stringContaining('Mount'),
    });
    const primary = await examine({ federatedETL: { primaryCluster: true } });
    expect(primary.of('local ETL')?.outcome).toBe('ok');
  });

  it('without a window, in a file, or without a backup folder, is reported', async () => {
    mkdirSync(join(federation.folder, 'etl'));
    const empty = await examine({ federatedETL: { federatedCluster: true } });
    expect(empty.of('local ETL', 'windows')).toMatchObject({ outcome: 'warning', todo: expect.any(String) });
    writeFileSync(join(federation.folder, 'file'), '');
    const setup = { federatedETL: { federatedCluster: true, primaryCluster: true } };
    const wrong = await examine({ ...setup, localEtl: { path: 'file', backupPath: 'none' } });
    const folders = failures(wrong).filter(({ check }) => check === 'local ETL');
    expect(folders.map(({ detail }) => detail)).toEqual([
      'It is not a folder (localEtl.path).',
      'It does not exist (localEtl.backupPath).',
    ]);
  });
});

describe('output for people', () => {
  it('fits into 100 columns, starts with a mark, and explains what to do', async () => {
    await federation.push('cluster-1', day);
    const { status, out } = await doctor({ federatedETL: { federatedCluster: true, ...federator() } });
    expect(status).toBe(1);
    expect(out).toMatch(/^ {2}✓ ok +roles: Federated Cluster, Federator$/m);
    expect(out).toMatch(/^ {2}in federated\/cluster-4\/\n {2}✓ ok +list: /m);
    expect(out).toMatch(/^ {2}- not needed +read, copy, delete, conditional create: A push never/m);
    expect(out).toMatch(/^ {2}✗ FAILED +server: TEMPORAL_UNAVAILABLE: (?:.*\n)+? +to do: Start one/m);
    expect(out).toMatch(/Action needed: \d+ failed/);
    const wide = out.split('\n').filter((line) => line.length > 100 && !/^ *\S+$/.test(line.trim()));
    expect(wide).toEqual([]);
  });
});

describe('permissions', () => {
  const store = (type: string, config: object, prefix = '') =>
    parseFederatedStore(JSON.stringify({ type, config, prefix }), 'f.yaml');
  const amazon = { bucket: 'costs', endpoint: 's3.eu-west-1.amazonaws.com' };

  it.each([
    [
      'list',
      store('S3', amazon),
      'Allow s3:ListBucket on arn:aws:s3:::costs (with s3:prefix federated/combined/*).',
    ],
    [
      'write',
      store('S3', amazon, 'team'),
      'Allow s3:PutObject on arn:aws:s3:::costs/team/federated/combined/*.',
    ],
    [
      'read',
      store('S3', { bucket: 'costs', endpoint: 's3.cn-north-1.amazonaws.com.cn' }),
      'Allow s3:GetObject on arn:aws-cn:s3:::costs/federated/combined/*.',
    ],
    [
      'copy',
      store('S3', { ...amazon, sse_config: { type: 'SSE-KMS', kms_key_id: 'key-1' } }),
      'Allow s3:GetObject and s3:PutObject on arn:aws:s3:::costs/federated/combined/*, and kms:GenerateDataKey and kms:Decrypt on the key key-1.',
    ],
    [
      'replace',
      store('GCS', { bucket: 'costs' }),
      /^Grant storage\.objects\.create and storage\.objects\.delete on .*costs/,
    ],
    [
      'delete',
      store('AZURE', { storage_account: 'acc', container: 'costs' }),
      /^Grant Microsoft\.Storage\/.*\/blobs\/delete on the container costs/,
    ],
  ] as const)('to %s are named in the store’s terms', async (operation, opened, text) => {
    const found = await permissionFor(opened, operation, 'federated/combined/');
    if (typeof text === 'string') expect(found).toBe(text);
    else expect(found).toMatch(text);
  });

  it('of a folder are its owner and mode', async () => {
    mkdirSync(join(federation.folder, 'bucket/federated'), { mode: 0o750 });
    const found = await permissionFor(
      store('FILESYSTEM', { directory: join(federation.folder, 'bucket') }),
      'write',
      'federated/combined/',
    );
    expect(found).toMatch(/read, write and search .*\/bucket\/federated \(owner \d+:\d+, mode 0750\)/);
  });
});

describeWithMounts('a volume that is mounted read-only', () => {
  it('has to be mounted writable, whether it has the bucket or the local ETL', async () => {
    using volume = new ReadOnlyVolume();
    const [directory, local] = [join(volume.folder, 'bucket'), join(volume.folder, 'etl')];
    for (const folder of [directory, local]) mkdirSync(folder);
    writeFileSync(
      join(federation.folder, 'federated-store.yaml'),
      JSON.stringify({ type: 'FILESYSTEM', config: { directory } }),
    );
    volume.lock();
    const found = await examine({ federatedETL: { federatedCluster: true }, localEtl: { path: local } });
    for (const check of [found.of('bucket', 'write'), found.of('local ETL', local)])
      expect(check).toMatchObject({
        outcome: 'failed',
        detail: expect.stringContaining('EROFS'),
        todo: expect.stringMatching(/^Mount the volume writable/),
      });
  });
});

describeWithTemporal('Temporal', () => {
  let server: TestServer;
  let namespace: string;
  let client: Client;
  beforeAll(async () => {
    server = await connectToTestServer();
    namespace = await server.createNamespace();
    client = server.client(namespace);
  });
  afterAll(() => server?.close());

  let federations = 0;
  /**
   * Returns an id prefix that no other test in this namespace uses, so that tests do not affect each other. Also
   * returns the ids and Temporal settings with this prefix, and a function that starts workflows.
   */
  function own() {
    const idPrefix = `d${++federations}-`;
    const ids = names(idPrefix);
    /** Starts a workflow that no worker executes. The workflow need not run, because the doctor only reads its memo. */
    const start = (type: string, workflowId: string, memo: Record<string, unknown>) =>
      client.workflow.start(type, { workflowId, taskQueue: `${idPrefix}nobody`, memo });
    return { ids, idPrefix, start, temporal: { address: server.address, namespace, idPrefix } };
  }

  it('and everything else in order: exit status 0', async () => {
    buildLocalEtl();
    await federation.push('cluster-4', day);
    const { ids, idPrefix, start, temporal } = own();
    await start('roster', ids.roster, { bucket: federation.bucket.label });
    const instance = await instanceOf(localEtl(join(federation.folder, 'etl')));
    await start('push', ids.push('cluster-4'), { instance });
    await ensureSchedule(client, { idPrefix, firstRunAfterMs: 300_000, runEveryMs: 1_800_000 }, silentLog);
    const setup = {
      federatedETL: { federatedCluster: true, primaryCluster: true, ...federator() },
      temporal,
    };
    const before = await keys(federation.bucket);
    const found = await examine(setup);
    expect(found.checks.filter(({ outcome }) => ['failed', 'warning', 'skipped'].includes(outcome))).toEqual(
      [],
    );
    expect({ status: found.status, ok: found.ok }).toEqual({ status: 0, ok: true });
    expect(found.of('Temporal', 'schedule')?.detail).toMatch(/^The next run is at 20/);
    expect(found.of('Temporal', 'push')?.detail).toContain('belongs to this volume');
    expect(await keys(federation.bucket)).toEqual(before);
    expect((await doctor(setup)).out).toContain('No check failed.');
  });

  it('on which nothing was started yet is in order too', async () => {
    buildLocalEtl();
    const found = await examine({
      federatedETL: { federatedCluster: true, ...federator() },
      temporal: own().temporal,
    });
    expect(failures(found)).toEqual([]);
    expect(found.of('Temporal', 'roster')?.detail).toMatch(/does not run: .* within minutes/);
    expect(found.of('Temporal', 'schedule')?.detail).toMatch(/does not exist: .* within minutes/);
  });

  it('that has lost the schedule, the roster, the push or the pull gets a warning that says what heals it', async () => {
    buildLocalEtl();
    await federation.push('cluster-4', day);
    await federation.commit(1, ['cluster-4'], [day]);
    const { ids, start, temporal } = own();
    const setup = {
      federatedETL: { federatedCluster: true, primaryCluster: true, ...federator() },
      temporal,
    };
    const asked = async (outcome: Check['outcome']) =>
      (await examine(setup)).checks
        .filter((one) => one.check === 'Temporal' && one.outcome === outcome)
        .map(({ subject, detail, todo }) => `${subject}: ${detail} ${todo ?? ''}`);
    expect(await asked('warning')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^roster: It does not run, .*creates it within minutes/),
        expect.stringMatching(/^schedule: It does not exist, .*creates it within minutes/),
      ]),
    );
    await start('roster', ids.roster, { bucket: federation.bucket.label });
    await start('push', ids.push('cluster-4'), {});
    await start('pull', ids.pull('cluster-4'), {});
    expect(await asked('ok')).toContainEqual('pull: The pull of cluster-4 runs. ');
    for (const id of [ids.roster, ids.push('cluster-4'), ids.pull('cluster-4')])
      await client.workflow.getHandle(id).terminate();
    expect(await asked('warning')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^roster: It has ended \(terminated\)\. .* within minutes/),
        expect.stringMatching(/^push: .* has ended \(terminated\)\. .* within minutes/),
        expect.stringMatching(/^pull: .* has ended \(terminated\)\. .* within minutes/),
      ]),
    );
  });

  it('that serves another bucket, another volume, or whose schedule is paused, is reported', async () => {
    buildLocalEtl();
    const { ids, idPrefix, start, temporal } = own();
    await start('roster', ids.roster, { bucket: 's3://another' });
    await start('push', ids.push('cluster-4'), { instance: 'another volume' });
    await ensureSchedule(client, { idPrefix, firstRunAfterMs: 300_000, runEveryMs: 1_800_000 }, silentLog);
    await client.schedule.getHandle(ids.schedule).pause('prices are wrong');
    const found = await examine({ federatedETL: { federatedCluster: true, ...federator() }, temporal });
    expect(found.status).toBe(1);
    expect(found.of('Temporal', 'roster')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/^ROSTER_BOUND_ELSEWHERE: .*s3:\/\/another/),
      todo: expect.any(String),
    });
    expect(found.of('Temporal', 'push')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/^DUPLICATE_CLUSTER_ID: .*another volume/),
    });
    expect(found.of('Temporal', 'schedule')).toMatchObject({
      outcome: 'warning',
      detail: 'It is paused: prices are wrong.',
    });
    // The doctor only reads the local ETL. It must not have created anything there.
    expect(readdirSync(join(federation.folder, 'etl'))).toEqual(['bingen']);
  });

  it('knows which silent clusters were stopped on purpose', async () => {
    const { ids, start, temporal } = own();
    for (const cluster of ['cluster-2', 'cluster-3']) {
      await federation.push(cluster, day);
      federation.lastPushed(cluster, day, 120);
      await start('push', ids.push(cluster), {});
    }
    await endWorkflow(client, ids.push('cluster-2'), roleGone);
    const found = await examine({ federatedETL: federator(), temporal });
    expect(found.of('clusters', 'cluster-2')?.outcome).toBe('ok');
    expect(found.of('clusters', 'cluster-3')?.outcome).toBe('warning');
  });

  it('has other clusters that use the store of the backup', async () => {
    const { ids, start, temporal } = own();
    await start('push', ids.push('cluster-2'), { existingConfig: true });
    await start('push', ids.push('cluster-3'), { existingConfig: false });
    await start('push', ids.push('cluster-4'), { existingConfig: true });
    const setup = {
      federatedETL: { useExistingS3Config: true },
      storage: { existingConfigFile: 'federated-store.yaml' },
      temporal,
    };
    // Temporal lists new workflows with a delay. So repeat the check until it finds them.
    const check = await until('the warning', async () => {
      const found = (await examine(setup)).of('Temporal', 'useExistingS3Config');
      return found?.outcome === 'warning' ? found : undefined;
    });
    expect(check).toMatchObject({
      detail: expect.stringContaining('set for cluster-2 as well'),
    });
  });

  it('whose namespace forgets runs after a day gets a warning', async () => {
    buildLocalEtl();
    const brief = await server.createNamespace('1 day');
    const found = await examine({
      federatedETL: federator(),
      temporal: { address: server.address, namespace: brief },
    });
    expect(found.of('Temporal', 'namespace')).toMatchObject({
      outcome: 'warning',
      detail: expect.stringMatching(/ for 1 day\. .*cannot be replayed/),
      todo: `temporal operator namespace update --namespace ${brief} --retention 30d`,
    });
    // The warning must not make the doctor skip the remaining checks of Temporal.
    expect(found.of('Temporal', 'everything else')).toBeUndefined();
    expect(found.of('Temporal', 'search attributes')).toBeDefined();
  });

  it('without the namespace reports it once', async () => {
    const absent = `absent-${randomUUID()}`;
    const found = await examine({
      federatedETL: federator(),
      temporal: { address: server.address, namespace: absent },
    });
    expect(failures(found)).toEqual([
      expect.objectContaining({
        check: 'Temporal',
        subject: 'namespace',
        todo: expect.stringContaining(`namespace create --namespace ${absent}`),
      }),
    ]);
  });
});
