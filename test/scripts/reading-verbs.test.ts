import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import { documents } from '../../federation/documents';
import type { Generation, QuarantinedSource } from '../../federation/generation';
import {
  clusterEtlKey,
  combinedEtlKey,
  generationKey,
  objectKey,
  provenanceKey,
  publishedKey,
} from '../../federation/layout';
import { noCalls } from '../../federation/store-calls';
import type { Version } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import { measureWith } from '../etl/build-records';
import { clearSettings } from '../servers/clear-environment';
import { FederationFolder } from './federation-folder';
import { runMain } from './run-main';

const goldenBucket = join(__dirname, '../golden/bucket');
const day = 'allocations/1d/1794614400-1794700800';
const hour = 'assets/1h/1794816000-1794819600';

let federation: FederationFolder;
clearSettings();
beforeEach(async () => {
  federation = await FederationFolder.create();
});
afterEach(() => federation[Symbol.asyncDispose]());

const run = (...argv: string[]) => runMain(...argv, '--config', federation.settings);
const json = async (...argv: string[]) => JSON.parse((await run(...argv, '--json')).out) as unknown;

/** Pushes two windows of two clusters, merges them, and commits the result as generation 1. */
async function federateTwo(): Promise<void> {
  for (const cluster of ['cluster-1', 'cluster-2']) {
    for (const window of [day, hour]) await federation.push(cluster, window);
  }
  await federation.commit(1, ['cluster-1', 'cluster-2'], [day, hour]);
}

async function newest(): Promise<Generation> {
  return JSON.parse((await readAll(federation.bucket, generationKey(1))).bytes.toString()) as Generation;
}

describe('inspect', () => {
  it('reads a key of the bucket, and reports a missing one', async () => {
    await federateTwo();
    const key = clusterEtlKey(clusterId('cluster-1'), day);
    expect(await json('inspect', key)).toMatchObject({ kind: 'AllocationSet', codecVersion: 25 });
    expect(await run('inspect', `${key}-not`)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^STORAGE_NOT_FOUND/),
    });
  });
});

describe('status', () => {
  it('of an empty bucket explains what to do first', async () => {
    const { status, out } = await run('status');
    expect(status).toBe(0);
    expect(out).toMatch(/generation {2}none\n/);
    expect(out).toMatch(
      /To do\n- No cluster has pushed yet.*\n- No federation has run yet.*5m after.*every 30m/,
    );
  });

  it('shows clusters, what is federated, and what could not be determined without Temporal', async () => {
    await federateTwo();
    await federation.push('cluster-3', day);
    await federation.run('federation-2026-11-20T10:00:00Z', {}, { generation: 1 });
    const { status, out } = await run('status');
    expect(status).toBe(0);
    expect(out).toMatch(/generation {2}1, 1m( \d+s)? ago: 2 clusters, 2 windows\n/);
    expect(out).toMatch(/last run {4}federation-2026-11-20T10:00:00Z: complete/);
    expect(out).toMatch(/^cluster-1 +in +\S.* allocations 1d +1 /m);
    expect(out).toMatch(/^cluster-3 +not yet /m);
    expect(out).toMatch(/Not shown\nNo Temporal server answers at 127\.0\.0\.1:1: connect ECONNREFUSED/);
  });

  it('has the same content as JSON', async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day], {
      excluded: { [clusterId('cluster-2')]: { by: 'person', reason: 'being moved', lastGeneration: 1 } },
    });
    expect(await json('status')).toMatchObject({
      clusters: [
        {
          cluster: 'cluster-1',
          membership: 'in',
          windows: [
            { pipeline: 'allocations', resolution: '1d', count: 1, newestEnd: '2026-11-15T00:00:00.000Z' },
            { pipeline: 'assets', resolution: '1h', count: 1 },
          ],
        },
        { cluster: 'cluster-2', membership: 'excluded', reason: 'person: being moved' },
      ],
      generation: { generation: 2, clusters: 1, windows: 1, quarantined: 0 },
      primaries: [],
      missing: [expect.stringContaining('No Temporal server')],
    });
  });
});

