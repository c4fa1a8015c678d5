import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { registerMetrics } from '../../api/metrics';
import type { Answers } from '../../query/answers';
import { Readiness } from '../../workers/health';
import { registerRoleMetrics } from '../../workers/metrics';
import { registerQueryMetrics } from '../../workers/query-metrics';

const page = readFileSync(join(__dirname, '../../docs/reference/metrics.md'), 'utf8');

describe('docs/reference/metrics.md', () => {
  it('has every metric with its kind and labels, and no other', async () => {
    const registry = new Registry();
    registerRoleMetrics(
      registry,
      new Readiness({ federatedCluster: true, federator: true, primaryCluster: true }),
    );
    registerMetrics(registry, {} as Answers, () => 0);
    registerQueryMetrics(registry, { load: () => ({ running: 0, waiting: 0 }) }, '');
    const own = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('federated_etl_'));
    const registered = own.map((metric) => {
      const { name, type, labelNames } = metric as unknown as {
        name: string;
        type: string;
        labelNames: string[];
      };
      return `${name} ${type} ${labelNames.join(' ')}`.trim();
    });
    const rows = [...page.matchAll(/^\| `(federated_etl_\w+)` +\| (\w+) +\| ([^|]*)\|/gm)].map(
      ([, name, kind, labels]) =>
        `${name} ${kind} ${[...(labels ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label).join(' ')}`.trim(),
    );
    expect(rows.sort()).toEqual(registered.sort());
  });

  it('alerts on metrics that there are', () => {
    const alerts = page.slice(page.indexOf('## What to alert on'));
    const named = [...alerts.matchAll(/federated_etl_\w+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect(page).toContain(`| \`${name}\``);
  });
});
