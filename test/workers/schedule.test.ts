import { randomBytes } from 'node:crypto';
import { Client, ScheduleOverlapPolicy } from '@temporalio/client';
import type { EncryptionKey } from '../../config/encryption-keys';
import { silentLog } from '../../config/log';
import { keyIdOf, PayloadEncryption } from '../../config/payload-encryption';
import { ensureSchedule, jitterOf, restoreSchedule } from '../../workers/schedule';
import { describeWithTemporal, withOwnNamespace } from '../servers/temporal';

const minute = 60_000;
let client: Client;
let federations = 0;
withOwnNamespace((own) => (client = own));

/** Returns a federation with a separate id prefix, so that tests do not affect each other. */
function federation(settings: { firstRunAfterMs?: number; runEveryMs?: number; jitterMs?: number } = {}) {
  const wanted = {
    idPrefix: `f${++federations}-`,
    firstRunAfterMs: 5 * minute,
    runEveryMs: 30 * minute,
    ...settings,
  };
  const handle = client.schedule.getHandle(`${wanted.idPrefix}federation`);
  return {
    wanted,
    handle,
    /** Creates or updates the schedule, as a federator does when it starts. */
    start: (changes: Partial<typeof wanted> = {}, now = Date.now()) =>
      ensureSchedule(client, { ...wanted, ...changes }, silentLog, now),
    nextRuns: async () => (await handle.describe()).info.nextActionTimes.map((time) => time.getTime()),
  };
}

/**
 * Expects two times to be equal, but allows a difference of less than two seconds, because the server rounds to whole
 * seconds. Both times are computed from the same `now`, so the duration of the test has no influence.
 */
function expectAbout(actual: number | undefined, expected: number): void {
  expect(Math.abs((actual ?? 0) - expected)).toBeLessThan(2_000);
}

describeWithTemporal('the federation schedule', () => {
  it('runs first a few minutes after the start, then at its interval from there', async () => {
    const { start, nextRuns } = federation();
    const now = Date.now();
    await start({}, now);
    const [first, second, third] = await nextRuns();
    expectAbout(first, now + 5 * minute);
    expectAbout(second, now + 35 * minute);
    expectAbout(third, now + 65 * minute);
  });

  it('starts federations one at a time, with readable ids, and one late run after an outage', async () => {
    const { start, handle, wanted } = federation();
    await start();
    const { action, policies } = await handle.describe();
    expect(action).toMatchObject({
      workflowType: 'federation',
      workflowId: `${wanted.idPrefix}federation`,
      taskQueue: `${wanted.idPrefix}federation`,
      args: [{ idPrefix: wanted.idPrefix, request: { trigger: 'schedule' } }],
      memo: { request: { trigger: 'schedule' } },
    });
    expect(policies).toMatchObject({
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: 30 * minute,
      pauseOnFailure: false,
    });
  });

  it('is re-anchored by a restart, so that a run follows soon', async () => {
    const { start, nextRuns } = federation();
    const now = Date.now();
    // Pretend that the federator started 15 minutes ago. Its first run was due 10 minutes ago, and its second run is
    // due in 20 minutes.
    await start({}, now - 15 * minute);
    expectAbout((await nextRuns())[0], now + 20 * minute);
    await start({}, now);
    const [first, second] = await nextRuns();
    expectAbout(first, now + 5 * minute);
    expectAbout(second, now + 35 * minute);
  });

  it('is left alone if the next run is due sooner, so that a crash loop does not postpone it forever', async () => {
    const { start, nextRuns } = federation();
    const now = Date.now();
    await start({}, now - 2 * minute);
    for (let restart = 0; restart < 3; restart++) await start({}, now + restart * 10_000);
    expectAbout((await nextRuns())[0], now + 3 * minute);
  });

  it('keeps an operator’s pause and note, even if it is re-anchored', async () => {
    const { start, handle } = federation();
    await start();
    await handle.pause('the auditors are here');
    await start();
    await start({ runEveryMs: 60 * minute });
    expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'the auditors are here' });
  });

  it('adopts a changed interval, and counts it from the restart', async () => {
    const { start, nextRuns } = federation();
    await start();
    const now = Date.now();
    await start({ runEveryMs: 60 * minute }, now);
    const [first, second] = await nextRuns();
    expectAbout(first, now + 5 * minute);
    expectAbout(second, now + 65 * minute);
  });

  describe('with jitter', () => {
    const times = { firstRunAfterMs: 5 * minute, runEveryMs: 30 * minute };
    const jittery = { jitterMs: jitterOf(times) };

    it('has a bounded one, small compared with its times', () => {
      expect(jittery.jitterMs).toBe(30_000);
      expect(jitterOf({ firstRunAfterMs: 24 * 60 * minute, runEveryMs: 24 * 60 * minute })).toBe(minute);
      expect(jitterOf({ firstRunAfterMs: 2_000, runEveryMs: 4_000 })).toBe(200);
    });

    it('runs a little early, at different moments from other federations, and never later than announced', async () => {
      const now = Date.now();
      const early: number[] = [];
      for (let at = 0; at < 8; at++) {
        const { start, nextRuns } = federation(jittery);
        await start({}, now);
        for (const [index, time] of (await nextRuns()).slice(0, 3).entries()) {
          // Round to whole seconds, as the server does.
          early.push(Math.round((now + (5 + 30 * index) * minute - time) / 1_000));
        }
      }
      for (const seconds of early) {
        expect(seconds).toBeGreaterThanOrEqual(-1);
        expect(seconds).toBeLessThanOrEqual(31);
      }
      expect(new Set(early).size).toBeGreaterThan(3);
    });

    it('is left alone if the next run is due sooner', async () => {
      const { start, nextRuns } = federation(jittery);
      const now = Date.now();
      await start({}, now - 2 * minute);
      const before = await nextRuns();
      for (let restart = 0; restart < 3; restart++) await start({}, now + restart * 10_000);
      expect(await nextRuns()).toEqual(before);
    });

    it('is re-anchored if it had none before, as its next run may then come later', async () => {
      const { start, nextRuns } = federation();
      const now = Date.now();
      await start({}, now);
      await start(jittery, now);
      const [first] = await nextRuns();
      expect(first).toBeLessThan(now + 5 * minute + 2_000);
      expect(first).toBeGreaterThan(now + 4.5 * minute - 2_000);
    });
  });
});