describe('a cluster that has gone silent', () => {
  const hoursAgo = { 'cluster-1': 1, 'cluster-2': 5, 'cluster-3': 80, 'cluster-4': 80, 'cluster-5': 80 };

  it('is named in status with its last push, what is missing, and what to do', async () => {
    for (const [cluster, hours] of Object.entries(hoursAgo)) {
      await federation.push(cluster, hour);
      federation.lastPushed(cluster, hour, hours);
    }
    const excluded = { [clusterId('cluster-4')]: { by: 'person' as const, reason: 'being moved' } };
    const removed = { [clusterId('cluster-5')]: { by: 'kim', reason: 'sold', at: '2999-01-01T00:00:00Z' } };
    await federation.commit(1, ['cluster-1', 'cluster-2', 'cluster-3'], [hour], { excluded, removed });
    const { out } = await run('status');
    expect(out).toMatch(/^cluster-1 +in +1h( 0m)?( \d+s)? ago +assets/m);
    expect(out).toMatch(/^cluster-2 +in +5h( \d+m)? ago \(late\) +assets 1h +1 \(\d+ missing\) /m);
    expect(out).toMatch(/^cluster-3 +in +3d 8h ago \(gone\) +assets/m);
    expect(out).toMatch(
      /^- 1 of 3 clusters is late: cluster-2 \(last push 5h( \d+m)? ago, usually every 1h, \d+ windows missing\)\. Run `federated-etl doctor` there/m,
    );
    expect(out).toMatch(
      /^- 1 of 3 clusters is gone: cluster-3 \(last push 3d 8h ago, .*\)\. If it was shut down, exclude or remove it/m,
    );
    expect(await json('status')).toMatchObject({
      clusters: [
        { cluster: 'cluster-1', silence: { state: 'on-time', usualMs: 3_600_000 } },
        { cluster: 'cluster-2', silence: { state: 'late' } },
        { cluster: 'cluster-3', silence: { state: 'gone' } },
        { cluster: 'cluster-4', silence: { state: 'not-expected' }, windows: [{ missing: 0 }] },
        { cluster: 'cluster-5', silence: { state: 'not-expected' } },
      ],
    });
  });
});

describe('a removed cluster', () => {
  const removal = { by: 'kim@host', reason: 'sold', at: '2026-11-20T12:00:00Z', lastGeneration: 1 };

  it.each([
    ['is shown as removed', '2999-01-01T00:00:00Z', ''],
    ['that still pushes is shown as such', '2026-01-01T00:00:00Z', ', still pushing'],
  ])('%s', async (_, at, suffix) => {
    await federateTwo();
    const removed = { [clusterId('cluster-2')]: { ...removal, at } };
    await federation.commit(2, ['cluster-1'], [day], { removed });
    const reason = `removed by kim@host at ${at}: sold${suffix}`;
    expect(await json('status')).toMatchObject({
      clusters: [{ cluster: 'cluster-1' }, { cluster: 'cluster-2', membership: 'removed', reason }],
    });
    expect((await run('status')).out).toMatch(new RegExp(`^cluster-2 +${reason} {2}`, 'm'));
  });
});

