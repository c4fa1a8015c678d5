import { Runtime, Worker } from '@temporalio/worker';
import { Registry } from 'prom-client';
import { silentLog } from '../../config/log';
import { Readiness, startHealth } from '../../workers/health';
import { registerRoleMetrics } from '../../workers/metrics';
import { ensureRuntime, sdkMetrics } from '../../workers/runtime';
import { connectToTestServer, describeWithTemporal } from '../servers/temporal';
import { until } from '../until';

describeWithTemporal('the metrics of the SDK', () => {
  it('follow our own, each with one header and a unit, and are absent while the SDK does not run', async () => {
    expect(await sdkMetrics()).toBe('');
    await Promise.all([ensureRuntime(silentLog), ensureRuntime(silentLog)]);
    const server = await connectToTestServer();
    const readiness = new Readiness({ federatedCluster: true, federator: true, primaryCluster: true });
    const registry = new Registry();
    registerRoleMetrics(registry, readiness);
    const health = await startHealth('127.0.0.1:0', readiness, registry, sdkMetrics);
    try {
      const { nativeConnection: connection } = server;
      const namespace = await server.createNamespace();
      const activities = { rest: () => undefined };
      const worker = await Worker.create({ connection, namespace, taskQueue: 'measured', activities });
      const page = await worker.runUntil(
        until('the worker in the metrics', async () => {
          const answer = await fetch(`${health.url}/metrics`);
          expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
          const text = await answer.text();
          return /temporal_worker_task_slots_available\{.*task_queue="measured".*\} \d+\n/.test(text) && text;
        }),
      );
      const headers = [...page.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, kind]) => ({ name, kind }));
      const names = headers.map(({ name }) => name);
      expect(names).toContain('federated_etl_build_info');
      expect(names).toContain('temporal_num_pollers');
      expect(names).toContain('temporal_request_latency_seconds');
      expect(new Set(names).size).toBe(names.length);
      const own = headers.filter(({ name }) => name?.startsWith('temporal_'));
      for (const { name, kind } of own) if (kind === 'counter') expect(name).toMatch(/_total$/);
      expect(page.endsWith('\n')).toBe(true);
    } finally {
      await server.close();
      await health.close();
    }
    // When no connections and workers remain, the SDK ends its runtime, which also ends its metrics.
    await until('the end of the runtime', () => Runtime._instance === undefined);
    expect(await sdkMetrics()).toBe('');
  });
});
