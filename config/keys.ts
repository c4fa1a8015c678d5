import { apiDefaults } from './api-defaults';
import {
  choice,
  count,
  duration,
  durations,
  flag,
  fraction,
  type Kind,
  moment,
  text,
  texts,
  utcOffset,
} from './kinds';

/** Definition of a setting. The name of the setting is its path in the settings file. */
interface SettingKey {
  readonly kind: Kind<unknown>;
  /** Default value, in the form in which the settings file would contain it. */
  readonly byDefault?: unknown;
  /**
   * Name of an environment variable that Kubecost or Temporal already uses for this setting. If undefined, `variableOf`
   * derives the name from the setting's path.
   */
  readonly env?: string;
  /** True for a secret. Its value must never be shown. */
  readonly secret?: true;
}

/** All settings, by name. `docs/reference/settings.md` has a row for each setting. */
export const settingKeys = {
  clusterId: { kind: text, env: 'CLUSTER_ID' },
  'federatedETL.federatedCluster': { kind: flag, byDefault: false, env: 'FEDERATED_CLUSTER' },
  'federatedETL.primaryCluster': { kind: flag, byDefault: false, env: 'FEDERATED_PRIMARY_CLUSTER' },
  'federatedETL.useExistingS3Config': { kind: flag, byDefault: false, env: 'FEDERATED_USE_EXISTING_CONFIG' },
  'federatedETL.federator.enabled': { kind: flag, byDefault: false, env: 'FEDERATED_FEDERATOR_ENABLED' },
  'federatedETL.federator.clusters': { kind: texts, byDefault: [] },
  'federatedETL.federator.clustersMode': { kind: choice('exclude', 'include') },
  'federatedETL.federator.includeClusters': { kind: texts, byDefault: [] },
  'federatedETL.federator.excludeClusters': { kind: texts, byDefault: [] },
  'federatedETL.federator.federationCutoffDate': { kind: moment },
  'federatedETL.federator.firstRunAfter': { kind: duration, byDefault: '5m' },
  'federatedETL.federator.runEvery': { kind: duration, byDefault: '30m' },
  'federatedETL.federator.generations': { kind: count, byDefault: 10 },
  'federatedETL.federator.federateOnPush': { kind: flag, byDefault: false },
  'federatedETL.federator.retention': { kind: durations, byDefault: {} },
  'federatedETL.federator.quarantine.closedAfter': { kind: duration, byDefault: '48h' },
  'federatedETL.federator.quarantine.shrinkage': { kind: fraction, byDefault: 0.5 },
  'storage.configFile': { kind: text, byDefault: 'federated-store.yaml', env: 'FEDERATED_STORE_CONFIG' },
  'storage.existingConfigFile': { kind: text, env: 'ETL_BUCKET_CONFIG' },
  'storage.gcsEmulator': { kind: text },
  'localEtl.path': { kind: text, byDefault: '/var/configs/db/etl' },
  'localEtl.pullPath': { kind: text },
  'localEtl.backupPath': { kind: text },
  'localEtl.rescanEvery': { kind: duration, byDefault: '5m' },
  'localEtl.pullEvery': { kind: duration, byDefault: '5m' },
  'temporal.address': { kind: text, byDefault: 'localhost:7233', env: 'TEMPORAL_ADDRESS' },
  'temporal.namespace': { kind: text, byDefault: 'default', env: 'TEMPORAL_NAMESPACE' },
  'temporal.idPrefix': { kind: text },
  'temporal.encryptionKeys': { kind: text },
  'temporal.codec.listen': { kind: text },
  'temporal.codec.token': { kind: text, secret: true },
  'temporal.codec.origins': { kind: texts, byDefault: [] },
  'temporal.uiUrl': { kind: text },
  'api.listen': { kind: text, byDefault: apiDefaults.listen },
  'api.token': { kind: text, secret: true },
  'api.readTokensPath': { kind: text },
  'api.openRead': { kind: flag, byDefault: false },
  'api.origins': { kind: texts },
  'api.hosts': { kind: texts, byDefault: [] },
  'api.currency': { kind: text, byDefault: apiDefaults.currency },
  'api.utcOffset': { kind: utcOffset, byDefault: '+00:00' },
  'api.assets': { kind: choice('kubecost', 'opencost'), byDefault: 'kubecost' },
  'api.aliases.department': { kind: text, byDefault: 'department' },
  'api.aliases.environment': { kind: text, byDefault: 'env' },
  'api.aliases.owner': { kind: text, byDefault: 'owner' },
  'api.aliases.product': { kind: text, byDefault: 'app' },
  'api.aliases.team': { kind: text, byDefault: 'team' },
  'api.limits.seconds': { kind: count, byDefault: 30 },
  'api.limits.rows': { kind: count, byDefault: 200_000 },
  'api.limits.megabytes': { kind: count, byDefault: 128 },
  'api.limits.concurrent': { kind: count, byDefault: 2 },
  'api.limits.waiting': { kind: count, byDefault: 64 },
  'query.path': { kind: text },
  'query.memory': { kind: text, byDefault: '256MB' },
  'query.threads': { kind: count, byDefault: 2 },
  'export.enabled': { kind: flag, byDefault: false },
  'export.format': { kind: choice('parquet', 'csv'), byDefault: 'parquet' },
  'health.listen': { kind: text, byDefault: '127.0.0.1:9004' },
  'log.level': { kind: choice('debug', 'info', 'warn', 'error'), byDefault: 'info' },
  'log.format': { kind: choice('auto', 'json', 'pretty'), byDefault: 'auto' },
} as const satisfies Record<string, SettingKey>;

type SettingKeys = typeof settingKeys;
export type SettingName = keyof SettingKeys;

type ValueOf<Name extends SettingName> = SettingKeys[Name]['kind'] extends Kind<infer T> ? T : never;

/** Values of all settings, by name. The value is undefined if a setting is not set and has no default. */
export type SettingValues = {
  readonly [Name in SettingName]:
    ValueOf<Name> | (SettingKeys[Name] extends { byDefault: unknown } ? never : undefined);
};

export const settingNames = Object.keys(settingKeys) as SettingName[];

export function settingKey(name: SettingName): SettingKey {
  return settingKeys[name];
}

/**
 * Returns the name of a setting's environment variable. If the setting does not define a name, the name is
 * `FEDERATED_ETL_`, followed by the setting's path in capitals with underscores (without `federatedETL` at the start).
 */
export function variableOf(name: SettingName): string {
  const words = name.replace(/^federatedETL\./, '').replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return settingKey(name).env ?? `FEDERATED_ETL_${words.replaceAll('.', '_').toUpperCase()}`;
}