describe('runs', () => {
  const counts = { list: 7, head: 1, get: 40, put: 20, create: 3, copy: 2, delete: 0 };
  const calls = { ...counts, bytesRead: 3 * 1024 ** 2, bytesWritten: 512 };
  beforeEach(async () => {
    await federation.run('federation-2026-11-20T10:00:00Z', {}, { generation: 1, calls, shrunk: 2 });
    await federation.run(
      'federation-2026-11-20T10:30:00Z',
      { trigger: 'person' },
      { outcome: 'failed', error: { code: 'FEDERATOR_CONFLICT', message: 'Another federator commits.' } },
    );
    await federation.run('federation-2026-11-20T11:00:00Z', {});
  });

  it('lists them, the newest first, and marks those without a report', async () => {
    const { status, out } = await run('runs');
    expect(status).toBe(0);
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'RUN',
      'federation-2026-11-20T11:00:00Z',
      'federation-2026-11-20T10:30:00Z',
      'federation-2026-11-20T10:00:00Z',
      '',
      'federation-2026-11-20T10:30:00Z:',
      '',
      'unknown:',
      '',
    ]);
    expect(out).toMatch(
      /10:00:00Z +2m( \d+s)? ago +schedule +complete +1 +2 +0 +2 +3s +7 +40 +23 +3\.0 MiB +512 B$/m,
    );
    expect(out).toMatch(/10:30:00Z .* 0  *0  *0  *0 B  *0 B$/m);
    expect(out).toMatch(/11:00:00Z .* -  *-  *-  *-  *-$/m);
    expect(out).toContain('FEDERATOR_CONFLICT: Another federator commits.');
  });

  it('includes in JSON the store calls by verb', async () => {
    const { runs } = (await json('runs')) as { runs: { calls?: object }[] };
    expect(runs.map((one) => one.calls)).toEqual([undefined, noCalls(), calls]);
  });

  it('lists only those that failed, or as many as requested', async () => {
    expect(await json('runs', '--failed')).toMatchObject({
      runs: [{ outcome: 'unknown' }, { outcome: 'failed' }],
    });
    expect(await json('runs', '--limit', '1')).toMatchObject({
      runs: [{ run: 'federation-2026-11-20T11:00:00Z' }],
    });
  });
});

describe('generations', () => {
  it('reports that there are none', async () => {
    expect((await run('generations')).out).toBe('No generation has been committed yet.\n');
  });

  it('are listed with their content', async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day]);
    expect((await run('generations')).out).toMatch(
      /^GENERATION .*\n2 +1m( \d+s)? ago +1 +1 +0 .*KiB +federation-2\n1 +1m( \d+s)? ago +2 +2 +0 /,
    );
    expect(await json('generations', '--limit', '1')).toMatchObject({
      generations: [{ generation: 2, federator: 'cluster-4' }],
    });
  });
});

describe('diff', () => {
  beforeEach(async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day]);
  });

  it('sums up what changed, by cluster, and lists the windows', async () => {
    const { status, out } = await run('diff', '1', '2');
    expect(status).toBe(0);
    expect(out).toMatch(/^in 1 but not in 2: cluster-2\n/);
    expect(out).toMatch(/\nallocations 1d +all +\d+\.\d\d +0\.00 +-\d+\.\d\d\n/);
    expect(out).toMatch(/\nassets 1h .* removed +cluster-1 +\d+\.\d\d +- +-\d+\.\d\d\n/);
    expect((await run('diff', '1')).out).toBe(out);
    expect((await run('diff', '1', '1')).out).toBe('Generations 1 and 1 have the same windows.\n');
    const { totals } = (await json('diff', '1', '2')) as { totals: { cluster?: string; before: number }[] };
    expect(totals.map(({ cluster }) => cluster)).toEqual([
      undefined,
      'cluster-2',
      undefined,
      'cluster-1',
      'cluster-2',
    ]);
  });

  it('says how many windows it did not compare, and which object is gone', async () => {
    const { out } = await run('diff', '1', '2', '--windows', '1');
    expect(out).toMatch(/1 older window differ, too, and were not compared/);
    await federation.bucket.delete(objectKey((await newest()).windows[hour]?.fingerprint ?? ''));
    const damaged = await run('diff', '1', '2');
    expect(damaged.status).toBe(1);
    expect(damaged.out).toContain(`${hour} was not compared: STORAGE_NOT_FOUND`);
    expect(damaged.out).toMatch(/allocations 1d 2026-11-14 +changed/);
  });

  it('adds up costs only of windows that can be read', async () => {
    const { windows } = await newest();
    await federation.bucket.delete(objectKey(windows[day]?.fingerprint ?? ''));
    expect(await json('diff', '1', '2')).toMatchObject({
      totals: [
        { pipeline: 'assets' },
        { pipeline: 'assets', cluster: 'cluster-1' },
        { cluster: 'cluster-2' },
      ],
      changes: [
        { window: hour },
        { window: day, clusters: [], unreadable: expect.stringMatching(/^STORAGE_/) },
      ],
    });
    expect((await run('diff', '1', '2')).out).toMatch(/\nallocations\/1d\/.* was not compared: STORAGE_/);
  });

  it('refuses a generation that does not exist', async () => {
    expect(await run('diff', '1', '7')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/no generation 7/),
    });
  });
});

