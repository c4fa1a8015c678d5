import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { layOutClusters } from '../../scripts/demo/clusters';
import { goldenDay } from '../../scripts/demo/example-days';
import { federationPhases } from '../../workflows/messages';
import { runs } from '../etl/run-counts';
import { temporalCliPath } from '../servers/paths';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';

const root = path.join(__dirname, '..', '..');
const costs = {
  'cluster-2': 1894.21,
  'cluster-3': 461.74,
  'cluster-4': 150.14,
  'cluster-5': 79.03,
  'cluster-1': 60.43,
};
const printed = Object.entries(costs).map(
  ([cluster, cost]) => `  ${cluster}  ${cost.toFixed(2).padStart(8)} USD`,
);

/** Runs `federated-etl demo` as a user would. The demo starts its own Temporal server. */
describeWithTemporal('the five-cluster example', () => {
  let dir: string;
  let running: ChildProcess | undefined;
  let out = '';

  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-demo-'));
  });

  afterEach(async () => {
    if (running !== undefined) await end(running);
    // On a busy machine, the demo kills a cluster that does not stop in time. The killed process may write for a moment
    // longer, so retry the removal.
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  });

  function start(...options: string[]): ChildProcess {
    const program = path.join(root, 'scripts', 'federated-etl.cjs');
    const child = spawn(process.execPath, [program, 'demo', '--dir', dir, ...options], {
      env: { ...process.env, TEMPORAL_CLI: temporalCliPath(), TEMPORAL_ADDRESS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (out += text));
    running = child;
    return child;
  }

  const limits = (child: ChildProcess) => ({ process: child, output: () => out });
  const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

  async function ended(child: ChildProcess): Promise<number | null> {
    if (!hasEnded(child)) await once(child, 'close');
    return child.exitCode;
  }

  async function end(child: ChildProcess): Promise<number | null> {
    if (!hasEnded(child)) child.kill('SIGINT');
    return ended(child);
  }

  test('ends yesterday: a query for 7d returns its costs, as the README shows them', async () => {
    const child = start();
    await until('the example runs', () => out.includes('It runs until Ctrl-C'), limits(child));
    expect(out).toContain(printed.join('\n'));
    const [, api = ''] = /GET (http:\S+?)\/model/.exec(out) ?? [];
    const answer = await fetch(`${api}/model/allocation?window=7d&aggregate=cluster&accumulate=true`);
    const { data } = (await answer.json()) as { data: Record<string, { totalCost: number }>[] };
    const [set = {}] = data;
    for (const [cluster, cost] of Object.entries(costs)) expect(set[cluster]?.totalCost).toBeCloseTo(cost, 2);
    const [page] = /http:\S+\/\?window=\S+/.exec(out) ?? [];
    const [window] = /window=[^&\s]+/.exec(out) ?? [];
    expect(page).toBe(`${api}/?${window}`);
    const readme = await readFile(path.join(root, 'README.md'), 'utf8');
    const [, shown = ''] =
      /<!-- demo-output:start -->\s+```\n([^]*)```\s+<!-- demo-output:end -->/.exec(readme) ?? [];
    expect(stepsOf(out)).toEqual(stepsOf(shown));
    expect(await end(child)).toBe(0);
  });

  test('from an earlier day is left unchanged, and reported', async () => {
    await layOutClusters(dir, {
      lastDay: goldenDay,
      temporal: { address: '127.0.0.1:1', namespace: 'default' },
      store: {},
    });
    const child = start('--once');
    const report = [
      '  days      2026-11-14 to 2026-11-16',
      '  These days are from an earlier start.',
      `  For the days up to yesterday, delete ${dir} or name another folder with --dir.`,
    ].join('\n');
    await until('the example reports it', () => out.includes(report), limits(child));
    if (runs(true, false)) {
      // Quick runs stop here, because the rest of the example takes as long as in the test above. At most the first
      // cluster has been started.
      expect(await end(child)).not.toBe(0);
      expect(out.match(/runs as process/g) ?? []).toHaveLength(1);
      return;
    }
    await ended(child);
    expect(out).toContain('window=2026-11-14T00:00:00Z,2026-11-17T00:00:00Z&');
    expect(out).toContain(printed.join('\n'));
    expect(child.exitCode).toBe(0);
  });

  /**
   * Returns the output of steps 2 to 7 of the demo. Removes everything that differs from run to run: times, ports,
   * process ids, the demo's folder, the observed phases of federation runs, and the order in which processes started.
   */
  function stepsOf(text: string): string[][] {
    const all = text
      .split('\n\n')
      .slice(0, 7 + 1)
      .map((step) => step.trim().split('\n'));
    const wanted = all.filter(([title = '']) => /^[2-7]\. /.test(title));
    return wanted.map((lines) =>
      lines
        .filter((line) => !federationPhases.some((phase) => isProgress(line, phase)))
        .map((line) =>
          line
            .replaceAll(/\d{4}-\d\d-\d\d(T\d\d[:-]\d\d[:-]\d\d(-\d{3})?Z)?/g, 'TIME')
            .replace(/process \d+/, 'process PID')
            .replace(/127\.0\.0\.1:\d+/, 'HOST')
            .replace(dir, '.federated-etl/demo'),
        )
        .sort(),
    );
  }

  /** Returns whether an output line reports the given phase of a run. Which phases are reported depends on timing. */
  function isProgress(line: string, phase: string): boolean {
    return line === `  Federator ${phase}` || line.startsWith(`  Federator ${phase}: `);
  }
});
