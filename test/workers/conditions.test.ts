import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import type { RunningServer } from '../../api/listen';
import { silentLog } from '../../config/log';
import { openLoggedBucket } from '../../config/open-logged-bucket';
import { loadSettings } from '../../config/settings';
import { FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import type { Condition } from '../../federation/conditions';
import { describeConditions } from '../../operator/describe-conditions';
import { temporalView } from '../../operator/temporal-view';
import { unmentioned } from '../../operator/to-do';
import type { Bucket } from '../../storage/bucket';
import { Conditions } from '../../workers/conditions';
import { judgeSpace } from '../../workers/disk-condition';
import { federatorNeeds } from '../../workers/federator-workflows';
import { Readiness, startHealth } from '../../workers/health';
import { judgeExport, judgePull } from '../../workers/last-attempts';
import { judgeRuns } from '../../workers/last-federations';
import { localLook } from '../../workers/local-look';
import { registerRoleMetrics } from '../../workers/metrics';
import { restorer } from '../../workers/needs';
import { reporterOf } from '../../workers/report-conditions';
import type { RoleContext } from '../../workers/role';
import { StoreCalls } from '../../workers/store-condition';
import { names } from '../../workflows/names';
import type { push } from '../../workflows/push';
import type { roster } from '../../workflows/roster';
import { describeWithTemporal } from '../servers/temporal';
import { WorkflowWorld } from '../workflows/workflow-world';

const at = '2026-11-20T10:00:00.000Z';
const now = Date.parse(at);
const error = { code: 'STORAGE_ACCESS_DENIED', message: 'Access is denied.', since: at };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-conditions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function settingsIn(name: string, address = '127.0.0.1:1') {
  const place = path.join(folder, name);
  const folders = { bucket: path.join(place, 'bucket'), etl: path.join(place, 'etl') };
  for (const one of [...Object.values(folders), path.join(place, 'query')])
    await mkdir(one, { recursive: true });
  const store = path.join(place, 'store.yaml');
  await writeFile(store, stringify({ type: 'FILESYSTEM', config: { directory: folders.bucket } }));
  const file = path.join(place, 'settings.yaml');
  await writeFile(
    file,
    stringify({
      clusterId: 'c1',
      federatedETL: { federatedCluster: true, primaryCluster: true, federator: { enabled: true } },
      storage: { configFile: store },
      localEtl: { path: folders.etl },
      query: { path: path.join(place, 'query') },
      temporal: { address },
    }),
  );
  return { settings: loadSettings({ file, env: {} }), ...folders };
}

describe('a store that goes away', () => {
  let server: RunningServer;
  let bucket: Bucket;
  afterEach(async () => {
    await server.close();
    await bucket.close();
  });

  it('makes a push and a federator not ready, but not a primary, until it is back', async () => {
    const { settings, bucket: directory } = await settingsIn('away');
    const readiness = new Readiness(settings.roles);
    const registry = new Registry();
    registerRoleMetrics(registry, readiness);
    readiness.onceReady(async () => undefined);
    readiness.serving(() => undefined);
    const local = localLook(settings, readiness.conditions);
    bucket = await openLoggedBucket(settings.storage, silentLog, {
      observe: (call) => local.storageCalled(call),
    });
    server = await startHealth('127.0.0.1:0', readiness, registry);
    const ask = async (role: string) => {
      const answer = await fetch(`${server.url}/readyz?role=${role}`);
      return `${answer.status} ${await answer.text()}`;
    };
    expect(await ask('federator')).toMatch(/^200 federator: ready\n(federator\.\w+: unknown\n){5}$/);
    expect(await registry.metrics()).not.toContain('federated_etl_condition{');
    await local.look(bucket);
    expect(await ask('federator')).toContain('\nfederator.store: ok\n');
    await rename(directory, `${directory}-away`);
    await local.look(bucket);
    expect(await ask('federator')).toContain('200 federator: ready\n');
    await local.look(bucket);
    const gone = 'store: STORAGE_BUCKET_NOT_FOUND: ';
    expect(await ask('federator')).toMatch(new RegExp(`^503 federator: ${gone}.*\n(.*\n)*federator.${gone}`));
    expect(await ask('federatedCluster')).toMatch(new RegExp(`^503 federatedCluster: ${gone}`));
    expect(await ask('primaryCluster')).toMatch(
      new RegExp(`^200 primaryCluster: ready\n(.*\n)*primaryCluster.${gone}`),
    );
    const metrics = await registry.metrics();
    expect(metrics).toContain('federated_etl_condition{role="primaryCluster",condition="store"} 0');
    expect(metrics).toContain('federated_etl_condition{role="federatedCluster",condition="disk"} 1');
    expect(metrics).not.toContain('federated_etl_condition{role="federator",condition="schedule"}');
    await rename(`${directory}-away`, directory);
    await local.look(bucket);
    expect(await ask('federatedCluster')).toContain('200 federatedCluster: ready\n');
    local.storeKept('The file cannot be used.');
    await local.look(bucket);
    expect(await ask('federator')).toContain('\nfederator.store: ok (The file cannot be used.)\n');
    local.storeKept(undefined);
    await local.look(bucket);
    expect(await ask('federator')).toContain('\nfederator.store: ok\n');
  });
});

test('a store that refuses to be written to does not serve, until a write succeeds or an hour has passed', async () => {
  const list = async function* () {};
  const bucket = { list } as unknown as Bucket;
  let time = now;
  const { settings } = await settingsIn('write');
  const calls = new StoreCalls('federator', settings.clusterId, () => time);
  const holds = async () => (await calls.look(bucket)).holds;
  const put = (key: string, outcome: string) => calls.called({ verb: 'put', key, outcome });
  put('federated/combined/export/v1/x', 'STORAGE_ACCESS_DENIED');
  put('federated/c1/etl/bingen/x', 'STORAGE_ACCESS_DENIED');
  put('federated/combined/objects/x', 'STORAGE_PRECONDITION_FAILED');
  expect(await holds()).toBe('yes');
  put('federated/combined/objects/x', 'STORAGE_ACCESS_DENIED');
  expect(await calls.look(bucket)).toEqual({
    holds: 'no',
    reason: expect.stringMatching(/^STORAGE_ACCESS_DENIED: The last write failed, of .*objects\/x\. Check/),
  });
  put('federated/combined/objects/x', 'ok');
  expect(await holds()).toBe('yes');
  // The store demands a checksum, and none is configured.
  put('federated/combined/objects/x', 'STORE_CONFIG_INVALID');
  expect(await holds()).toBe('no');
  const hint = 'Set config.checksum.';
  calls.called({ verb: 'put', key: 'federated/combined/x', outcome: 'STORE_CONFIG_INVALID', hint });
  expect(await calls.look(bucket)).toMatchObject({
    reason: expect.stringMatching(/combined\/x\. Set config/),
  });
  time += 3_600_001;
  expect(await holds()).toBe('yes');
});

test('an export that fails, a pull that refuses the bucket, and runs that fail have their reasons', () => {
  expect(judgeExport(false, undefined)).toEqual({ holds: 'yes', reason: 'none is configured' });
  expect(judgeExport(true, {})).toEqual({ holds: 'unknown' });
  expect(judgeExport(true, { export: { at } })).toEqual({ holds: 'yes' });
  expect(judgeExport(true, { export: { at, error } })).toEqual({
    holds: 'no',
    reason: `The export has failed since ${at}: STORAGE_ACCESS_DENIED: Access is denied.`,
  });
  const runs = [
    { outcome: 'failed', endedAt: at, error: { code: 'FEDERATION_FAILED', message: '' } },
  ] as const;
  const input = { runs, ends: new Map(), since: now - 9_000_000, paused: undefined, runEveryMs: 1_800_000 };
  expect(judgeRuns(input, now)).toEqual({
    holds: 'no',
    reason:
      'No federation has succeeded since 2026-11-20T07:30:00.000Z. The last run failed (FEDERATION_FAILED).',
  });
  expect(judgeRuns({ ...input, ends: new Map([['nothing', now - 3_600_000]]) }, now)).toEqual({
    holds: 'yes',
  });
  expect(judgeRuns({ ...input, paused: { note: 'audit' } }, now)).toEqual({
    holds: 'yes',
    reason: 'paused: audit',
  });
  const refused = { code: 'FEDERATION_OTHER', detail: 'It is another one.', hint: '' };
  const state = { cluster: 'c1', summary: { state: 'refused', refused } } as unknown as Parameters<
    typeof judgePull
  >[0];
  expect(judgePull({ at: now, state } as unknown as Parameters<typeof judgePull>[0], 1, now)).toMatchObject({
    holds: 'no',
  });
  expect(judgePull({ at: now, state: { cluster: 'c1' } }, 1, now)).toEqual({ holds: 'yes' });
  expect(judgePull(undefined, 1, now)).toEqual({ holds: 'unknown' });
});

it.each([
  ['LOCAL_ETL_REFUSED', { key: '/etl/bingen' }, 'no'],
  ['QUERY_NO_ROOM', { setting: 'query.path' }, 'no'],
  ['QUERY_NO_ROOM', { setting: 'query.memory' }, 'yes'],
  ['STORAGE_ACCESS_DENIED', {}, 'yes'],
] as const)('after %s about %p, the disk of the role holds: %s', async (code, subject, holds) => {
  const { settings } = await settingsIn(`refused-${code}-${Object.values(subject).join('').length}`);
  const { conditions } = new Readiness(settings.roles);
  const { refusals, look } = localLook(settings, conditions);
  let refused = true;
  const activity = refusals.observed('primaryCluster', async () => {
    if (refused) throw new FederationError(code, { subject, detail: '/etl/bingen is too small.' });
  });
  const other = refusals.observed('primaryCluster', async () => undefined);
  const bucket = await openLoggedBucket(settings.storage, silentLog);
  const disks = async () => {
    await look(bucket);
    await look(bucket);
    return conditions.current().filter(({ name }) => name === 'disk');
  };
  try {
    await expect(activity()).rejects.toThrow();
    await other();
    const [pushes, pulls] = await disks();
    expect(pushes).toMatchObject({ role: 'federatedCluster', holds: 'yes' });
    expect(pulls).toMatchObject({ role: 'primaryCluster', holds });
    if (holds === 'no')
      expect(pulls?.reason).toMatch(new RegExp(`^${code}: /etl/bingen is too small\\. \\w`));
    refused = false;
    await activity();
    expect((await disks())[1]).toMatchObject({ holds: 'yes' });
  } finally {
    await bucket.close();
  }
});

test('a volume that stays nearly full is reported once, although its free space changes', () => {
  const conditions = new Conditions(['primaryCluster']);
  let reports = 0;
  conditions.onChange(() => reports++);
  const MiB = 2 ** 20;
  const look = (free: number) =>
    conditions.found('primaryCluster', 'disk', judgeSpace('query.path, /q,', { size: 20_480 * MiB, free }));
  look(600 * MiB);
  expect(reports).toBe(1);
  for (const free of [500 * MiB, 497.5 * MiB, 301 * MiB, 12_345, 0, 450 * MiB]) look(free);
  expect(reports).toBe(2);
  expect(conditions.current()).toContainEqual(
    expect.objectContaining({
      name: 'disk',
      holds: 'no',
      reason:
        'The volume of query.path, /q, is nearly full: less than 512.0 MiB of 20.0 GiB is free. Enlarge it, or free space.',
    }),
  );
  look(600 * MiB);
  expect(reports).toBe(3);
});

describeWithTemporal('the conditions of a process', () => {
  let world: WorkflowWorld;
  beforeAll(async () => {
    world = await WorkflowWorld.open();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it('are kept by its workflows, and heal when the cause goes', async () => {
    const { client, server } = world;
    const { settings } = await settingsIn('kept', server.address);
    const own = names('');
    world.begin();
    await client.workflow.start<typeof roster>('roster', {
      ...world.options(own.roster),
      args: [{ bucket: 'the bucket' }],
    });
    await client.workflow.start<typeof push>('push', {
      ...world.options(own.push('c1')),
      args: [{ cluster: 'c1', instance: 'volume-1', rescanEveryMs: 3_600_000 }],
    });
    // A client that may not create schedules as long as `mayCreate` is false.
    let mayCreate = false;
    const schedule = Object.assign(Object.create(client.schedule) as Client['schedule'], {
      create: (...args: Parameters<Client['schedule']['create']>) =>
        mayCreate ? client.schedule.create(...args) : Promise.reject(new Error('no permission')),
    });
    const limited = Object.defineProperty(Object.create(client) as Client, 'schedule', { value: schedule });
    const conditions = new Conditions(['federatedCluster', 'federator']);
    const bucket = { label: 'the bucket' };
    const context = {
      client: limited,
      connection: server.connection,
      bucket,
      names: own,
      settings,
      log: silentLog,
      conditions,
    };
    const times = { firstRunAfterMs: 300_000, runEveryMs: 1_800_000 };
    const needs = federatorNeeds(context, { idPrefix: '', ...times }).filter(
      ({ condition }) => condition.name === 'schedule',
    );
    const restore = restorer(limited, needs, silentLog, conditions);
    const report = reporterOf(context as unknown as RoleContext);
    const operator = { settings, names: own, temporal: async () => ({ client }) };
    const shown = async () => {
      const view = await temporalView(operator as unknown as Parameters<typeof temporalView>[0], {
        pushing: [clusterId('c1')],
      });
      const ofRole = (role: string) => view.conditions.filter((one) => one.role === role).map(text);
      const todo = describeConditions(unmentioned(view, []), new Date());
      return { push: ofRole('federatedCluster'), federator: ofRole('federator'), todo };
    };
    const text = ({ name, holds }: Condition) => `${name} ${holds}`;

    conditions.found('federatedCluster', 'disk', { holds: 'yes' });
    await report();
    expect((await shown()).push).toEqual([
      'temporal unknown',
      'store unknown',
      'freshness unknown',
      'disk yes',
    ]);
    await restore();
    await restore();
    await report();
    expect((await shown()).federator).toContain('schedule no');
    expect((await shown()).todo).toEqual([
      expect.stringMatching(/^c1, Federator, schedule, for .*the schedule federation.*no permission/),
    ]);
    mayCreate = true;
    await restore();
    await client.schedule.getHandle('federation').pause('the auditors are here');
    await restore();
    await report();
    expect((await shown()).todo).toEqual([]);
    expect(conditions.current('federator')).toContainEqual(
      expect.objectContaining({ name: 'schedule', holds: 'yes', reason: 'paused: the auditors are here' }),
    );
    // A new roster knows no conditions, so all of them must be reported to it again.
    await client.workflow.getHandle(own.roster).terminate();
    await client.workflow.start<typeof roster>('roster', {
      ...world.options(own.roster),
      args: [{ bucket: 'the bucket' }],
    });
    conditions.reportAgain();
    await report();
    expect((await shown()).federator).toContain('schedule yes');
    for (const id of [own.roster, own.push('c1')]) await client.workflow.getHandle(id).terminate();
  });
});