describe('decisions of persons', () => {
  const decided = { by: 'ann@host', at: '2026-11-20T12:00:00Z' };
  const hold = { ...decided, reason: 'numbers are wrong', generation: 1 };
  const drop = { kind: 'drop', cluster: clusterId('cluster-2'), generation: 1 } as const;
  beforeEach(async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day]);
    await federation.run('federation-2', { trigger: 'person', ...decided, why: 'a test', change: drop });
    await federation.commit(3, ['cluster-1'], [day], { hold, replaces: { generation: 2 } });
  });

  it('are listed with the generations, by whom and why, and a hold is marked', async () => {
    const { out } = await run('generations');
    expect(out).toMatch(/^3 \(on hold\) +1m/m);
    // The run of generation 3 has no request in the bucket, but its hold in the generation says what was decided.
    expect(out).toContain(
      '\n3: in place of generation 2: roll back to generation 1, as decided by ann@host at 2026-11-20T12:00:00Z: numbers are wrong\n',
    );
    expect(out).toContain(
      '\n2: drop what generation 1 quarantines of cluster-2, as decided by ann@host at 2026-11-20T12:00:00Z: a test\n',
    );
    expect(out).not.toContain('\n1: ');
    expect(await json('generations')).toMatchObject({
      generations: [
        { generation: 3, hold, replaces: 2 },
        { generation: 2, decision: { what: expect.stringContaining('drop'), ...decided, reason: 'a test' } },
        expect.not.objectContaining({ decision: expect.anything() }),
      ],
    });
  });

  it('end a hold', async () => {
    await federation.commit(4, ['cluster-1'], [day]);
    await federation.run('federation-4', { trigger: 'person', ...decided, resume: true });
    const { out } = await run('generations');
    expect(out).not.toContain('on hold');
    expect(out).toContain('\n4: resume, as decided by ann@host at 2026-11-20T12:00:00Z\n');
  });

  it('are not listed if the request of a run is damaged, but the damage is', async () => {
    await federation.bucket.put(documents.runRequest.at('federation-2').key, Buffer.from('{'));
    expect((await run('generations')).out).toMatch(
      /^federated\/combined\/runs\/federation-2\/request\.json is damaged/,
    );
  });
});

describe('quarantine', () => {
  const quarantined = {
    cluster: clusterId('cluster-2'),
    window: day as WindowId,
    seen: 'v' as Version,
    code: 'ETL_TRUNCATED',
    detail: 'It ends too early.',
  };

  it('is empty if every source was merged', async () => {
    await federateTwo();
    expect((await run('quarantine')).out).toBe('Generation 1 has no quarantined sources.\n');
  });

  it('shows since when, in which state, and what to do', async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day], {
      quarantined: [{ ...quarantined, kept: 'k' as Version }],
    });
    await federation.commit(3, ['cluster-1'], [day], {
      quarantined: [
        { ...quarantined, kept: 'k' as Version },
        { ...quarantined, window: hour as WindowId },
      ],
    });
    const { out } = await run('quarantine');
    expect(out).toMatch(/cluster-2 +allocations +1d 2026-11-14 +ETL_TRUNCATED +generation 2 +kept/);
    expect(out).toMatch(/cluster-2 +assets +1h 2026-11-16T08:00Z +ETL_TRUNCATED +generation 3 +refused/);
    expect(out).toMatch(/\nETL_TRUNCATED: The file is incomplete\. Repair/);
    expect(await json('quarantine')).toMatchObject({
      generation: 3,
      sources: [
        { since: 2, state: 'kept', kept: 'k' as Version },
        { since: 3, state: 'refused' },
      ],
    });
  });
});

