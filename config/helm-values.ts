import { basename } from 'node:path';
import { settingNames } from './keys';
import type { Found, SettingsFile } from './settings-file';

/** Top-level keys of Kubecost's Helm values. A file that has any of them is read as Helm values. */
const chartKeys = new Set(
  (
    'global prometheus grafana networkCosts thanos persistentVolume ingress serviceMonitor prometheusRule reporting ' +
    'diagnostics etlUtils costEventsAudit clusterController serviceAccount service forecasting pricingCsv saml oidc ' +
    'imagePullSecrets initChownData supportNFS sigV4Proxy remoteWrite systemProxy networkPolicy agent image resources'
  ).split(' '),
);
/**
 * Keys of Kubecost's `federatedETL` that are not settings of Federated ETL. They also identify a file as Helm values.
 */
const chartFederationKeys = new Set([
  'redirectS3Backup',
  'useMultiClusterDB',
  'agentOnly',
  'readOnlyPrimary',
]);

/**
 * Paths at which Kubecost's Helm values may hold the cluster id; the first one that has a value is used. The name comes
 * last, since Kubecost's federation uses `cluster_id` (kubecost/docs#507).
 */
const clusterIdPaths = [
  'clusterId',
  'global.clusterId',
  'prometheus.server.global.external_labels.cluster_id',
  'kubecostProductConfigs.clusterName',
];
/**
 * Secrets that Kubecost's chart mounts, each with a single file. `path` is the Helm value that holds the secret's name,
 * and `file` is where its file is mounted.
 */
const secrets = [
  {
    path: 'kubecostModel.federatedStorageConfigSecret',
    setting: 'storage.configFile',
    file: '/var/configs/etl/federated-store.yaml',
  },
  {
    path: 'kubecostModel.etlBucketConfigSecret',
    setting: 'storage.existingConfigFile',
    file: '/var/configs/etl/object-store.yaml',
  },
] as const;

/** Settings read from a file of any accepted kind. */
export interface FileSettings {
  readonly known: ReadonlyMap<string, Found>;
  /**
   * Unknown keys, each of which is an error. Always empty for a kind of file in which keys of other programs are
   * expected.
   */
  readonly unknown: readonly { readonly path: string; readonly where: string }[];
  /** What a list named just `clusters` means in this file: the clusters to exclude or to include, or unclear. */
  readonly bareClusters: 'exclude' | 'include' | 'ambiguous';
  readonly notices: readonly string[];
}

/**
 * Reads the settings from a file of any accepted kind: our own settings file, Kubecost's Helm values, or the
 * `federator.json` that Kubecost's chart renders.
 */
export function readFileSettings(file: SettingsFile): FileSettings {
  if (isFederatorJson(file)) return readFederatorJson(file);
  if (isHelmValues(file)) return readHelmValues(file);
  const content = file.at(new Set(settingNames));
  // A file whose only key is `federatedETL` may be our settings file or part of Helm values. We do not guess which.
  const fragment = file.topKeys.every((key) => key === 'federatedETL');
  return { ...content, bareClusters: fragment ? 'ambiguous' : 'exclude', notices: [] };
}

function isHelmValues(file: SettingsFile): boolean {
  return (
    file.topKeys.some((key) => chartKeys.has(key) || /^kubecost[A-Z]/.test(key)) ||
    file.federatedEtlKeys.some((key) => chartFederationKeys.has(key))
  );
}

function isFederatorJson(file: SettingsFile): boolean {
  return file.topKeys.some((key) => ['clusters', 'federationCutoffDate', 'primaryClusterID'].includes(key));
}

function readHelmValues(file: SettingsFile): FileSettings {
  const content = file.at(new Set([...settingNames, ...clusterIdPaths, ...secrets.map(({ path }) => path)]));
  const known = new Map(content.known);
  const ids = clusterIdPaths.flatMap((path) => {
    const found = known.get(path);
    known.delete(path);
    return found === undefined ? [] : [{ path, ...found }];
  });
  const notices = listOthers(file, content.unknown);
  if (ids[0] !== undefined) known.set('clusterId', ids[0]);
  const other = ids.find(({ value }) => value !== ids[0]?.value);
  if (ids[0] !== undefined && other !== undefined) {
    notices.push(
      `${file.name}: ${ids[0].path} is ${String(ids[0].value)} but ${other.path} is ${String(other.value)}; the cluster id is ${String(ids[0].value)}.`,
    );
  }
  for (const { path, setting, file: mounted } of secrets) {
    const found = known.get(path);
    known.delete(path);
    if (found === undefined || found.value === '' || known.has(setting)) continue;
    known.set(setting, {
      value: mounted,
      where: `${found.where}: the secret ${String(found.value)}, whose key must be ${basename(mounted)}`,
    });
  }
  return { known, unknown: [], bareClusters: 'ambiguous', notices };
}

/**
 * Reads a `federator.json`. Kubecost's chart copies its `federator` values into this file verbatim, and Kubecost's
 * federator reads `clusters` as the clusters to include.
 */
function readFederatorJson(file: SettingsFile): FileSettings {
  const prefix = 'federatedETL.federator.';
  const names = settingNames
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  const content = file.at(new Set(names));
  const known = new Map([...content.known].map(([name, found]) => [prefix + name, found] as const));
  return { known, unknown: [], bareClusters: 'include', notices: listOthers(file, content.unknown) };
}

function listOthers(file: SettingsFile, unknown: FileSettings['unknown']): string[] {
  if (unknown.length === 0) return [];
  const paths = unknown.map(({ path }) => path).join(', ');
  return [`${file.name}: these keys are not settings of Federated ETL and were ignored: ${paths}.`];
}
