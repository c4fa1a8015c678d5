import { once } from 'node:events';
import { createServer } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import type { RunningServer } from '../../api/listen';
import { programVersion } from '../../config/program-version';
import { FederationError } from '../../errors/federation-error';
import { Readiness, startHealth } from '../../workers/health';
import { registerRoleMetrics, type RoleMetrics } from '../../workers/metrics';
import { unserved } from '../../workers/primary-api';
import { combinedEtl, openEngine, wantedFrom } from '../query/engine-over';

/** Returns undefined, which means that the primary can answer queries. */
const served = () => undefined;
const federatedPrimary = { federatedCluster: true, federator: false, primaryCluster: true };

describe('health', () => {
  let server: RunningServer;
  let readiness: Readiness;
  let registry: Registry;
  let metrics: RoleMetrics;

  const ask = async (path: string) => {
    const answer = await fetch(`${server.url}${path}`);
    // Remove the conditions of the roles, which another test covers.
    const text = (await answer.text()).replace(/^\w+\.\w+: unknown\n/gm, '');
    return `${answer.status} ${text.trim()}`;
  };

  /**
   * Restarts the server with a new `Readiness` that calls `reach`, and returns the `Readiness`. `reach` returns a
   * description of what cannot be reached, or undefined if everything can be reached.
   */
  async function withReach(reach: () => Promise<string | undefined>): Promise<Readiness> {
    await server.close();
    const other = new Readiness(federatedPrimary);
    other.serving(served);
    other.onceReady(reach);
    server = await startHealth('127.0.0.1:0', other, registry);
    return other;
  }

  beforeEach(async () => {
    readiness = new Readiness(federatedPrimary);
    registry = new Registry();
    metrics = registerRoleMetrics(registry, readiness);
    server = await startHealth('127.0.0.1:0', readiness, registry);
  });
  afterEach(() => server.close());

  it('is alive before it is ready, and reports what each role is waiting for', async () => {
    readiness.starting('waits for Temporal at temporal:7233');
    expect(await ask('/healthz')).toBe('200 alive');
    expect(await ask('/readyz')).toBe(
      '503 federatedCluster: waits for Temporal at temporal:7233\nprimaryCluster: waits for Temporal at temporal:7233',
    );
  });

  it('has one line for each role, whatever the reason has in it', async () => {
    readiness.starting('waits for \u001b[31m/etl\nprimaryCluster: ready');
    const why = 'waits for \\u001b[31m/etl\\u000aprimaryCluster: ready';
    expect(await ask('/readyz')).toBe(`503 federatedCluster: ${why}\nprimaryCluster: ${why}`);
  });

  it('reports what stops the roles, except a primary, which answers queries', async () => {
    readiness.serving(served);
    readiness.onceReady(async () => undefined);
    expect(await ask('/readyz')).toBe('200 federatedCluster: ready\nprimaryCluster: ready');
    readiness = await withReach(async () => 'cannot reach Temporal');
    expect(await ask('/readyz')).toBe('503 federatedCluster: cannot reach Temporal\nprimaryCluster: ready');
    expect(await ask('/readyz?role=primaryCluster')).toBe('200 primaryCluster: ready');
    expect(await ask('/readyz?role=federatedCluster')).toContain('503');
    readiness.all('is stopping');
    expect(await ask('/readyz?role=primaryCluster')).toBe('503 primaryCluster: is stopping');
  });

  it('reports a primary that serves before the process has reached Temporal', async () => {
    let why: string | undefined = 'nothing was pulled yet';
    readiness.serving(() => why);
    readiness.starting('waits for Temporal at temporal:7233');
    expect(await ask('/readyz?role=primaryCluster')).toBe('503 primaryCluster: nothing was pulled yet');
    why = undefined;
    expect(await ask('/readyz?role=primaryCluster')).toBe('200 primaryCluster: ready');
    expect(await ask('/readyz?role=federatedCluster')).toContain('503 federatedCluster: waits for Temporal');
    readiness.all('is stopping');
    expect(await ask('/readyz?role=primaryCluster')).toBe('503 primaryCluster: is stopping');
  });

  it('does not check for a primary, nor more often than every two seconds', async () => {
    let asked = 0;
    readiness.serving(served);
    readiness.onceReady(async () => void (asked += 1));
    await ask('/readyz?role=primaryCluster');
    expect(asked).toBe(0);
    for (let at = 0; at < 5; at++) await ask('/readyz');
    expect(asked).toBe(1);
  });

  it('escapes in metrics what a terminal would obey', async () => {
    const gauge = new Gauge({
      name: 'made_up',
      help: 'made up',
      labelNames: ['cluster'],
      registers: [registry],
    });
    gauge.set({ cluster: '\u202eevil\u009b' }, 1);
    expect(await ask('/metrics')).toContain('made_up{cluster="\\\\u202eevil\\\\u009b"} 1');
  });

  it('reports a primary as ready once it can answer from a generation, and from then on', async () => {
    const engine = await openEngine();
    try {
      const cannotReach = async () => 'cannot reach Temporal';
      readiness.serving(() => unserved(engine.state()));
      readiness.onceReady(cannotReach);
      expect(await ask('/readyz?role=primaryCluster')).toBe('503 primaryCluster: nothing was pulled yet');
      expect(await ask('/readyz')).toBe(
        '503 federatedCluster: cannot reach Temporal\nprimaryCluster: nothing was pulled yet',
      );
      const [first, ...others] = await wantedFrom(combinedEtl);
      if (first === undefined) throw new Error('golden files are missing');
      const said: string[] = [];
      const cut = {
        ...first,
        read: async () => {
          said.push(await ask('/readyz?role=primaryCluster'));
          throw new FederationError('ETL_TRUNCATED', { detail: 'It ends too early.' });
        },
      };
      const serving = { generation: 1, ingestedAt: 'a' };
      await expect(engine.serve([cut, ...others], serving)).rejects.toThrow('too early');
      expect(said).toEqual(['503 primaryCluster: ingests what was pulled: 0 of 14 windows']);
      expect(await ask('/readyz?role=primaryCluster')).toBe(
        '503 primaryCluster: cannot serve what was pulled (ETL_TRUNCATED)',
      );
      await engine.serve([first, ...others], serving);
      expect(await ask('/readyz?role=primaryCluster')).toBe('200 primaryCluster: ready');
      expect(await ask('/metrics')).toContain('federated_etl_role_ready{role="primaryCluster"} 1');
      // If a newer generation cannot be loaded, the primary stays ready, because it still serves the current one.
      await expect(
        engine.serve([{ ...cut, digest: 'cut' }], { ...serving, generation: 2 }),
      ).rejects.toThrow();
      expect(said.at(-1)).toBe('200 primaryCluster: ready');
      expect(await ask('/readyz?role=primaryCluster')).toBe('200 primaryCluster: ready');
    } finally {
      engine.dispose();
    }
  });

  it('knows no role that the process does not have', async () => {
    expect(await ask('/readyz?role=federator')).toBe('404 this process has no such role');
  });

  it('reports activities and the store', async () => {
    const none = { count: 0, examples: [] };
    const passedOver = { unreadable: { ...none, count: 3 }, links: none };
    const result = {
      uploaded: 2,
      unchanged: 5,
      pulled: 0,
      incomplete: none,
      refused: { ...none, count: 1 },
      ...passedOver,
    };
    const run = { activity: 'pushLocalEtl', seconds: 0.1 };
    metrics.activityRan({ ...run, outcome: 'ok', result });
    metrics.activityRan({ ...run, outcome: 'STORAGE_UNAVAILABLE' });
    metrics.storageCalled({ verb: 'put', key: 'k', outcome: 'ok', ms: 20, bytes: 300 });
    metrics.federationEnded('partial');
    metrics.federationsEndedAt(
      new Map([
        ['failed', 5_000],
        ['nothing', 4_000],
        ['complete', 3_000],
      ]),
    );
    metrics.federationsEndedAt(new Map([['failed', 6_000]]));
    const text = await ask('/metrics');
    expect(text).toContain('federated_etl_push_files{state="refused"} 1');
    expect(text).toContain('federated_etl_push_passed_over{kind="unreadable"} 3');
    expect(text).toContain(
      'federated_etl_activity_seconds_count{activity="pushLocalEtl",outcome="STORAGE_UNAVAILABLE"} 1',
    );
    expect(text).toMatch(
      /federated_etl_activity_last_success_timestamp_seconds\{activity="pushLocalEtl"\} \d+/,
    );
    expect(text).toContain('federated_etl_storage_bytes_total{verb="put"} 300');
    expect(text).toContain('federated_etl_federations_total{outcome="partial"} 1');
    expect(text).toContain('federated_etl_last_federation_timestamp_seconds{outcome="failed"} 6');
    expect(text).toContain('federated_etl_last_successful_federation_timestamp_seconds 4');
    expect(text).toContain('process_cpu_seconds_total');
    const build = `version="${programVersion()}",node="${process.versions.node}"`;
    expect(text).toContain(`federated_etl_build_info{${build}} 1`);
    expect(text).toContain('federated_etl_role_ready{role="primaryCluster"} 0');
    expect(text).toMatch(/federated_etl_role_since_timestamp_seconds\{role="federatedCluster"\} \d+/);
    // This metric is missing, because nothing in this process has set it.
    expect(text).not.toMatch(/^federated_etl_generation /m);
  });

  it('names the setting if its address is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(startHealth(`127.0.0.1:${port}`, readiness, registry)).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      detail: `127.0.0.1:${port} is taken by another program.`,
      hint: 'Set health.listen to a free address and port.',
    });
    other.close();
  });
});