describe('decisions about quarantined sources', () => {
  const decided = { by: 'ann@host', reason: 'a test', at: '2026-11-20T12:00:00Z' };
  const corrupt: QuarantinedSource = {
    cluster: clusterId('cluster-2'),
    window: day as WindowId,
    seen: 'v' as Version,
    code: 'ETL_CORRUPT',
    detail: 'It is no ETL file.',
  };
  const emptied = { ...corrupt, code: 'SOURCE_EMPTIED', window: hour as WindowId };

  it('are listed with who and why, and dropped sources are not open', async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1', 'cluster-2'], [day], {
      quarantined: [{ ...corrupt, kept: 'k' as Version, dropped: decided }],
      accepted: [
        {
          cluster: corrupt.cluster,
          window: hour as WindowId,
          seen: 'absent',
          code: 'SOURCE_VANISHED',
          decided,
        },
      ],
    });
    const { out } = await run('quarantine');
    expect(out).toMatch(/^Generation 2 has 1 quarantined source, 1 of them dropped\.\n/);
    expect(out).toMatch(
      /ETL_CORRUPT +generation 2 +kept, dropped by ann@host at 2026-11-20T12:00:00Z: a test\n/,
    );
    expect(out).toMatch(/\n1 source accepted:\n/);
    expect(out).toMatch(/assets .* SOURCE_VANISHED +accepted by ann@host at 2026-11-20T12:00:00Z: a test\n/);
    expect(out).not.toContain('Repair this window');
    expect(await json('generations', '--limit', '1')).toMatchObject({
      generations: [{ quarantined: 0, dropped: 1, accepted: 1 }],
    });
    expect((await run('status')).out).not.toContain('quarantined source');
  });

  it('are refused before anything starts if there is nothing to decide', async () => {
    const refusal = async (...argv: string[]) => {
      const { status, out, err } = await run(...argv, '--yes');
      expect({ status, out }).toEqual({ status: 1, out: '' });
      return err;
    };
    expect(await refusal('accept', 'cluster-2')).toMatch(
      /^QUARANTINE_NOT_FOUND: .*quarantines no source of any cluster/,
    );
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day], { quarantined: [corrupt] });
    expect(await refusal('accept', 'cluster-22')).toMatch(
      /^QUARANTINE_NOT_FOUND: .*no source of another cluster than cluster-2\./,
    );
    expect(await refusal('accept', 'cluster-2', '--pipeline', 'assets')).toMatch(
      /^QUARANTINE_NOT_FOUND: .*quarantines sources of cluster-2, but none that matches/,
    );
    expect(await refusal('accept', 'cluster-2')).toMatch(
      /^ACCEPT_IMPOSSIBLE: .*ETL_CORRUPT: It is no ETL file\.[\s\S]*`federated-etl quarantine drop`/,
    );
    expect(await refusal('quarantine', 'drop', 'cluster-2')).toMatch(
      /^QUARANTINE_NOT_FOUND: .*The file of the source that generation 2 quarantines has been replaced since/,
    );
    await federation.commit(3, ['cluster-1'], [day], { quarantined: [{ ...corrupt, dropped: decided }] });
    expect(await refusal('quarantine', 'drop', 'cluster-2')).toMatch(
      /dropped already, the first of it by ann@host/,
    );
  });

  it('can confirm a file that was merged although it had shrunk, but cannot drop it', async () => {
    await federateTwo();
    const seen = (await federation.bucket.head(`federated/cluster-2/etl/bingen/${hour}`))?.version;
    if (seen === undefined) throw new Error('cluster-2 has no such file.');
    const measures = { largest: measureWith(45), now: measureWith(2) };
    const { cluster } = corrupt;
    await federation.commit(2, ['cluster-1', 'cluster-2'], [day], {
      shrunk: [{ cluster, window: hour as WindowId, seen, ...measures, closed: false }],
    });
    expect((await run('status')).out).toContain(', 1 shrunk source (see `federated-etl quarantine`)\n');
    const { out } = await run('quarantine');
    expect(out).toMatch(/\n1 shrunk source, merged all the same because the windows were young:\n/);
    expect(out).toMatch(/\ncluster-2 +assets +1h .* records 45 → 2\n/);
    expect(out).toMatch(/or `federated-etl accept <cluster>` confirms it\.\n$/);
    const asked = await run('accept', 'cluster-2');
    expect(asked.out).toMatch(/\nassets +1h .* shrunk +SOURCE_SHRUNK +The file has shrunk: records 45 → 2\./);
    expect(asked.err).toContain('--yes');
    expect((await run('quarantine', 'drop', 'cluster-2', '--yes')).err).toMatch(
      /^QUARANTINE_NOT_FOUND: .*Generation 2 has merged this file, so it cannot be dropped\.[\s\S]*federated-etl accept/,
    );
  });

  it('can take back a drop of a file that cannot be read', async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day], {
      quarantined: [{ ...corrupt, seen: 'absent', dropped: decided }],
    });
    await federation.bucket.delete(`federated/cluster-2/etl/bingen/${day}`);
    const { out } = await run('accept', 'cluster-2');
    expect(out).toMatch(/\nallocations +1d .* refused, dropped +ETL_CORRUPT/);
  });

  it('are refused while the federation is on hold', async () => {
    await federateTwo();
    const held = { ...(await newest()), hold: { ...decided, generation: 1 } };
    await federation.bucket.put(generationKey(1), Buffer.from(JSON.stringify(held)));
    for (const verb of [['accept'], ['quarantine', 'drop'], ['cluster', 'remove']]) {
      const { status, out, err } = await run(...verb, 'cluster-2', '--yes');
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err).toMatch(/^FEDERATION_ON_HOLD: .*ann@host rolled back to generation 1/);
    }
    const removed = { [clusterId('cluster-2')]: decided };
    await federation.commit(2, ['cluster-1'], [day], { removed, hold: { ...decided, generation: 1 } });
    expect((await run('cluster', 'restore', 'cluster-2')).err).toMatch(/^FEDERATION_ON_HOLD: /);
    expect((await run('cluster', 'remove', 'cluster-2')).out).toMatch(/already removed by ann@host/);
  });

  it('are shown before they are made, and need a terminal or --yes', async () => {
    await federateTwo();
    const seen =
      (await federation.bucket.head(`federated/cluster-2/etl/bingen/${hour}`))?.version ?? 'absent';
    await federation.commit(2, ['cluster-1'], [day], { quarantined: [corrupt, { ...emptied, seen }] });
    const { status, out, err } = await run('accept', 'cluster-2');
    expect(status).toBe(2);
    expect(out).toMatch(
      /^Listed in generation 2:\n\n.*\nassets +1h .* refused +SOURCE_EMPTIED +It is no ETL file\./,
    );
    expect(out).toMatch(/\nThese cannot be accepted; .*\n.*\nallocations .* ETL_CORRUPT/);
    expect(err).toContain('--yes');
  });
});

