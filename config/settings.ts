import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FederationError } from '../errors/federation-error';
import { nearestName } from '../errors/nearest-name';
import { keepSecret, withoutSecrets } from '../errors/secrets';
import { type ClusterId, clusterId } from '../etl/cluster-id';
import type { Scope } from '../federation/membership';
import type { ShrinkageRules } from '../federation/shrinkage';
import { type ApiSettings, checkedListen, compileApi } from './api-settings';
import { type CodecSettings, compileCodec } from './codec-settings';
import { formatDuration } from './durations';
import { type FileSettings, readFileSettings } from './helm-values';
import { type SettingName, settingNames, type SettingValues } from './keys';
import type { LogSettings } from './log';
import { compileScope } from './scope';
import { keepSecretVariables } from './secret-variables';
import { type Found, readSettingsFile } from './settings-file';
import { compileStorage, type StorageSettings } from './storage-settings';
import { readTemporalConnection, type TemporalConnection } from './temporal-connection';
import { proxyNotice } from './temporal-proxy';
import {
  checkValues,
  type Fault,
  type Locate,
  misspelledVariables,
  readVariables,
  settingsInvalid,
} from './values';
import { checkCredentialVariables, trimTemporalVariables, withoutSpaces } from './white-space';

/** The compiled settings. All other code uses these, and does not read the settings file or the environment itself. */
export interface Settings {
  /** Absolute path of the settings file. Undefined if there is none. */
  readonly file?: string;
  readonly clusterId: ClusterId;
  /** Roles of this cluster in the federation. */
  readonly roles: Roles;
  readonly federator: FederatorSettings;
  readonly storage: StorageSettings;
  readonly localEtl: {
    /** Folder with the local ETL files. Inside it, they are at `bingen/<pipeline>/<resolution>/<start>-<end>`. */
    readonly path: string;
    /** Folder that a primary cluster pulls merged files into. (Default: `path`) */
    readonly pullPath: string;
    /** Folder in which backups of the local ETL are saved. If undefined, they are saved in the bucket. */
    readonly backupPath?: string;
    /** Time between two full scans of the local ETL, in milliseconds. Between scans, a file watcher reports changes. */
    readonly rescanEveryMs: number;
  };
  readonly pull: {
    /** Time between a primary cluster's checks for a new generation of merged files, in milliseconds. */
    readonly everyMs: number;
  };
  readonly temporal: TemporalConnection;
  /** Base URL of the Temporal UI, if known. */
  readonly temporalUi?: string;
  readonly api: ApiSettings;
  readonly query: {
    /** Folder of the database that answers API queries. */
    readonly path: string;
    /** Memory limit of the database, such as `512MB`. */
    readonly memory: string;
    readonly threads: number;
  };
  readonly export: { readonly enabled: boolean; readonly format: 'parquet' | 'csv' };
  /** The endpoint that decrypts payloads for Temporal's UI and CLI. Undefined if there is none. */
  readonly codec?: CodecSettings;
  readonly health: { readonly listen: string };
  readonly log: LogSettings;
  /** Notices for the operator, for example about settings that were overridden or ignored. */
  readonly notices: readonly string[];
}

/**
 * The settings of a command-line verb. An operator's machine need not be a cluster of the federation, so it may have no
 * cluster id.
 */
export interface OperatorSettings extends Omit<Settings, 'clusterId'> {
  readonly clusterId?: ClusterId;
}

export interface Roles {
  readonly federatedCluster: boolean;
  readonly federator: boolean;
  readonly primaryCluster: boolean;
}

export interface FederatorSettings {
  readonly scope: Scope;
  /** Time from the start of the federator to its first run, in milliseconds. */
  readonly firstRunAfterMs: number;
  /** Time from the start of one run to the start of the next run, in milliseconds. */
  readonly runEveryMs: number;
  /** Minimum number of generations to keep. A generation is one published state of all merged files. */
  readonly generations: number;
  /** True if pushes of ETL files start federation runs, in addition to the schedule. */
  readonly federateOnPush: boolean;
  /** Decides when a file that has become smaller is quarantined. */
  readonly shrinkage: ShrinkageRules;
}

export interface SettingsSources {
  /**
   * Path of the settings file. (Default: the file that `FEDERATED_ETL_CONFIG` names, otherwise `federated-etl.yaml` in
   * `cwd` if it exists)
   */
  readonly file?: string;
  /** Environment variables. (Default: those of this process) */
  readonly env?: NodeJS.ProcessEnv;
  /** Working directory. (Default: that of this process) */
  readonly cwd?: string;
}

/**
 * Reads and compiles the settings of a process that has a role. Throws SETTINGS_INVALID, with a list of all faults, or
 * CLUSTER_ID_INVALID.
 */
export function loadSettings(sources: SettingsSources = {}): Settings {
  // The cast is safe, because settings without a cluster id are refused here.
  return compileSettings(sources, 'has a cluster id') as Settings;
}

