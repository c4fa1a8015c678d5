import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../../errors/federation-error';
import type { RunSummary } from '../../operator/runs';
import { startFederation } from '../../operator/start-federation';
import { requestMemo } from '../../workflows/request-memo';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { committed, planOf } from '../workflows/doubles';
import type { WorkflowWorld } from '../workflows/workflow-world';
import type { FederationFolder } from './federation-folder';
import { runMain } from './run-main';
import { withWorldAndFolder } from './world-with-folder';

let world: WorkflowWorld;
let federation: FederationFolder;
withWorldAndFolder((opened, created) => {
  world = opened;
  federation = created;
});

const run = (...argv: string[]) => runMain(...argv, '--config', federation.settings);
const json = async (...argv: string[]) => JSON.parse((await run(...argv, '--json')).out) as unknown;
const at = '2026-11-20T10:00:00.000Z';

async function listed(name: string, ...argv: string[]): Promise<RunSummary> {
  return until(`${name} in the list`, async () => {
    const { runs } = (await json('runs', ...argv)) as { runs: RunSummary[] };
    return runs.find((one) => one.run === name && one.outcome !== 'running');
  });
}

/** Starts a run that fails because the bucket does not exist. Returns the name of the run. */
async function failAway(request: object = {}): Promise<string> {
  const error = new FederationError('STORAGE_BUCKET_NOT_FOUND', {
    detail: 'The folder is gone.',
    retryable: false,
  });
  const away = () => Promise.reject(error);
  world.become({ recordRequest: away, writeReport: away });
  const name = await startFederation(world.client, '', { trigger: 'person', at, ...request });
  await expect(world.client.workflow.getHandle(name).result()).rejects.toThrow();
  return name;
}

describeWithTemporal('a run that never reached the bucket', () => {
  it('is listed as failed, with its error, and replayed by name', async () => {
    const name = await failAway({ why: 'x'.repeat(2_000), force: true });
    expect(await listed(name, '--failed')).toMatchObject({
      outcome: 'failed',
      trigger: 'person',
      why: 'x'.repeat(500),
      requestedAt: at,
      error: { code: 'STORAGE_BUCKET_NOT_FOUND', message: 'The folder is gone.' },
    });
    world.begin();
    expect(await run('replay', name, '--wait')).toMatchObject({ status: 0 });
    expect(world.inputs('recordRequest')).toMatchObject([
      { request: { trigger: 'replay', replayOf: name, force: true } },
    ]);
    expect(await json('status')).toMatchObject({ lastRun: { outcome: 'complete' } });
  });

  it('has the time of its start as the time of the request if the schedule started it', async () => {
    const { workflowId } = await world.client.workflow.start('federation', {
      ...world.options(`federation-${new Date().toISOString()}`),
      args: [{ idPrefix: '', request: { trigger: 'schedule' } }],
      memo: requestMemo({ trigger: 'schedule' }),
    });
    await world.client.workflow.getHandle(workflowId).result();
    const { trigger, requestedAt, startedAt } = await listed(workflowId);
    expect({ trigger, requestedAt }).toEqual({ trigger: 'schedule', requestedAt: startedAt });
  });

  it('and one that was terminated are replayed by --failed, equal ones once', async () => {
    const names = [await failAway({ full: true }), await failAway({ full: true })];
    const gate = Promise.withResolvers<void>();
    world.begin({ planFederation: () => gate.promise.then(() => planOf([])) });
    const terminated = await startFederation(world.client, '', { trigger: 'person', at });
    await world.untilCalled('planFederation');
    await world.client.workflow.getHandle(terminated).terminate('by hand');
    gate.resolve();
    expect(await listed(terminated, '--failed')).toMatchObject({
      outcome: 'died',
      error: { code: 'RUN_DIED', message: expect.stringContaining('by hand') },
    });
    for (const name of names) await listed(name);
    let partial = 1;
    world.begin({ commitGeneration: async () => committed({ quarantined: partial-- }) });
    const { status, err } = await run('replay', '--failed', '--wait');
    // The exit status is 3, because one of the two runs is partial.
    expect(status).toBe(3);
    expect(err).toMatch(/^1 run combined with another one whose request is equal\.$/m);
    expect(world.inputs('recordRequest')).toMatchObject([
      { request: { replayOf: names[1], full: true } },
      { request: { replayOf: terminated } },
    ]);
    expect((await run('replay', '--failed')).out).toMatch(
      /^No run since federation-\S+, which committed, failed and needs a replay\./,
    );
    expect((await run('runs', '--failed')).out).toMatch(
      /`federated-etl replay --failed` .* last run that committed/,
    );
  });

  it('is named if the replay of an earlier one fails', async () => {
    for (const name of ['federation-1', 'federation-2'])
      await federation.run(name, { trigger: 'person' }, { outcome: 'failed' });
    const error = new FederationError('STORAGE_ACCESS_DENIED', { detail: 'No access.', retryable: false });
    world.become({ planFederation: () => Promise.reject(error) });
    const { status, err } = await run('replay', 'federation-1', 'federation-2', '--wait');
    expect(status).toBe(1);
    expect(err).toMatch(/^Not replayed, because of this failure: federation-2\.\nSTORAGE_ACCESS_DENIED: /m);
  });

  it('is shown with a line about the bucket while that is away', async () => {
    const name = await failAway();
    await listed(name);
    const bucket = join(federation.folder, 'bucket');
    await rename(bucket, `${bucket}.away`);
    const { status, out, err } = await run('runs', '--failed', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      runs: expect.arrayContaining([expect.objectContaining({ run: name })]),
    });
    expect(err).toMatch(/^The bucket cannot be read, .*: STORAGE_BUCKET_NOT_FOUND: /m);
    expect(await run('replay', 'federation-of-nobody')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^STORAGE_BUCKET_NOT_FOUND: /),
    });
    await rename(`${bucket}.away`, bucket);
    expect(await run('replay', 'federation-of-nobody')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^RUN_NOT_FOUND: Neither the bucket nor Temporal /),
    });
  });
});

describeWithTemporal('replay --failed without any failed run', () => {
  it('fails with the error of the bucket while that is away', async () => {
    await json('federate', '--wait');
    await rename(join(federation.folder, 'bucket'), join(federation.folder, 'away'));
    const settled = () => run('replay', '--failed');
    expect(
      await until('the last run in the list', async () => {
        const answer = await settled();
        return answer.status === 1 ? answer : undefined;
      }),
    ).toMatchObject({ out: '', err: expect.stringMatching(/^STORAGE_BUCKET_NOT_FOUND: /) });
  });
});
