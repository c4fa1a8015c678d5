import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describeWithHelm } from '../servers/helm';
import { scratchFolder, write } from '../set-up/scratch';
import { HelmError, type KubernetesObject, lintChart, readManifests, renderChart } from './helm';

const sample = path.join(__dirname, 'sample-chart');
const scratch = scratchFolder();

const kinds = (objects: readonly KubernetesObject[]): string[] => objects.map(({ kind }) => kind);
const find = (objects: readonly KubernetesObject[], kind: string): KubernetesObject | undefined =>
  objects.find((object) => object.kind === kind);

describeWithHelm('rendering a chart', () => {
  test('returns its objects, its hooks and its notes', async () => {
    const { objects, notes } = await renderChart(sample, { release: 'mine', namespace: 'costs' });
    expect(kinds(objects)).toEqual(['ConfigMap', 'Deployment', 'Pod']);
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['mine', 'mine', 'mine-test']);
    expect(find(objects, 'Deployment')?.metadata.namespace).toBe('costs');
    expect(notes).toBe('sample 0.1.0 is installed in costs.\n');
  });

  test('takes values from files, from the test and by path, the last one first', async () => {
    const file = write(path.join(scratch(), 'values.yaml'), 'replicas: 2\nimage: { tag: a }\n');
    const replicas = async (options: object): Promise<unknown> =>
      find((await renderChart(sample, { valuesFiles: [file], ...options })).objects, 'Deployment')?.['spec'];
    expect(await replicas({})).toMatchObject({ replicas: 2 });
    expect(await replicas({ values: { replicas: 3 } })).toMatchObject({ replicas: 3 });
    const text = 'with, commas=and "quotes"';
    const set = { replicas: 4, podAnnotations: { text }, 'image.repository': 'other' };
    expect(await replicas({ values: { replicas: 3 }, set })).toMatchObject({
      replicas: 4,
      template: { metadata: { annotations: { text } }, spec: { containers: [{ image: 'other:a' }] } },
    });
  });

  test('can be an upgrade, and uses the given cluster version and APIs', async () => {
    const { objects, notes } = await renderChart(sample, {
      isUpgrade: true,
      kubeVersion: '1.29.3',
      apiVersions: ['monitoring.coreos.com/v1'],
      set: { 'monitor.enabled': true },
    });
    expect(find(objects, 'ConfigMap')).toMatchObject({ data: { first: 'upgraded' } });
    expect(find(objects, 'Deployment')?.metadata.labels?.['app.kubernetes.io/version']).toBe('v1.29.3');
    expect(kinds(objects)).toContain('ServiceMonitor');
    expect(notes).toContain('upgraded');
  });

  test("fails with Helm's own message", async () => {
    const wrongType = renderChart(sample, { set: { replicas: 'two' } });
    await expect(wrongType).rejects.toThrow(HelmError);
    await expect(wrongType).rejects.toThrow(/replicas.*got string, want integer/s);
    await expect(renderChart(sample, { set: { 'image.repository': '' } })).rejects.toThrow(
      'image.repository is empty. Name the image.',
    );
    await expect(renderChart(path.join(scratch(), 'none'))).rejects.toThrow('none');
  });

  test("ignores the user's own settings, and leaves nothing behind", async () => {
    const before = { ...process.env };
    const theirs = {
      HELM_NAMESPACE: 'theirs',
      HELM_DEBUG: 'true',
      HELM_PLUGINS: '/theirs',
      TMPDIR: scratch(),
    };
    try {
      Object.assign(process.env, theirs);
      const { objects } = await renderChart(sample);
      expect(find(objects, 'Deployment')?.metadata.namespace).toBe('test-namespace');
    } finally {
      process.env = before;
    }
    expect(readdirSync(scratch())).toEqual([]);
  });
});

describeWithHelm('linting a chart', () => {
  test('has no findings for the sample', async () => {
    expect(await lintChart(sample)).toEqual({ errors: [], warnings: [], hints: [] });
  });

  test('reports mistakes', async () => {
    const { errors } = await lintChart(sample, { values: { replicas: 'two' } });
    expect(errors.join('\n')).toContain('replicas');
  });
});

describe('reading manifests', () => {
  test("follows Kubernetes' parser: YAML 1.1, but without its timestamps", () => {
    const text = 'a: 0440\nb: on\nc: 12:30\nd: 2026-01-02\ne: 1e3\n---\n# nothing\n---\nf: "on"\n';
    expect(readManifests(text)).toEqual([
      { a: 288, b: true, c: '12:30', d: '2026-01-02', e: 1000 },
      { f: 'on' },
    ]);
  });

  test('refuses a duplicate key', () => {
    expect(() => readManifests('a: 1\n---\na: 1\na: 2\n')).toThrow(/document 2.*unique/);
  });
});