/** Like `loadSettings`, but for a command-line verb, which may not need a cluster id. */
export function loadOperatorSettings(sources: SettingsSources = {}): OperatorSettings {
  return compileSettings(sources, 'may lack a cluster id');
}

function compileSettings(
  { file: named, env = process.env, cwd = process.cwd() }: SettingsSources,
  who: 'has a cluster id' | 'may lack a cluster id',
): OperatorSettings {
  keepSecretVariables(env);
  const file = settingsFile(named, env, cwd);
  const content: FileSettings =
    file === undefined
      ? { known: new Map<string, Found>(), unknown: [], bareClusters: 'exclude', notices: [] }
      : readFileSettings(readSettingsFile(file));
  const notice = file === undefined ? noFile(cwd) : undefined;
  const faults: Fault[] = content.unknown.map(({ path, where }) => unknownSetting(path, where));
  const notices = [...content.notices, ...misspelledVariables(env)];
  const variables = readVariables(env);
  const found = withoutSpaces(new Map([...content.known, ...variables]), notices);
  const values = checkValues(found, faults);
  if (faults.length > 0) throw settingsInvalid(faults, notice);
  // A path in the settings file is relative to that file. All other paths are relative to the working directory.
  const inFile = (name: SettingName): boolean => content.known.has(name) && !variables.has(name);
  const locate: Locate = (name, path) =>
    resolve(file !== undefined && inFile(name) ? dirname(file) : cwd, path);

  checkCredentialVariables(env, faults);
  const roles = rolesOf(values);
  const id = values.clusterId;
  if (id === undefined && who === 'has a cluster id')
    faults.push({ setting: 'clusterId', detail: 'No cluster id is set: set clusterId, or CLUSTER_ID.' });
  const hasRole = Object.values(roles).some(Boolean);
  const keysFile = values['temporal.encryptionKeys'];
  // Somebody may have put the key itself here, instead of the path of its file.
  if (/^[A-Za-z0-9+/]{43}=$/.test(keysFile ?? '')) keepSecret(keysFile);
  const temporal = readTemporalConnection(
    trimTemporalVariables(env, notices),
    {
      address: values['temporal.address'],
      namespace: values['temporal.namespace'],
      idPrefix: values['temporal.idPrefix'] ?? '',
      encryptionKeys: keysFile === undefined ? undefined : locate('temporal.encryptionKeys', keysFile),
    },
    faults,
    notices,
  );
  // The notice is about workers, which do not use a proxy. Only a process with a role has workers.
  const proxied = hasRole ? proxyNotice(env, temporal.address) : undefined;
  if (proxied !== undefined) notices.push(proxied);
  const codec = hasRole ? compileCodec(values, faults) : undefined;
  const settings = freeze<OperatorSettings>({
    ...(file !== undefined && { file }),
    ...(id !== undefined && { clusterId: clusterId(id) }),
    roles,
    federator: compileFederator(values, content.bareClusters, faults, notices),
    storage: compileStorage(values, found, hasRole, locate, faults, notices),
    localEtl: compileLocalEtl(values, locate),
    pull: { everyMs: values['localEtl.pullEvery'] },
    temporal,
    ...temporalUi(values, faults),
    api: compileApi(values, faults, { locate, primary: roles.primaryCluster }),
    query: compileQuery(values, locate, faults),
    export: { enabled: values['export.enabled'], format: values['export.format'] },
    ...(codec && { codec }),
    health: { listen: checkedListen('health.listen', values, faults) },
    log: { level: values['log.level'], format: values['log.format'] },
    notices: notices.map(withoutSecrets),
  });
  if (faults.length > 0) throw settingsInvalid(faults, notice);
  return settings;
}

/** Default settings, for verbs that do not read a settings file. */
export interface DefaultSettings {
  readonly api: ApiSettings;
  readonly query: Pick<Settings['query'], 'memory' | 'threads'>;
}

/** Compiles the default settings in the same way as settings from a file. */
export function defaultSettings(): DefaultSettings {
  const values = checkValues(new Map(), []);
  const { 'query.memory': memory, 'query.threads': threads } = values;
  const locate: Locate = (_, path) => resolve(path);
  return freeze({ api: compileApi(values, [], { locate, primary: false }), query: { memory, threads } });
}

/** Throws SETTINGS_INVALID if this cluster has no role in the federation. */
export function requireRole(settings: Settings): void {
  if (Object.values(settings.roles).some(Boolean)) return;
  const where = settings.file === undefined ? ` ${noFile(process.cwd())}` : '';
  throw new FederationError('SETTINGS_INVALID', {
    subject: { cluster: settings.clusterId },
    detail: `This cluster has no role, so there is nothing to run.${where}`,
    hint:
      'Set federatedETL.federatedCluster to push its ETL data, federatedETL.federator.enabled to host the federator, ' +
      'federatedETL.primaryCluster to serve the combined data, or several of them.',
  });
}