describeWithTemporal('the action of the federation schedule', () => {
  const first = { id: 'first', key: randomBytes(32) };
  const second = { id: 'second', key: randomBytes(32) };
  const withKeys = (...keys: EncryptionKey[]) => {
    const { connection, namespace } = client.options;
    const payloadCodecs = [new PayloadEncryption(() => keys)];
    return new Client({ connection, namespace, dataConverter: { payloadCodecs } });
  };

  it('is encrypted again after a rotation of the keys; nothing else changes', async () => {
    const { wanted } = federation();
    const scheduleId = `${wanted.idPrefix}federation`;
    const { namespace } = client.options;
    const described = async () => {
      const { schedule } = await client.workflowService.describeSchedule({ namespace, scheduleId });
      const { input, memo } = schedule!.action!.startWorkflow!;
      const payloads = [...input!.payloads!, ...Object.values(memo!.fields!)];
      return { keyIds: payloads.map(keyIdOf), spec: schedule!.spec, state: schedule!.state };
    };
    await ensureSchedule(withKeys(first), wanted, silentLog);
    await client.schedule.getHandle(scheduleId).pause('the bucket moves');
    const before = await described();
    expect(before.keyIds).toEqual(['first', 'first']);

    for (const keys of [[first], [first, second]]) await restoreSchedule(withKeys(...keys), wanted);
    expect(await described()).toEqual(before);
    expect(await restoreSchedule(withKeys(second, first), wanted)).toEqual({
      restored: false,
      paused: { note: 'the bucket moves' },
    });
    expect(await described()).toEqual({ ...before, keyIds: ['second', 'second'] });
    const { action } = await withKeys(second).schedule.getHandle(scheduleId).describe();
    expect(action).toMatchObject({ args: [{ request: { trigger: 'schedule' } }] });
  });
});