describe('removing the only cluster', () => {
  it('is refused, also dry', async () => {
    await federateTwo();
    await federation.commit(2, ['cluster-1'], [day], {
      removed: { [clusterId('cluster-2')]: { by: 'ann@host', reason: '', at: '2026-11-20T00:00:00Z' } },
    });
    for (const argv of [['--dry-run'], ['--yes', '--wait']])
      expect(await run('cluster', 'remove', 'cluster-1', ...argv)).toMatchObject({
        status: 1,
        out: '',
        err: expect.stringMatching(/^CLUSTER_LAST: No other cluster than cluster-1 is included/),
      });
  });
});

describe('a cluster that carries the name of another', () => {
  const conflict = 'Records of cluster-2 carry the cluster name cluster-1, which belongs to cluster-1.';
  beforeEach(async () => {
    await federateTwo();
    const taken: QuarantinedSource = {
      cluster: clusterId('cluster-2'),
      window: day as WindowId,
      seen: 'absent',
      code: 'CLUSTER_NAME_TAKEN',
      detail: conflict,
      names: ['cluster-1'],
    };
    await federation.commit(2, ['cluster-1', 'cluster-2'], [day], {
      quarantined: [taken, { ...taken, window: hour as WindowId, names: [] }],
      names: { 'cluster-1': clusterId('cluster-1') },
      nameConflicts: {
        [clusterId('cluster-2')]: { names: { 'cluster-1': clusterId('cluster-1') }, reinstalled: false },
      },
    });
  });

  it('is named in status, and in quarantine on one line', async () => {
    const status = await run('status');
    expect(status.out).toContain('cluster-2  in (nothing new is merged: carries cluster-1)');
    expect(status.out).toContain(
      `\nCluster names\n${conflict}\n  If cluster-2 is wrong, correct the name in its cost model`,
    );
    const { out } = await run('quarantine');
    expect(out).toMatch(/\ncluster-2 +all +2 sources, 1 with the name +CLUSTER_NAME_TAKEN +generation 2/);
    expect(out).toContain('run `federated-etl accept cluster-2 --name cluster-1`');
    expect(await json('quarantine')).toMatchObject({
      nameConflicts: [{ cluster: 'cluster-2', sources: 2, carrying: 1, since: 2, detail: conflict }],
    });
  });

  it('is given only a name that some cluster owns', async () => {
    const misspelt = await run('accept', 'cluster-2', '--name', 'cluster-11', '--yes');
    expect(misspelt.status).toBe(1);
    expect(misspelt.err).toMatch(/^CLUSTER_NAME_UNKNOWN: .*"cluster-11"\. The nearest one is cluster-1\./);
    const owned = await run('accept', 'cluster-1', '--name', 'cluster-1', '--yes');
    expect(owned).toMatchObject({
      status: 0,
      out: 'cluster-1 owns the name cluster-1 already. Nothing was changed.\n',
    });
    const unasked = await run('accept', 'cluster-2', '--name', 'cluster-1');
    expect(unasked.status).toBe(2);
    expect(unasked.err).toContain('--yes');
  });
});

