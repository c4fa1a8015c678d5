import { basename } from 'node:path';
import { settingNames } from './keys';
import type { Found, SettingsFile } from './settings-file';

/** Top-level keys of Kubecost's Helm values. A file that has any of these keys is read as Helm values. */
const chartKeys = new Set(
  (
    'global prometheus grafana networkCosts thanos persistentVolume ingress serviceMonitor prometheusRule reporting ' +
    'diagnostics etlUtils costEventsAudit clusterController serviceAccount service forecasting pricingCsv saml oidc ' +
    'imagePullSecrets initChownData supportNFS sigV4Proxy remoteWrite systemProxy networkPolicy agent image resources'
  ).split(' '),
);
/**
 * Keys that Kubecost's Helm values have in `federatedETL`, but our settings do not. A file that has any of these keys
 * is read as Helm values, even without any key in `chartKeys`.
 */
const chartFederationKeys = new Set([
  'redirectS3Backup',
  'useMultiClusterDB',
  'agentOnly',
  'readOnlyPrimary',
]);

/**
 * Paths in Kubecost's Helm values that may contain the cluster id, in order of priority. `cluster_id` comes before
 * `clusterName`, because Kubecost's federation uses `cluster_id` as the id (kubecost/docs#507).
 */
const clusterIdPaths = [
  'clusterId',
  'global.clusterId',
  'prometheus.server.global.external_labels.cluster_id',
  'kubecostProductConfigs.clusterName',
];
/**
 * Secrets that Kubecost's chart mounts as files. `path` is the Helm value that contains the secret's name. `file` is
 * the path at which the chart mounts the file. `setting` is our setting that gets this path as its value.
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

/** Settings from a file of any supported kind. */
export interface FileSettings {
  readonly known: ReadonlyMap<string, Found>;
  /**
   * Unknown keys, each of which is an error. Always empty for files that may contain keys of other programs: Helm
   * values and `federator.json`.
   */
  readonly unknown: readonly { readonly path: string; readonly where: string }[];
  /** Meaning of the setting `clusters` in this file: clusters to exclude, clusters to include, or ambiguous. */
  readonly bareClusters: 'exclude' | 'include' | 'ambiguous';
  readonly notices: readonly string[];
}

/**
 * Reads the settings from a file of any supported kind: our own settings file, Kubecost's Helm values, or the
 * `federator.json` that Kubecost's chart creates.
 */
export function readFileSettings(file: SettingsFile): FileSettings {
  if (isFederatorJson(file)) return readFederatorJson(file);
  if (isHelmValues(file)) return readHelmValues(file);
  const content = file.at(new Set(settingNames));
  // If the only key is `federatedETL`, the file may be an excerpt from Helm values. Then `clusters` is ambiguous.
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
 * Reads a `federator.json`, which Kubecost's chart creates from its `federator` values. In this file, as in Kubecost's
 * own federator, `clusters` means the clusters to include.
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
