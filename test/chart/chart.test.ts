import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { loadSettings, requireRole, type Settings } from '../../config/settings';
import { runs } from '../etl/run-counts';
import { describeWithHelm } from '../servers/helm';
import { type Listening, listenOnLoopback } from '../storage/loopback';
import { findInconsistencies } from './consistency';
import { expectGolden } from './golden';
import { HelmError, type KubernetesObject, lintChart, renderChart, type RenderOptions } from './helm';
import { type LaidOut, layOut } from './on-this-machine';
import { containersOf, fields, list, podsOf } from './pods';
import { validateObjects } from './validate';

const chart = path.join(__dirname, '../../chart');
const examplesFolder = path.join(chart, 'examples');
const examples = readdirSync(examplesFolder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''));
const fileOf = (example: string) => path.join(examplesFolder, `${example}.yaml`);
const namespace = 'kubecost';

const render = (options: RenderOptions) => renderChart(chart, { release: 'fe', namespace, ...options });

/** Objects that exist before the release is installed. The chart refers to them but does not create them. */
const existing = [
  'Secret/federated-store',
  'Secret/etl-backup',
  'Secret/federated-etl-token',
  'Secret/temporal-cloud',
  'Secret/temporal-client',
  'Secret/temporal-ca',
  'Secret/costs-tls',
  'ConfigMap/company-ca',
  'PersistentVolumeClaim/kubecost-cost-analyzer',
  'PersistentVolumeClaim/opencost-etl',
];

/** Returns the paths of all values, such as `query.replicas`, and of all maps that contain values, such as `query`. */
function pathsOf(values: object, prefix = ''): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const own = `${prefix}${key}`;
    const within = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
    return [own, ...pathsOf(within as object, `${own}.`)];
  });
}

function leafOf(values: object, at: string): unknown {
  return at
    .split('.')
    .reduce<unknown>((map, key) => (map as Record<string, unknown> | undefined)?.[key], values);
}

/** An alert rule of the chart, in the form that Prometheus reads. */
interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

/** The values that every release needs. Each test adds others. */
const minimal = {
  clusterId: 'cluster-1',
  federatedETL: { federatedCluster: true },
  kubecostModel: { federatedStorageConfigSecret: 'federated-store' },
  localEtl: { volume: { existingClaim: 'kubecost-cost-analyzer' } },
  temporal: { address: 'temporal:7233' },
};
const primary = { ...minimal, federatedETL: { primaryCluster: true }, localEtl: {} };