describe('verify', () => {
  it('has nothing to do before the first generation', async () => {
    expect(await run('verify')).toMatchObject({
      status: 0,
      out: expect.stringContaining('nothing to verify') as string,
    });
  });

  it('finds nothing wrong if all is well', async () => {
    await federateTwo();
    const { status, out, err } = await run('verify', '--deep');
    expect(out).toBe(
      '2 windows merged again and compared.\nGeneration 1, 2 windows: all is as it was committed.\n',
    );
    expect(err).toContain('verify generation 1: 2 of 2 windows');
    expect(status).toBe(0);
  });

  it.each([
    [
      'a missing object',
      (window: Generation['windows'][string]) => objectKey(window.fingerprint),
      undefined,
      'missing',
    ],
    [
      'a truncated object',
      (window: Generation['windows'][string]) => objectKey(window.fingerprint),
      'short',
      '5 bytes, not',
    ],
    [
      'missing provenance',
      (window: Generation['windows'][string]) => provenanceKey(window.fingerprint),
      undefined,
      'provenance is missing',
    ],
    [
      'provenance that is not JSON',
      (window: Generation['windows'][string]) => provenanceKey(window.fingerprint),
      '{',
      'no JSON',
    ],
    ['a missing published window', () => combinedEtlKey(day as never), undefined, 'missing'],
  ])('finds %s', async (_what, keyOf, bytes, detail) => {
    await federateTwo();
    const window = (await newest()).windows[day];
    if (window === undefined) throw new Error('The window does not exist.');
    const key = keyOf(window);
    if (bytes === undefined) await federation.bucket.delete(key);
    else await federation.bucket.put(key, Buffer.from(bytes));
    const { status, out } = await run('verify');
    expect(status).toBe(1);
    expect(out).toContain(`(${key})`);
    expect(out).toContain(detail);
    expect(out).toContain('1 problem found');
  });

  it('finds bytes that changed in place', async () => {
    await federateTwo();
    const key = combinedEtlKey(day as never);
    const { bytes } = await readAll(federation.bucket, key);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await federation.bucket.put(key, bytes);
    const { status, out } = await run('verify');
    expect(status).toBe(1);
    expect(out).toContain('the digest differs');
  });

  it('reports a generation that is not published, and files that should be gone', async () => {
    await federateTwo();
    const published = await readAll(federation.bucket, publishedKey);
    await federation.commit(2, ['cluster-1', 'cluster-2'], [day]);
    await federation.bucket.put(publishedKey, published.bytes);
    await federation.bucket.put(
      combinedEtlKey('assets/1d/1794614400-1794700800' as never),
      Buffer.from('a stranger'),
    );
    const { status, out } = await run('verify');
    expect(status).toBe(1);
    expect(out).toContain('Generation 2 is the newest, but generation 1 is published');
    expect(out).toContain(`${hour}: It is still published`);
    expect(out).toContain('1 file beside the published ones that no generation named; left alone.');
  });

  it('merges again only sources that have not changed', async () => {
    await federateTwo();
    await federation.bucket.put(
      clusterEtlKey(clusterId('cluster-1'), day),
      readFileSync(join(__dirname, '../golden/bucket/federated/cluster-1/etl/bingen', day)),
    );
    const { status, out } = await run('verify', '--deep');
    expect(out).toContain('1 window merged again and compared, 1 not, as their sources changed since.');
    expect(status).toBe(0);
  });

  it('reports the findings as JSON', async () => {
    await federateTwo();
    expect(await json('verify')).toEqual({
      generation: 1,
      windows: 2,
      remerged: 0,
      changedSince: 0,
      unnamed: 0,
      unpublished: 0,
      findings: [],
    });
  });
});

