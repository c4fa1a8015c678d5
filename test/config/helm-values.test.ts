import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, type Settings } from '../../config/settings';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'helm-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load(name: string, text: string, env: NodeJS.ProcessEnv = {}): Settings {
  writeFileSync(join(cwd, name), text);
  return loadSettings({ cwd, file: name, env: { TEMPORAL_CONFIG_FILE: join(cwd, 'none.toml'), ...env } });
}

const values = `
kubecostProductConfigs:
  clusterName: berlin-2
  currencyCode: EUR
prometheus:
  server:
    retention: 15d
    global:
      external_labels:
        cluster_id: berlin-2
kubecostModel:
  federatedStorageConfigSecret: federated-store
  etlDailyStoreDurationDays: 91
federatedETL:
  federatedCluster: true
  primaryCluster: false
  redirectS3Backup: false
  useExistingS3Config: false
  federator:
    enabled: true
    clusters: []
    federationCutoffDate:
    primaryClusterID: berlin-1
    resources: {}
grafana: {enabled: false}
`;

describe('a Kubecost Helm values file', () => {
  it('is accepted unchanged, and reports once which parts are not ours', () => {
    writeFileSync(join(cwd, 'store.yaml'), '');
    const settings = load('values.yaml', values, { FEDERATED_STORE_CONFIG: 'store.yaml' });
    expect(settings).toMatchObject({
      clusterId: 'berlin-2',
      roles: { federatedCluster: true, federator: true, primaryCluster: false },
      federator: { scope: { exclude: [] } },
      storage: { file: join(cwd, 'store.yaml') },
    });
    expect(settings.notices).toHaveLength(1);
    for (const key of [
      'kubecostProductConfigs.currencyCode',
      'prometheus.server.retention',
      'federatedETL.redirectS3Backup',
      'federatedETL.federator.primaryClusterID',
      'grafana',
    ]) {
      expect(settings.notices[0]).toContain(key);
    }
  });

  it('looks for the secret where the chart mounts it, and names the key that it needs', () => {
    expect(() => load('values.yaml', values)).toThrow(
      /no file \/var\/configs\/etl\/federated-store\.yaml .*line 12: the secret federated-store, whose key must be federated-store\.yaml/,
    );
  });

  it('is refused if it has a bare list without its meaning', () => {
    const text = values.replace('clusters: []', 'clusters: [x]');
    const env = { FEDERATED_STORE_CONFIG: 'values.yaml' };
    expect(() => load('values.yaml', text, env)).toThrow(
      /clusters not to federate.*only clusters to federate/,
    );
    const stated = text.replace('clusters: [x]', 'clusters: [x]\n    clustersMode: include');
    expect(load('values.yaml', stated, env).federator.scope).toEqual({ include: ['x'], exclude: [] });
  });

  it('has the cluster id that federation uses, and a warning if it has a different one', () => {
    const settings = load('values.yaml', values.replace('clusterName: berlin-2', 'clusterName: shown'), {
      FEDERATED_STORE_CONFIG: 'values.yaml',
    });
    expect(settings.clusterId).toBe('berlin-2');
    expect(settings.notices.join()).toMatch(
      /cluster_id is berlin-2 but kubecostProductConfigs\.clusterName is shown/,
    );
  });

  it('may be from the newest chart', () => {
    expect(load('values.yaml', 'global: {clusterId: new}\n').clusterId).toBe('new');
  });

  it('reuses the secret of the backup', () => {
    const text = values
      .replace('useExistingS3Config: false', 'useExistingS3Config: true')
      .replace('etlDailyStoreDurationDays: 91', 'etlBucketConfigSecret: backup');
    expect(() => load('values.yaml', text)).toThrow(
      /no file \/var\/configs\/etl\/object-store\.yaml .*the secret backup/,
    );
  });
});

describe('a rendered federator.json', () => {
  it('names the clusters to include', () => {
    const json =
      '{"clusters":["b","a"],"enabled":true,"federationCutoffDate":"2026-01-01T00:00:00Z","primaryClusterID":"p"}';
    const settings = load('federator.json', json, {
      CLUSTER_ID: 'c',
      FEDERATED_STORE_CONFIG: 'federator.json',
    });
    expect(settings.roles.federator).toBe(true);
    expect(settings.federator.scope).toEqual({
      include: ['a', 'b'],
      exclude: [],
      cutoff: '2026-01-01T00:00:00.000Z',
    });
    expect(settings.notices).toEqual([expect.stringMatching(/ignored: primaryClusterID/)]);
  });
});