/** Returns a sentence that says that there is no settings file, and which paths were tried. */
function noFile(cwd: string): string {
  return `There is no settings file: neither --config nor FEDERATED_ETL_CONFIG names one, and ${usualFile(cwd)} does not exist.`;
}

function usualFile(cwd: string): string {
  return resolve(cwd, 'federated-etl.yaml');
}

function settingsFile(given: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string | undefined {
  const named = given ?? env['FEDERATED_ETL_CONFIG'];
  if (named !== undefined && named !== '') return resolve(cwd, named);
  const usual = usualFile(cwd);
  return existsSync(usual) ? usual : undefined;
}

function unknownSetting(path: string, where: string): Fault {
  const meant = nearestName(path, settingNames);
  return {
    setting: path,
    detail: `${where}: there is no setting ${path}; the nearest is ${meant?.name ?? 'none'}.`,
  };
}

function rolesOf(values: SettingValues): Roles {
  return {
    federatedCluster: values['federatedETL.federatedCluster'],
    federator: values['federatedETL.federator.enabled'],
    primaryCluster: values['federatedETL.primaryCluster'],
  };
}

function compileFederator(
  values: SettingValues,
  bareClusters: FileSettings['bareClusters'],
  faults: Fault[],
  notices: string[],
): FederatorSettings {
  const [firstRunAfterMs, runEveryMs] = [
    values['federatedETL.federator.firstRunAfter'],
    values['federatedETL.federator.runEvery'],
  ];
  // A Temporal schedule accepts only whole seconds, at least 1. More than a year is not useful.
  if (runEveryMs < 1_000 || runEveryMs % 1_000 !== 0 || runEveryMs > 365 * 86_400_000) {
    const setting = 'federatedETL.federator.runEvery';
    faults.push({
      setting,
      detail: `${setting} is ${formatDuration(runEveryMs)}: a schedule takes whole seconds, from 1s to 365d.`,
    });
  }
  if (firstRunAfterMs > runEveryMs) {
    const setting = 'federatedETL.federator.firstRunAfter';
    faults.push({
      setting,
      detail: `${setting} (${formatDuration(firstRunAfterMs)}) is longer than runEvery (${formatDuration(runEveryMs)}).`,
    });
  }
  return {
    scope: compileScope(values, bareClusters, faults, notices),
    firstRunAfterMs,
    runEveryMs,
    generations: values['federatedETL.federator.generations'],
    federateOnPush: values['federatedETL.federator.federateOnPush'],
    shrinkage: {
      closedAfter: values['federatedETL.federator.quarantine.closedAfter'] / 1_000,
      shrinkage: values['federatedETL.federator.quarantine.shrinkage'],
    },
  };
}

function compileLocalEtl(values: SettingValues, locate: Locate): Settings['localEtl'] {
  const { 'localEtl.pullPath': pullPath, 'localEtl.backupPath': backupPath } = values;
  const path = locate('localEtl.path', values['localEtl.path']);
  return {
    path,
    pullPath: pullPath === undefined ? path : locate('localEtl.pullPath', pullPath),
    ...(backupPath !== undefined && { backupPath: locate('localEtl.backupPath', backupPath) }),
    rescanEveryMs: values['localEtl.rescanEvery'],
  };
}

function compileQuery(values: SettingValues, locate: Locate, faults: Fault[]): Settings['query'] {
  const { 'query.path': path, 'query.memory': memory, 'query.threads': threads } = values;
  if (!/^\d+(\.\d+)?\s?[KMGT]i?B$/.test(memory))
    faults.push({
      setting: 'query.memory',
      detail: `${memory} is not a memory size such as 512MB (query.memory).`,
    });
  // By default, the database is inside the pull folder, so that it is on the same volume as the pulled files.
  const { pullPath } = compileLocalEtl(values, locate);
  const folder = path === undefined ? join(pullPath, '.federated-etl', 'query') : locate('query.path', path);
  return { path: folder, memory, threads };
}

/** The URL of Temporal's UI is a link for everybody who reads the API, so nobody's password may be in it. */
function temporalUi(values: SettingValues, faults: Fault[]): Pick<Settings, 'temporalUi'> {
  const { 'temporal.uiUrl': url } = values;
  if (url === undefined) return {};
  const { protocol, username, password } = URL.canParse(url) ? new URL(url) : ({} as Partial<URL>);
  if (!/^https?:$/.test(protocol ?? '') || username !== '' || password !== '')
    faults.push({
      setting: 'temporal.uiUrl',
      detail: `${url} is not the URL of Temporal's UI: it is written with http or https, and without a user, such as https://temporal.example.com (temporal.uiUrl).`,
    });
  return { temporalUi: url };
}

/** Freezes a value recursively. Skips byte arrays (certificates), because JavaScript cannot freeze them. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