describeWithHelm('the chart', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-chart-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Returns the settings of each process of a release. Loads them with the program's own code. */
  async function settingsOf(
    objects: readonly KubernetesObject[],
  ): Promise<Record<string, Settings & LaidOut>> {
    const store = 'type: FILESYSTEM\nconfig: {directory: /bucket}\n';
    const surroundings = {
      secrets: {
        'federated-store': { 'federated-store.yaml': store },
        'etl-backup': { 'object-store.yaml': store },
        'federated-etl-token': { token: 'an-operator-token' },
        'read-tokens': { grafana: 'a-read-token\n' },
        'temporal-cloud': { 'api-key': 'an-api-key' },
        'codec-token': { token: 'a-codec-token' },
        'temporal-client': { 'tls.crt': 'a certificate', 'tls.key': 'a key' },
        'temporal-ca': { 'ca.crt': 'an authority' },
        'temporal-keys': {
          'encryption-keys.yaml': `keys: [{ id: '1', key: '${Buffer.alloc(32, 7).toString('base64')}' }]`,
        },
      },
    };
    const settings: Record<string, Settings & LaidOut> = {};
    for (const { owner, spec } of objects.flatMap(podsOf)) {
      const component = owner.metadata.labels?.['app.kubernetes.io/component'] ?? '';
      if (owner.kind !== 'Deployment') continue;
      const laidOut = await layOut(spec, objects, surroundings, await mkdtemp(path.join(folder, 'pod-')));
      const loaded = loadSettings({ env: { ...laidOut.env }, cwd: folder });
      requireRole(loaded);
      settings[component] = { ...laidOut, ...loaded };
    }
    return settings;
  }

  describe.each(examples)('example %s', (example) => {
    let objects: readonly KubernetesObject[];

    beforeAll(async () => {
      ({ objects } = await render({ valuesFiles: [fileOf(example)] }));
    });

    it('passes lint', async () => {
      expect(await lintChart(chart, { valuesFiles: [fileOf(example)] })).toMatchObject({
        errors: [],
        warnings: [],
      });
    });

    it('renders objects that the Kubernetes API accepts', () => {
      expect(validateObjects(objects)).toEqual({ problems: [], passedOver: [] });
    });

    it('renders consistent objects', () => {
      expect(findInconsistencies(objects, { namespace, existing })).toEqual([]);
    });

    it('renders as approved', () => expectGolden(example.replace('/', '-'), objects));

    it('gives each process settings that it accepts', async () => {
      const { objects: without } = await render({
        valuesFiles: [fileOf(example)],
        // Disable the CA bundle, because its volume needs a ConfigMap that is not in the release.
        set: { 'pods.caBundle.configMap': '' },
      });
      const settings = await settingsOf(without);
      const values = parse(await readFile(fileOf(example), 'utf8')) as typeof minimal & {
        kubecostProductConfigs?: { clusterName: string };
        federatedETL: { federator?: { enabled: boolean }; primaryCluster?: boolean };
        localEtl: { sidecar?: object };
      };
      const { federator, federatedCluster, primaryCluster } = values.federatedETL;
      const hasCluster = values.localEtl.sidecar === undefined;
      expect(Object.keys(settings).sort()).toEqual([
        ...(hasCluster ? ['cluster'] : []),
        ...(federator === undefined ? [] : ['federator']),
      ]);
      for (const [component, { clusterId, roles, notices, args }] of Object.entries(settings)) {
        expect(clusterId).toBe(values.clusterId ?? values.kubecostProductConfigs?.clusterName);
        expect(args).toEqual(['run']);
        expect(notices).toEqual([]);
        expect(roles).toEqual(
          component === 'federator'
            ? { federatedCluster: false, federator: true, primaryCluster: false }
            : {
                federatedCluster: federatedCluster === true,
                federator: false,
                primaryCluster: primaryCluster === true,
              },
        );
      }
    });
  });

  it('has an approved rendering for each example, and no others', async () => {
    const golden = await readdir(path.join(__dirname, 'golden'));
    expect(golden.sort()).toEqual(examples.map((example) => `${example.replace('/', '-')}.yaml`).sort());
  });

  describe('settings', () => {
    it('match the values', async () => {
      const { objects } = await render({
        values: {
          clusterId: 'c-9',
          federatedETL: {
            primaryCluster: true,
            federator: {
              enabled: true,
              clusters: ['a'],
              clustersMode: 'include',
              federationCutoffDate: '2026-01-01T00:00:00Z',
              firstRunAfter: '1m',
              runEvery: '10m',
              generations: 3,
              retention: { '1h': '49h' },
            },
          },
          kubecostModel: { federatedStorageConfig: { type: 'FILESYSTEM', config: { directory: '/b' } } },
          localEtl: {
            path: '/etl/db',
            pullPath: '/etl/pulled',
            backupPath: '/etl/saved',
            volume: { mountPath: '/etl' },
          },
          temporal: {
            address: 'cloud.example:7233',
            namespace: 'costs',
            idPrefix: 'x-',
            uiUrl: 'https://ui.example',
            apiKey: { secret: 'temporal-cloud' },
            env: { TEMPORAL_GRPC_META_TEAM: 'costs' },
          },
          api: {
            token: { secret: 'federated-etl-token' },
            readTokens: { secret: 'read-tokens' },
            origins: ['https://grafana.example'],
            hosts: ['lb.example'],
            currency: 'EUR',
            utcOffset: '+02:00',
            assets: 'opencost',
            aliases: { team: 'squad' },
            limits: { seconds: 5 },
          },
          query: { memory: '1GB', threads: 4, volume: { size: '10Gi' } },
          export: { enabled: true, format: 'csv' },
          log: { level: 'debug', format: 'pretty' },
        },
      });
      const { cluster, federator } = await settingsOf(objects);
      expect(cluster).toMatchObject({
        clusterId: 'c-9',
        localEtl: {
          path: cluster?.place('/etl/db'),
          pullPath: cluster?.place('/etl/pulled'),
          backupPath: cluster?.place('/etl/saved'),
        },
        api: {
          listen: ':9003',
          token: 'an-operator-token',
          readTokens: [{ name: 'grafana', token: 'a-read-token' }],
          openRead: false,
          origins: ['https://grafana.example'],
          hosts: ['lb.example'],
          currency: 'EUR',
          utcOffsetSeconds: 7_200,
          assets: 'opencost',
          aliases: { team: 'squad', owner: 'owner' },
          limits: { seconds: 5, rows: 200_000 },
        },
        query: { path: cluster?.place('/var/lib/federated-etl/query'), memory: '1GB', threads: 4 },
        export: { enabled: true, format: 'csv' },
        health: { listen: ':9004' },
        log: { level: 'debug', format: 'pretty' },
        temporal: { address: 'cloud.example:7233', namespace: 'costs', idPrefix: 'x-' },
        temporalUi: 'https://ui.example',
        storage: { existing: false },
      });
      expect(cluster?.temporal.connection).toMatchObject({
        apiKey: 'an-api-key',
        metadata: { team: 'costs' },
      });
      expect(federator?.federator).toMatchObject({
        scope: { include: ['a'], retention: { '1h': 176_400 } },
        firstRunAfterMs: 60_000,
        runEveryMs: 600_000,
        generations: 3,
      });
      // The federator does not need the operator token, so its pod must not receive the token.
      expect(Object.keys(federator?.env ?? {})).not.toContain('FEDERATED_ETL_API_TOKEN');
    });

    it('have TLS with certificates and encryption with keys from secrets', async () => {
      const { objects } = await render({
        values: {
          ...minimal,
          temporal: {
            ...minimal.temporal,
            encryptionKeys: { secret: 'temporal-keys' },
            tls: { serverName: 'temporal.example', clientSecret: 'temporal-client', caSecret: 'temporal-ca' },
          },
        },
      });
      const { cluster } = await settingsOf(objects);
      expect(cluster?.temporal.connection).toMatchObject({
        tls: {
          serverNameOverride: 'temporal.example',
          clientCertPair: { crt: Buffer.from('a certificate'), key: Buffer.from('a key') },
          serverRootCACertificate: Buffer.from('an authority'),
        },
      });
      expect(cluster?.temporal.encryptionKeys).toEqual([{ id: '1', key: Buffer.alloc(32, 7) }]);
    });

    it('have a codec endpoint in each process, within its pod', async () => {
      const codec = { secret: 'codec-token', origins: ['https://ui.example'] };
      const temporal = { ...minimal.temporal, encryptionKeys: { secret: 'temporal-keys' }, codec };
      const federatedETL = { federatedCluster: true, federator: { enabled: true } };
      const { objects } = await render({ values: { ...minimal, federatedETL, temporal } });
      const settings = Object.values(await settingsOf(objects));
      expect(settings).toHaveLength(2);
      for (const one of settings) {
        expect(one.codec).toEqual({
          listen: '127.0.0.1:9005',
          token: 'a-codec-token',
          origins: codec.origins,
        });
      }
      for (const one of objects.filter(({ kind }) => kind === 'ConfigMap'))
        expect(JSON.stringify(one)).not.toContain('a-codec-token');
    });

    it('name the secret if its file is missing', async () => {
      const { objects } = await render({ values: minimal });
      const [pod] = objects.filter(({ kind }) => kind === 'Deployment').flatMap(podsOf);
      const secrets = { 'federated-store': { 'another.yaml': '' } };
      const { env } = await layOut(
        pod?.spec ?? {},
        objects,
        { secrets },
        await mkdtemp(path.join(folder, 'pod-')),
      );
      // The error contains a path. In this test, it is the path of a local folder. In a real pod, it would be the mount
      // path that is checked here.
      const [container] = fields(pod?.spec)['containers'] as { volumeMounts: { mountPath: string }[] }[];
      expect(container?.volumeMounts.map(({ mountPath }) => mountPath)).toContain(
        '/etc/federated-etl/secrets/federated-store',
      );
      expect(() => loadSettings({ env: { ...env }, cwd: folder })).toThrow(
        /there is no file \S+\/federated-store\.yaml/,
      );
    });
  });

  describe('values of Kubecost', () => {
    const valuesFiles = [path.join(__dirname, 'kubecost-values.yaml')];
    const values = {
      temporal: { address: 'temporal:7233' },
      localEtl: { volume: { existingClaim: 'kubecost-cost-analyzer' } },
    };

    it('are accepted unchanged', async () => {
      const { objects } = await render({ valuesFiles, values });
      const { cluster, federator } = await settingsOf(objects);
      expect(cluster).toMatchObject({ clusterId: 'cluster-4', roles: { federatedCluster: true } });
      expect(federator?.federator.scope).toMatchObject({ cutoff: expect.anything() });
      const kinds = objects.map(({ kind }) => kind);
      // The values configure Kubecost's ingress and service. This must not make the chart create an ingress or a
      // service for the primary.
      expect(kinds).not.toContain('Ingress');
      expect(kinds).not.toContain('Service');
      const deployments = objects.filter(({ kind }) => kind === 'Deployment');
      expect(deployments.find(({ metadata }) => metadata.name.endsWith('-federator'))).toMatchObject({
        spec: { template: { spec: { nodeSelector: { pool: 'costs' }, priorityClassName: 'costs' } } },
      });
      expect(validateObjects(objects).problems).toEqual([]);
    });

    it('are reported if they are skipped, ignored or unused', async () => {
      const { notes } = await render({ valuesFiles, values });
      expect(notes).toContain('cluster cluster-4');
      expect(notes).toContain('federated-store.yaml in the secret federated-store');
      expect(notes).toContain(
        'etl-backup (kubecostModel.etlBucketConfigSecret) is not used: federatedETL.useExistingS3Config is not set.',
      );
      expect(notes).toContain(
        "federatedETL.redirectS3Backup: backups of Federated ETL never share a path with Kubecost's.",
      );
      expect(notes).toContain('federatedETL.federator.primaryClusterID: the Federator never overwrites');
      expect(notes).toContain(
        'These keys are not ours: ingress, kubecostToken, networkCosts, nodeSelector, persistentVolume, service, serviceAccount.',
      );
    });

    it('replace the storage only through useExistingS3Config, with the warning from the guide', async () => {
      const swapped = { ...values, federatedETL: { useExistingS3Config: true } };
      const { objects, notes } = await render({ valuesFiles, values: swapped });
      const { cluster } = await settingsOf(objects);
      expect(cluster?.storage).toMatchObject({ existing: true });
      expect(cluster?.storage.file).toMatch(/\/object-store\.yaml$/);
      expect(notes).toContain('object-store.yaml in the secret etl-backup');
      expect(notes).toContain('is not used');
      expect(notes).toMatch(/on one\s+cluster at most/);
    });

    it('name the cluster in the program’s order of precedence, with a note if they differ', async () => {
      const ids = {
        global: { clusterId: 'of-global' },
        prometheus: { server: { global: { external_labels: { cluster_id: 'of-prometheus' } } } },
        kubecostProductConfigs: { clusterName: 'of-product' },
      };
      const { clusterId: _, ...rest } = minimal;
      const { objects, notes } = await render({ values: { ...rest, ...ids } });
      expect((await settingsOf(objects))['cluster']?.clusterId).toBe('of-global');
      expect(notes).toContain(
        'global.clusterId is of-global, but kubecostProductConfigs.clusterName is of-product. The cluster id is of-global.',
      );
    });
  });

  describe('refuses', () => {
    const refused: [string, object, string | RegExp][] = [
      [
        'no role',
        { ...minimal, federatedETL: {} },
        /^.*This cluster has no role: set federatedETL\.federatedCluster, federatedETL\.federator\.enabled or federatedETL\.primaryCluster/,
      ],
      [
        'no cluster id',
        { ...minimal, clusterId: '' },
        'There is no cluster id: set clusterId (or kubecostProductConfigs.clusterName)',
      ],
      [
        'the id combined',
        { ...minimal, clusterId: 'combined' },
        'The cluster id cannot be combined: federated/combined is where the Federator writes.',
      ],
      [
        'an id that is not a folder name',
        { ...minimal, clusterId: 'eu/1' },
        'The cluster id "eu/1" cannot be a folder',
      ],
      ...['eu.', '.tmp-eu', '__proto__', 'x'.repeat(241)].map((id): [string, object, string] => [
        `an id that no store can hold: ${id.slice(0, 10)}`,
        { ...minimal, clusterId: id },
        `The cluster id "${id}" cannot be a folder: clusterId takes 1 to 240 bytes`,
      ]),
      [
        'a role without storage',
        { ...minimal, kubecostModel: {} },
        'No role works without storage: set kubecostModel.federatedStorageConfigSecret',
      ],
      [
        'only the secret of the backup',
        { ...minimal, kubecostModel: { etlBucketConfigSecret: 'etl-backup' } },
        '(kubecostModel.etlBucketConfigSecret is only used with federatedETL.useExistingS3Config)',
      ],
      [
        'useExistingS3Config without its secret',
        { ...minimal, federatedETL: { federatedCluster: true, useExistingS3Config: true } },
        'federatedETL.useExistingS3Config is set, but kubecostModel.etlBucketConfigSecret is not',
      ],
      [
        'two configurations of one bucket',
        {
          ...minimal,
          kubecostModel: { federatedStorageConfigSecret: 'a', federatedStorageConfig: 'type: S3' },
        },
        'kubecostModel.federatedStorageConfig and kubecostModel.federatedStorageConfigSecret are both set',
      ],
      [
        'a bare list of clusters',
        { ...minimal, federatedETL: { federator: { enabled: true, clusters: ['a'] } } },
        'federatedETL.federator.clusters is ambiguous',
      ],
      [
        'a cluster both included and excluded',
        {
          ...minimal,
          federatedETL: { federator: { enabled: true, includeClusters: ['a', 'b'], excludeClusters: ['b'] } },
        },
        'The cluster b is in federatedETL.federator.includeClusters and in federatedETL.federator.excludeClusters',
      ],
      [
        'no Temporal server',
        { ...minimal, temporal: {} },
        'There is no Temporal server: set temporal.address',
      ],
      [
        'a codec endpoint without keys',
        { ...minimal, temporal: { address: 'a:1', codec: { secret: 'a' } } },
        'temporal.codec.secret is set, but temporal.encryptionKeys.secret is not',
      ],
      [
        'origins of no codec endpoint',
        { ...minimal, temporal: { address: 'a:1', codec: { origins: ['https://a'] } } },
        'temporal.codec.origins is set, but temporal.codec.secret is not',
      ],
      [
        'two Temporal servers',
        { ...minimal, temporal: { address: 'a:1', devServer: { enabled: true } } },
        'temporal.address and temporal.devServer.enabled are both set',
      ],
      [
        'a Federated Cluster without a volume',
        { ...minimal, localEtl: {} },
        'A Federated Cluster pushes what its cost-model builds: set localEtl.volume.existingClaim',
      ],
      [
        'two volumes',
        { ...minimal, localEtl: { volume: { existingClaim: 'a', source: { emptyDir: {} } } } },
        'localEtl.volume.existingClaim and localEtl.volume.source are both set',
      ],
      [
        'a primary as a sidecar',
        { ...primary, localEtl: { sidecar: { enabled: true } } },
        'localEtl.sidecar.enabled is for a cluster that is federated only',
      ],
      [
        'a primary open to everyone through an ingress',
        { ...primary, api: { ingress: { enabled: true, host: 'costs.example' } } },
        'api.ingress.enabled makes the costs of all clusters readable from outside: set api.token.secret or api.readTokens.secret, or say api.openRead.',
      ],
      [
        'a primary open to everyone through a load balancer',
        { ...primary, api: { service: { type: 'LoadBalancer' } } },
        'api.service.type LoadBalancer makes the costs of all clusters readable from outside',
      ],
      [
        'an ingress without a primary',
        { ...minimal, api: { openRead: true, ingress: { enabled: true, host: 'costs.example' } } },
        'api.ingress.enabled serves the API, which only a primary has',
      ],
      [
        'an ingress without a host',
        { ...primary, api: { openRead: true, ingress: { enabled: true } } },
        'api.ingress.enabled is set, but api.ingress.host is not.',
      ],
      [
        'two CA bundles',
        { ...minimal, pods: { caBundle: { configMap: 'a', secret: 'b' } } },
        'pods.caBundle.configMap and pods.caBundle.secret are both set',
      ],
      [
        'a bare list next to explicit ones',
        {
          ...minimal,
          federatedETL: {
            federator: { enabled: true, clusters: ['a'], clustersMode: 'include', excludeClusters: ['b'] },
          },
        },
        'federatedETL.federator.clusters is set beside includeClusters or excludeClusters',
      ],
      [
        'an id that YAML reads as a number',
        { ...minimal, clusterId: 123_456_789_012 },
        'clusterId is no text to YAML: write it in quotes.',
      ],
      [
        'the same for Prometheus',
        {
          ...minimal,
          clusterId: '',
          prometheus: { server: { global: { external_labels: { cluster_id: 123_456_789_012 } } } },
        },
        'prometheus.server.global.external_labels.cluster_id is no text to YAML',
      ],
      [
        'the storage of Kubecost 3',
        { ...minimal, kubecostModel: {}, global: { federatedStorage: { existingSecret: 'a' } } },
        'global.federatedStorage is of Kubecost 3 and not read',
      ],
      [
        'a development server open to everyone',
        { ...minimal, temporal: { devServer: { enabled: true, serviceType: 'LoadBalancer' } } },
        'temporal.devServer.serviceType LoadBalancer lets anybody who reaches it steer the federation',
      ],
      [
        'a folder outside all volumes',
        { ...minimal, localEtl: { volume: { existingClaim: 'a', mountPath: '/data' } } },
        'localEtl.path (/var/configs/db/etl) is on no volume',
      ],
      [
        'the node of a pod that has another volume',
        { ...primary, localEtl: { volume: { sameNodeAs: { app: 'a' } } } },
        'localEtl.volume.sameNodeAs is set, but the volume is this release',
      ],
      [
        'a label of the chart',
        { ...minimal, pods: { labels: { 'app.kubernetes.io/name': 'x' } } },
        'pods.labels has app.kubernetes.io/name',
      ],
      ['a misspelled key', { ...minimal, localETL: {} }, 'There is no key localETL: it is written localEtl.'],
      // The schema must reject the following values.
      [
        'an unknown key of ours',
        { ...minimal, federatedETL: { federatedClusters: true } },
        /federatedClusters/,
      ],
      [
        'an invalid duration',
        { ...minimal, federatedETL: { federator: { enabled: true, runEvery: 30 } } },
        /runEvery/,
      ],
      [
        "a variable that is not Temporal's",
        { ...minimal, temporal: { address: 'a:1', env: { PATH: '/' } } },
        /PATH/,
      ],
    ];

    it.each(refused)('%s', async (_, values, sentence) => {
      const end = await render({ values }).catch((error: unknown) => error);
      expect(end).toBeInstanceOf(HelmError);
      const { message } = end as HelmError;
      if (typeof sentence === 'string') expect(message).toContain(sentence);
      else expect(message).toMatch(sentence);
    });
  });

  describe('a key without a value', () => {
    const everything = {
      ...minimal,
      federatedETL: {
        federatedCluster: true,
        primaryCluster: true,
        federator: { enabled: true, replicas: 2 },
      },
      api: { openRead: true },
      metrics: { podMonitor: { enabled: true }, rules: { enabled: true } },
    };
    const paths = pathsOf(parse(readFileSync(path.join(chart, 'values.yaml'), 'utf8')) as object);

    it('has its default, at any path', async () => {
      expect(paths.length).toBeGreaterThan(100);
      const notGiven = paths.filter((at) => leafOf(everything, at) === undefined);
      const { objects: expected, notes } = await render({ values: everything });
      // In quick runs, set all values at the same depth to null together, instead of one by one.
      const together = Object.values(Object.groupBy(notGiven, (at) => at.split('.').length));
      const nulls = runs<(readonly string[] | undefined)[]>(
        together,
        notGiven.map((at) => [at]),
      );
      const different = await mapConcurrently(nulls, 4, async (some = []) => {
        const set = Object.fromEntries(some.map((at) => [at, null]));
        const found = await render({ values: everything, set }).catch((error: unknown) => error);
        return isDeepStrictEqual(found, { objects: expected, notes })
          ? []
          : [`${some.join()}: ${String(found)}`];
      });
      expect(different.flat()).toEqual([]);
    });

    it.each([
      ['prometheus: null', { prometheus: null }],
      ['prometheus.server: null', { prometheus: { server: null } }],
      ['external_labels: null', { prometheus: { server: { global: { external_labels: null } } } }],
      ['global: null', { global: null }],
    ])('is ignored in the values of other charts: %s', async (_, more) => {
      const { objects } = await render({ values: { ...minimal, ...more } });
      expect((await settingsOf(objects))['cluster']?.clusterId).toBe('cluster-1');
    });
  });

  describe('its alerts', () => {
    const everyRole = {
      ...minimal,
      federatedETL: { federatedCluster: true, primaryCluster: true, federator: { enabled: true } },
      export: { enabled: true },
      metrics: { rules: { enabled: true } },
    };
    const rulesOf = async (set: Record<string, unknown>): Promise<AlertRule[]> => {
      const { objects } = await render({ values: everyRole, set });
      const spec = objects.find(({ kind }) => kind === 'PrometheusRule')?.['spec'];
      return (spec as { groups: { rules: AlertRule[] }[] }).groups.flatMap(({ rules }) => rules);
    };

    it.each([
      ['30m', { stale: 5_400, patience: '2700s', quickest: 5_400 }],
      ['6h', { stale: 64_800, patience: '32400s', quickest: 64_800 }],
      ['90s', { stale: 900, patience: '690s', quickest: 3_600 }],
    ])('suit an interval of %s', async (interval, { stale, patience, quickest }) => {
      const rules = await rulesOf({
        'federatedETL.federator.runEvery': interval,
        'federatedETL.federator.firstRunAfter': '60s',
        'localEtl.rescanEvery': interval,
        'localEtl.pullEvery': interval,
      });
      const rule = (name: string) => rules.find(({ alert }) => alert === name);
      expect(rule('FederatedEtlFederationsFail')?.for).toBe(patience);
      const thresholds = {
        FederatedEtlFederationStale: stale,
        FederatedEtlPushStale: quickest,
        FederatedEtlPrimaryBehind: quickest,
      };
      for (const [name, seconds] of Object.entries(thresholds)) {
        const expr = rule(name)?.expr ?? '';
        expect(expr).toMatch(new RegExp(` > ${seconds}$`));
        // Each range must be as long as the threshold. With a shorter range, the last timestamp of a stopped pod would
        // leave the range before it is old enough to raise the alert.
        for (const [, range] of expr.matchAll(/\[(\w+)\]/g)) expect(range).toBe(`${seconds}s`);
      }
    });

    it('say what to do, in a section that exists', async () => {
      const rules = await rulesOf({ 'metrics.rules.runbook': 'https://runbooks.example/operating' });
      const guide = readFileSync(path.join(chart, '../docs/guides/operating.md'), 'utf8');
      const sections = [...guide.matchAll(/^##+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      for (const { alert, annotations } of rules) {
        expect(annotations.summary).toMatch(/\.$/);
        const [, section] =
          /^https:\/\/runbooks\.example\/operating#(.*)$/.exec(annotations.runbook_url) ?? [];
        expect([alert, sections]).toEqual([alert, expect.arrayContaining([section])]);
      }
    });
  });

  it('leaves users and groups to the platform if configured, and accepts large ones', async () => {
    const podOf = async (runAs: object) => {
      const { objects } = await render({ values: { ...minimal, pods: { runAs } } });
      const [pod] = objects.filter(({ kind }) => kind === 'Deployment').flatMap(podsOf);
      const [container] = (pod?.spec['containers'] ?? []) as { securityContext: object }[];
      return { ...fields(pod?.spec['securityContext']), ...container?.securityContext };
    };
    expect(await podOf({ user: 1_000_680_000, group: 0 + 1, fsGroup: 1_000_680_000 })).toMatchObject({
      runAsUser: 1_000_680_000,
      fsGroup: 1_000_680_000,
    });
    const left = await podOf({ user: '', group: '', fsGroup: '' });
    for (const key of ['runAsUser', 'runAsGroup', 'fsGroup']) expect(left).not.toHaveProperty(key);
  });

  it('has each variable once, the later one if two have the same name', async () => {
    const values = {
      ...minimal,
      federatedETL: { federator: { enabled: true, extraEnv: [{ name: 'A', value: 'federator' }] } },
      temporal: { ...minimal.temporal, tls: { enabled: true }, env: { TEMPORAL_TLS: 'false' } },
      pods: {
        env: [
          { name: 'A', value: 'all' },
          { name: 'B', value: 'all' },
        ],
      },
    };
    const { objects } = await render({ values });
    const [pod] = objects.filter(({ kind }) => kind === 'Deployment').flatMap(podsOf);
    const [container] = (pod?.spec['containers'] ?? []) as { env: { name: string; value: string }[] }[];
    expect(container?.env.map(({ name, value }) => `${name}=${value}`)).toEqual([
      'FEDERATED_ETL_CONFIG=/etc/federated-etl/settings/federated-etl.yaml',
      'TEMPORAL_TLS=false',
      'B=all',
      'A=federator',
    ]);
  });

  describe('an existing secret', () => {
    /**
     * Starts a minimal Kubernetes API server for the template function `lookup`. It has one secret, which contains
     * `data`.
     */
    async function withSecret(data: Record<string, string>): Promise<Listening> {
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'federated-store', namespace },
        data,
      };
      const resource = { name: 'secrets', namespaced: true, kind: 'Secret', verbs: ['get'] };
      const answers: Record<string, object> = {
        '/version': { major: '1', minor: '34', gitVersion: 'v1.34.0' },
        '/api': { kind: 'APIVersions', versions: ['v1'] },
        '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
        '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [resource] },
        [`/api/v1/namespaces/${namespace}/secrets/federated-store`]: secret,
      };
      const server = createServer(({ url = '' }, answer) => {
        const found = answers[url.split('?')[0] ?? ''];
        const body = found ?? {
          kind: 'Status',
          apiVersion: 'v1',
          status: 'Failure',
          reason: 'NotFound',
          code: 404,
        };
        answer.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
        answer.end(JSON.stringify(body));
      });
      return listenOnLoopback(server);
    }

    it.each([
      ['is accepted with its key', { 'federated-store.yaml': 'e30=' }, undefined],
      [
        'is refused without the key, by name',
        { 'object-store.yaml': 'e30=' },
        'The secret federated-store has no key federated-store.yaml: make it with kubectl create secret generic federated-store -n kubecost --from-file=federated-store.yaml.',
      ],
    ])('%s', async (_, data, sentence) => {
      const api = await withSecret(data);
      const end = await render({ values: minimal, server: `http://${api.host}` }).catch(
        (error: unknown) => error,
      );
      await api.close();
      // Helm may still fail, because this server cannot validate objects. But if the secret is valid, the error must
      // not be about the secret.
      if (sentence === undefined) expect(String(end)).not.toContain('The secret');
      else expect((end as HelmError).message).toContain(sentence);
    });
  });

  describe('a primary', () => {
    it('without a token listens only within its pod', async () => {
      const { objects, notes } = await render({ values: primary });
      expect(objects.map(({ kind }) => kind)).not.toContain('Service');
      expect((await settingsOf(objects))['cluster']?.api.listen).toBe('127.0.0.1:9003');
      expect(notes).toContain('kubectl port-forward deployment/fe-federated-etl-cluster 9003');
      expect(notes).toContain(
        'It has no service: set api.token.secret, api.readTokens.secret or api.openRead',
      );
    });

    it('comes with a warning about its local ETL and about the time of its start', async () => {
      const { notes } = await render({
        values: { ...minimal, federatedETL: { federatedCluster: true, primaryCluster: true } },
      });
      expect(notes).toContain('WARNING: the local ETL of this cluster, /var/configs/db/etl, is overwritten');
      expect(notes).toContain('in the bucket under federated-etl/backups/cluster-1');
      expect(notes).toContain('waits\n  automatically until a federation holds');
    });

    it('has volumes that an upgrade leaves alone and that outlive the release', async () => {
      const values = { ...primary, query: { volume: { size: '10Gi' } } };
      const claims = async (isUpgrade: boolean) =>
        (await render({ values, isUpgrade })).objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
      const [etl, query] = await claims(false);
      expect(etl).toMatchObject({
        metadata: { name: 'fe-federated-etl-etl', annotations: { 'helm.sh/resource-policy': 'keep' } },
      });
      expect(query).toMatchObject({ metadata: { name: 'fe-federated-etl-query' } });
      expect(await claims(true)).toEqual([etl, query]);
    });
  });

  it('selects pods by labels that no upgrade changes', async () => {
    const values = { ...minimal, federatedETL: { federatedCluster: true, federator: { enabled: true } } };
    const { objects } = await render({ values });
    for (const { spec } of objects.filter(({ kind }) => kind === 'Deployment') as { spec?: unknown }[]) {
      const { matchLabels } = fields(fields(spec)['selector']);
      expect(Object.keys(fields(matchLabels)).sort()).toEqual([
        'app.kubernetes.io/component',
        'app.kubernetes.io/instance',
        'app.kubernetes.io/name',
      ]);
    }
  });

  it('replaces pods whose settings changed, and no others', async () => {
    const checksums = async (runEvery: string) => {
      const values = {
        ...minimal,
        federatedETL: { federatedCluster: true, federator: { enabled: true, runEvery } },
      };
      const { objects } = await render({ values });
      const pods = objects.filter(({ kind }) => kind === 'Deployment');
      return pods.map(
        ({ spec }) =>
          (spec as { template: { metadata: { annotations: Record<string, string> } } }).template.metadata
            .annotations['checksum/settings'],
      );
    };
    const [cluster, federator] = await checksums('30m');
    expect(await checksums('20m')).toEqual([cluster, expect.not.stringContaining(federator ?? '')]);
  });

  it.each(examples)(
    'gives the pods of %s no file and no variable that a change would not reach',
    async (example) => {
      const { objects } = await render({ valuesFiles: [fileOf(example)] });
      const rendered = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      for (const { container } of objects.flatMap(podsOf).flatMap(({ spec }) => containersOf(spec))) {
        // Kubernetes never updates a file that is mounted with a subPath, so only data volumes may use a subPath.
        const mounts = list(container['volumeMounts']).filter(({ name }) =>
          /^federated-etl-/.test(String(name)),
        );
        expect(mounts.filter(({ subPath }) => subPath !== undefined)).toEqual([]);
        // A running pod keeps its environment variables. If a variable came from a ConfigMap or secret of the chart, a
        // change of that object would not reach the pod.
        const froms = [
          ...list(container['env']).map((one) => fields(one['valueFrom'])),
          ...list(container['envFrom']),
        ];
        const sources = froms.flatMap((from) => [
          ...[from['secretKeyRef'], from['secretRef']].map((ref) => `Secret/${String(fields(ref)['name'])}`),
          ...[from['configMapKeyRef'], from['configMapRef']].map(
            (ref) => `ConfigMap/${String(fields(ref)['name'])}`,
          ),
        ]);
        expect(sources.filter((source) => rendered.includes(source))).toEqual([]);
      }
    },
  );

  it('leaves the number of pods to what owns it, unless several are asked for', async () => {
    const replicasWith = async (values: object) => {
      const { objects } = await render({ values: { ...minimal, ...values } });
      const own = objects.filter(({ kind }) => kind === 'Deployment');
      return own.map(({ spec }) => fields(spec)['replicas']);
    };
    const federator = { enabled: true };
    expect(new Set(await replicasWith({ federatedETL: { federator } }))).toEqual(new Set([undefined]));
    expect(await replicasWith({ federatedETL: { federator: { ...federator, replicas: 3 } } })).toContain(3);
  });

  it('keeps one Federator of several replicas running through a drain', async () => {
    const values = { ...minimal, federatedETL: { federator: { enabled: true, replicas: 3 } } };
    const { objects } = await render({ values });
    expect(objects.find(({ kind }) => kind === 'PodDisruptionBudget')).toMatchObject({
      spec: { minAvailable: 1 },
    });
    expect(findInconsistencies(objects, { namespace, existing })).toEqual([]);
  });

  it('renders a sidecar as a patch that Kubernetes accepts', async () => {
    const { objects, notes } = await render({ valuesFiles: [fileOf('sidecar')] });
    const map = objects.find(({ metadata }) => metadata.name === 'fe-federated-etl-sidecar');
    const patch = parse(String(fields(map?.['data'])['patch.yaml'])) as {
      spec: { template: { spec: { containers: object[]; volumes: object[] } } };
    };
    const { containers, volumes } = patch.spec.template.spec;
    const [container] = containers as { readinessProbe?: object }[];
    // A readiness probe would make the cost-model's pod unready while the sidecar waits for Temporal.
    expect(container).not.toHaveProperty('readinessProbe');
    const labels = { app: 'cost-analyzer' };
    // The cost-model's deployment after the patch. Its volume `persistent-configs`, which the sidecar mounts, is not
    // part of the patch.
    const deployment: KubernetesObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'cost-analyzer' },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers, volumes: [...volumes, { name: 'persistent-configs', emptyDir: {} }] },
        },
      },
    };
    expect(validateObjects([deployment]).problems).toEqual([]);
    expect(notes).toContain('kubectl patch deployment <cost-model> -n kubecost --patch-file patch.yaml');
    const [pod] = podsOf(deployment);
    const secrets = { 'federated-store': { 'federated-store.yaml': 'type: FILESYSTEM' } };
    const { env } = await layOut(
      pod?.spec ?? {},
      objects,
      { secrets },
      await mkdtemp(path.join(folder, 'pod-')),
    );
    // The health port must not be the default 9004, because Kubecost's aggregator uses 9004 in the same pod.
    expect(loadSettings({ env: { ...env }, cwd: folder }).health.listen).toBe(':9014');
  });
});