describe('names that a terminal would obey, or that every object has', () => {
  const clusters = ['constructor', 'toString', 'hasOwnProperty', 'a\u202egnp.exe', '\u2066x\u2069'];
  const verbs = [
    ['status'],
    ['generations'],
    ['diff', '1', '2'],
    ['quarantine'],
    ['verify'],
    ['runs'],
    ['federate', '--dry-run'],
    ['cluster', 'purge', 'a\u202egnp.exe', '--dry-run'],
    ['cluster', 'remove', 'valueOf', '--dry-run'],
    ['accept', '\u001b[31m'],
    ['inspect', 'no\u001b]0;pwn\u0007'],
    ['inspect', 'no\nforged'],
    ['accept', 'no\n  forged'],
    ['no\nforged'],
  ];

  it('are shown escaped by every verb, and found', async () => {
    for (const window of [day, hour]) {
      const bytes = readFileSync(join(goldenBucket, clusterEtlKey(clusterId('cluster-1'), window)));
      for (const cluster of clusters)
        await federation.bucket.put(clusterEtlKey(clusterId(cluster), window), bytes);
    }
    await federation.commit(1, clusters, [day, hour]);
    await federation.commit(2, clusters, [day]);
    for (const verb of verbs) {
      for (const how of [[], ['--json']]) {
        const { out, err } = await run(...verb, ...how);
        expect([verb, `${out}${err}`.match(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu)]).toEqual([
          verb,
          null,
        ]);
        expect([verb, `${out}${err}`.match(/^ *forged/m)]).toEqual([verb, null]);
      }
    }
    const { clusters: shown } = (await json('status')) as { clusters: { cluster: string }[] };
    expect(shown.map(({ cluster }) => cluster).sort()).toEqual([...clusters].sort());
    expect((await run('status')).out).toContain('a\\u202egnp.exe');
    expect(await json('diff', '1', '2')).toMatchObject({ from: 1, to: 2 });
  });
});
