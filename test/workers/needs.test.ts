import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import pino from 'pino';
import { stringify } from 'yaml';
import { silentLog } from '../../config/log';
import { loadSettings } from '../../config/settings';
import {
  clusterNeeds,
  type Registration,
  registrationOf,
  type WorkflowContext,
} from '../../workers/cluster-workflows';
import { Conditions } from '../../workers/conditions';
import { federatorNeeds } from '../../workers/federator-workflows';
import { type Need, restorer } from '../../workers/needs';
import { openWorkflow } from '../../workers/open-workflow';
import { names } from '../../workflows/names';
import { searchAttributes } from '../../workflows/search-attributes';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

let server: TestServer;
let namespace: string;
let client: Client;
let folder: string;
beforeAll(async () => {
  server = await connectToTestServer();
  namespace = await server.createNamespace();
  client = server.client(namespace);
  folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-needs-'));
});
afterAll(async () => {
  await server?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

interface Line {
  readonly level: string;
  readonly event: string;
  readonly what: readonly string[];
  readonly msg: string;
}

/** Returns a restorer with the lines that it has logged at level `info` and above. */
function restorerOf(needs: readonly Need[]) {
  const lines: Line[] = [];
  const log = pino(
    { level: 'info', formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => lines.push(JSON.parse(line) as Line) },
  );
  const conditions = new Conditions(['federator', 'federatedCluster', 'primaryCluster']);
  return { restore: restorer(client, needs, log, conditions), lines, log, conditions };
}

/**
 * Returns the context of a cluster's roles. No worker serves the cluster, because a workflow can be started without
 * one.
 */
async function contextOf(idPrefix: string) {
  const file = path.join(folder, `${idPrefix}.yaml`);
  const settings = {
    clusterId: 'c1',
    federatedETL: {
      federatedCluster: true,
      primaryCluster: true,
      federator: { enabled: true, federateOnPush: true },
    },
    storage: { configFile: file },
    localEtl: { path: folder },
    temporal: { address: server.address, namespace, idPrefix },
  };
  await writeFile(file, stringify(settings));
  return {
    client,
    connection: server.connection,
    bucket: { label: 'the bucket' },
    names: names(idPrefix),
    settings: loadSettings({ file, env: {} }),
    log: silentLog,
  };
}

/** Registrations to close after each test, even a failed one. An open registration would keep retrying. */
const registrations: Registration[] = [];
afterEach(() => registrations.splice(0).forEach((registration) => registration.close()));
function register(context: WorkflowContext): Registration {
  const registration = registrationOf(context);
  registrations.push(registration);
  return registration;
}

/** Returns the names of the signals that a workflow has received. */
async function signals(workflowId: string): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(
    ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? [],
  );
}

const times = { firstRunAfterMs: 300_000, runEveryMs: 1_800_000 };
const customAttributes = async () =>
  (await server.connection.operatorService.listSearchAttributes({ namespace })).customAttributes;

describeWithTemporal('what a role needs in Temporal', () => {
  it('is created again once it is gone, all in one line of the log', async () => {
    const context = await contextOf('gone-');
    const registration = register(context);
    const needs = [
      ...federatorNeeds(context, { idPrefix: 'gone-', ...times }),
      ...clusterNeeds(context, 'volume-1', registration),
    ];
    const { restore, lines } = restorerOf(needs);
    await restore();
    lines.length = 0;
    await registration.begin();
    const registered = async () => (await signals('gone-roster')).includes('registerPrimary');
    await until('the registration', registered);
    await restore();
    expect(lines).toEqual([]);

    const workflows = ['gone-roster', 'gone-federate-on-push', 'gone-push/c1', 'gone-pull/c1'];
    for (const id of workflows) await client.workflow.getHandle(id).terminate('Temporal forgets');
    await client.schedule.getHandle('gone-federation').delete();
    await server.connection.operatorService.removeSearchAttributes({
      namespace,
      searchAttributes: [searchAttributes.outcome.name],
    });
    await restore();

    for (const id of workflows) expect(await openWorkflow(client, id)).toBeDefined();
    expect((await client.schedule.getHandle('gone-federation').describe()).state.paused).toBe(false);
    expect(await customAttributes()).toHaveProperty(searchAttributes.outcome.name);
    await until('the registration in the new roster', registered);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        event: 'temporal.restored',
        what: [
          'the search attributes',
          'the workflow gone-roster',
          'the schedule gone-federation',
          'the workflow gone-federate-on-push',
          'the workflow gone-push/c1',
          'the workflow gone-pull/c1',
          'the registration of c1 as a primary',
        ],
        msg: expect.stringContaining('takes over the exclusions'),
      }),
    ]);
    await restore();
    expect(lines).toHaveLength(1);
  });

  it('stays as it is if it is there, even if a person or another federator has changed it', async () => {
    const context = await contextOf('kept-');
    const needs = federatorNeeds(context, { idPrefix: 'kept-', ...times });
    const { restore, lines } = restorerOf(needs);
    const other = federatorNeeds(context, { idPrefix: 'kept-', ...times, runEveryMs: 7_200_000 });
    for (const need of other) await need.restore();
    const schedule = client.schedule.getHandle('kept-federation');
    await schedule.pause('the auditors are here');
    const before = await schedule.describe();
    const roster = (await openWorkflow(client, 'kept-roster'))?.runId;

    await restore();

    const after = await schedule.describe();
    expect(after.state).toMatchObject({ paused: true, note: 'the auditors are here' });
    expect(after.spec).toEqual(before.spec);
    expect((await openWorkflow(client, 'kept-roster'))?.runId).toBe(roster);
    expect(lines).toEqual([]);
  });

  it('is reported once for each reason if it cannot be restored, and the rest is restored', async () => {
    let reason = 'no permission';
    const bad: Need = {
      what: 'the roster',
      condition: { role: 'federator', name: 'roster' },
      restore: () => Promise.reject(new Error(reason)),
    };
    const good: Need = {
      what: 'the schedule',
      condition: { role: 'federator', name: 'schedule' },
      restore: () => Promise.resolve(true),
    };
    const { restore, lines } = restorerOf([bad, good]);
    await restore();
    await restore();
    reason = 'no quota';
    await restore();
    const logged = lines.map(({ event, what }) => `${event} ${what.join()}`);
    expect(logged.filter((line) => line.startsWith('temporal.not-restored'))).toEqual([
      'temporal.not-restored the roster',
      'temporal.not-restored the roster',
    ]);
    expect(logged.filter((line) => line === 'temporal.restored the schedule')).toHaveLength(3);
  });
});

describeWithTemporal('a primary that starts before the federator', () => {
  it('says so once, registers as soon as there is a roster, and then pulls at once', async () => {
    const context = await contextOf('early-');
    const { lines, log } = restorerOf([]);
    const asked = jest.spyOn(client.workflow, 'getHandle');
    const registration = register({ ...context, log });
    await registration.begin();
    await until('several attempts', () => asked.mock.calls.length > 2);
    expect(lines).toEqual([expect.objectContaining({ level: 'info', event: 'roster.awaited' })]);
    for (const need of federatorNeeds(context, { idPrefix: 'early-', ...times })) await need.restore();
    // A signal that pulls, as the federator may have committed before it knew this primary.
    expect(await until('a pull', () => signals('early-pull/c1'))).toEqual(['pull']);
    expect(await signals('early-roster')).toEqual(['registerPrimary']);
    expect(lines).toHaveLength(1);
    asked.mockRestore();
  });
});
