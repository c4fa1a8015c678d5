import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { long } from '../etl/run-counts';
import { describeWith } from '../servers/describe-with';
import { describeWithHelm } from '../servers/helm';
import { missing, promtoolPath } from '../servers/paths';
import { renderChart } from './helm';

const run = promisify(execFile);
const situations = (every: string) => path.join(__dirname, `alerts/every-${every}.yaml`);

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
}

interface Situations {
  readonly tests: readonly {
    readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
  }[];
}

/**
 * Returns the alert rules of a Helm release with all roles. `runEvery` is the interval of federations; `otherwise` is
 * the interval of pushes and pulls.
 */
async function rulesFor(runEvery: string, otherwise: string): Promise<Rules> {
  const { objects } = await renderChart(path.join(__dirname, '../../chart'), {
    namespace: 'kubecost',
    values: {
      clusterId: 'cluster-1',
      federatedETL: {
        federatedCluster: true,
        primaryCluster: true,
        federator: { enabled: true, runEvery },
      },
      kubecostModel: { federatedStorageConfigSecret: 'federated-store' },
      localEtl: { volume: { existingClaim: 'etl' }, rescanEvery: otherwise, pullEvery: otherwise },
      temporal: { address: 'temporal:7233' },
      export: { enabled: true },
      metrics: { rules: { enabled: true } },
    },
  });
  return objects.find(({ kind }) => kind === 'PrometheusRule')?.['spec'] as Rules;
}

describeWithHelm('the situations in which alerts fire', () => {
  it('have each alert of the chart, and no other', async () => {
    const { tests } = parse(await readFile(situations('30m'), 'utf8')) as Situations;
    const fired = tests.flatMap(({ promql_expr_test: moments }) =>
      moments.flatMap(({ exp_samples }) => exp_samples.map(({ labels }) => labels)),
    );
    const { groups } = await rulesFor('30m', '5m');
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => `{alertname="${alert}"}`));
    expect([...new Set(fired)].sort()).toEqual([...new Set(alerts)].sort());
  });
});

/** Building promtool takes minutes, so these suites run only in the long form of the tests. */
const describeWithPromtool = (name: string, suite: () => void) =>
  long
    ? describeWith(missing('promtoolMissing') ?? missing('helmMissing'), name, suite)
    : describe.skip(name, suite);

describeWithPromtool('the alerts of the chart', () => {
  it.each([
    ['30m', '5m'],
    ['6h', '6h'],
  ])('fire when they should, and only then, with federations every %s', async (every, otherwise) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-alerts-'));
    try {
      await writeFile(path.join(folder, 'rules.yaml'), stringify(await rulesFor(every, otherwise)));
      await copyFile(situations(every), path.join(folder, 'situations.yaml'));
      const { stdout } = await run(promtoolPath(), ['test', 'rules', 'situations.yaml'], {
        cwd: folder,
      }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => ({
        stdout: `${stdout}${stderr}`,
      }));
      expect(stdout.trim()).toMatch(/SUCCESS$/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
