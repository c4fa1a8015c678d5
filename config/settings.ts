import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Scope } from '../federation/membership';
import { clusterId, type ClusterId } from '../etl/cluster-id';
import { FederationError, isFederationError } from '../errors/federation-error';
import { formatDuration } from './durations';
import { readFileSettings, type FileSettings } from './helm-values';
import { settingNames, type SettingName, type SettingValues } from './keys';
import { parseListen } from './listen';
import type { LogSettings } from './log';
import { compileScope } from './scope';
import { nearest, readSettingsFile, type Found } from './settings-file';
import { readTemporalConnection, type TemporalConnection } from './temporal-connection';
import { checkValues, misspelledVariables, readVariables, settingsInvalid, type Fault } from './values';

/** The settings, compiled once. Nothing else reads the settings file or the environment. */
export interface Settings {
  /** The settings file, where there is one. */
  readonly file?: string;
  readonly clusterId: ClusterId;
  /** What this cluster is. */
  readonly roles: Roles;
  readonly federator: FederatorSettings;
  readonly storage: {
    /** The store's configuration, an absolute path. */
    readonly file: string;
    /** Whether it is the one that Kubecost's own backup uses. */
    readonly existing: boolean;
    /** Where an emulator of GCS is, in place of GCS itself; a URL. */
    readonly gcsEmulator?: string;
  };
  readonly localEtl: {
    /** Holds `bingen/<pipeline>/<resolution>/<start>-<end>`. */
    readonly path: string;
    /** Where a primary puts what it pulls; `path` unless it is set. */
    readonly pullPath: string;
    /** Where the local ETL is saved instead of in the bucket. */
    readonly backupPath?: string;
    /** How often the whole local ETL is looked through, besides being watched. */
    readonly rescanEveryMs: number;
  };
  readonly pull: {
    /** How often a primary looks for a new generation by itself. */
    readonly everyMs: number;
  };
  readonly temporal: TemporalConnection;
  /** What the Temporal UI's address begins with, if it is known. */
  readonly temporalUi?: string;
  readonly api: ApiSettings;
  readonly query: {
    /** A folder for the database of the API. */
    readonly path: string;
    /** What it may take of memory, such as `512MB`. */
    readonly memory: string;
    readonly threads: number;
  };
  readonly export: { readonly enabled: boolean; readonly format: 'parquet' | 'csv' };
  readonly health: { readonly listen: string };
  readonly log: LogSettings;
  /** What an operator should read once: which setting won over which, and what was left alone. */
  readonly notices: readonly string[];
}

export interface ApiSettings {
  readonly listen: string;
  readonly token?: string;
  readonly openRead: boolean;
  /** Whose pages may read from a browser; `*` for all. Absent: all with `openRead`, else those of this machine. */
  readonly origins?: readonly string[];
  readonly currency: string;
  readonly utcOffsetSeconds: number;
  /** In which flavour `/model/assets` answers. */
  readonly assets: 'kubecost' | 'opencost';
  /** The label that stands behind each name; several with commas between them. */
  readonly aliases: Readonly<Record<'department' | 'environment' | 'owner' | 'product' | 'team', string>>;
  readonly limits: {
    readonly seconds: number;
    readonly rows: number;
    readonly concurrent: number;
    readonly waiting: number;
  };
}

export interface Roles {
  readonly federatedCluster: boolean;
  readonly federator: boolean;
  readonly primaryCluster: boolean;
}

export interface FederatorSettings {
  readonly scope: Scope;
  /** From its start to its first run. */
  readonly firstRunAfterMs: number;
  /** Between runs, counted from the first one. */
  readonly runEveryMs: number;
  /** How many generations are kept at least. */
  readonly generations: number;
  /** Whether a push asks for a federation. */
  readonly federateOnPush: boolean;
}

export interface SettingsSources {
  /** The settings file; else `FEDERATED_ETL_CONFIG`, else `federated-etl.yaml` in `cwd` where there is one. */
  readonly file?: string;
  /** The environment; this process's unless it is given. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where the command is run; this process's working folder unless it is given. */
  readonly cwd?: string;
}

/** Reads the settings, or throws SETTINGS_INVALID (CLUSTER_ID_INVALID) naming all that is wrong with them. */
export function loadSettings({
  file: named,
  env = process.env,
  cwd = process.cwd(),
}: SettingsSources = {}): Settings {
  const file = settingsFile(named, env, cwd);
  const content: FileSettings =
    file === undefined
      ? { known: new Map<string, Found>(), unknown: [], bareClusters: 'exclude', notices: [] }
      : readFileSettings(readSettingsFile(file));
  const faults: Fault[] = content.unknown.map(({ path, where }) => unknownSetting(path, where));
  const notices = [...content.notices, ...misspelledVariables(env)];
  const variables = readVariables(env);
  const found = new Map([...content.known, ...variables]);
  const values = checkValues(found, faults);
  if (faults.length > 0) throw settingsInvalid(faults);
  // A path in a file lies beside that file; one in a variable, and a default, where the command is run.
  const inFile = (name: SettingName): boolean => content.known.has(name) && !variables.has(name);
  const locate: Locate = (name, path) =>
    resolve(file !== undefined && inFile(name) ? dirname(file) : cwd, path);

  const settings = freeze<Settings>({
    ...(file !== undefined && { file }),
    clusterId: ownId(values.clusterId, faults),
    roles: rolesOf(values),
    federator: compileFederator(values, content.bareClusters, faults, notices),
    storage: compileStorage(values, found, locate, faults, notices),
    localEtl: compileLocalEtl(values, locate),
    pull: { everyMs: values['localEtl.pullEvery'] },
    temporal: readTemporalConnection(
      env,
      {
        address: values['temporal.address'],
        namespace: values['temporal.namespace'],
        idPrefix: values['temporal.idPrefix'] ?? '',
      },
      faults,
    ),
    ...(values['temporal.uiUrl'] !== undefined && { temporalUi: values['temporal.uiUrl'] }),
    api: compileApi(values, faults),
    query: compileQuery(values, locate, faults),
    export: { enabled: values['export.enabled'], format: values['export.format'] },
    health: { listen: listenOf('health.listen', values, faults) },
    log: { level: values['log.level'], format: values['log.format'] },
    notices,
  });
  if (faults.length > 0) throw settingsInvalid(faults);
  return settings;
}

/** Defaults of the settings, for verbs that read no settings file. */
export interface DefaultSettings {
  readonly api: ApiSettings;
  readonly query: Pick<Settings['query'], 'memory' | 'threads'>;
}

/** The values where nothing is set, compiled like the settings. */
export function defaultSettings(): DefaultSettings {
  const values = checkValues(new Map(), []);
  const { 'query.memory': memory, 'query.threads': threads } = values;
  return freeze({ api: compileApi(values, []), query: { memory, threads } });
}

/** Whether this cluster has anything to run; throws SETTINGS_INVALID when it has not. */
export function requireRole(settings: Settings): void {
  if (Object.values(settings.roles).some(Boolean)) return;
  throw new FederationError('SETTINGS_INVALID', {
    subject: { cluster: settings.clusterId },
    detail: 'This cluster has no role, so there is nothing to run.',
    hint:
      'Set federatedETL.federatedCluster to push its ETL data, federatedETL.federator.enabled to host the federator, ' +
      'federatedETL.primaryCluster to serve what is combined, or several of them.',
  });
}

type Locate = (name: SettingName, path: string) => string;

function settingsFile(given: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string | undefined {
  const named = given ?? env['FEDERATED_ETL_CONFIG'];
  if (named !== undefined && named !== '') return resolve(cwd, named);
  const usual = resolve(cwd, 'federated-etl.yaml');
  return existsSync(usual) ? usual : undefined;
}

function unknownSetting(path: string, where: string): Fault {
  const meant = nearest(path, settingNames);
  return {
    setting: path,
    detail: `${where}: there is no setting ${path}; the nearest is ${meant?.name ?? 'none'}.`,
  };
}

function ownId(id: string | undefined, faults: Fault[]): ClusterId {
  if (id !== undefined) return clusterId(id);
  faults.push({ setting: 'clusterId', detail: 'No cluster id is set: set clusterId, or CLUSTER_ID.' });
  return '' as ClusterId;
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
  // A Temporal schedule knows whole seconds, of which there must be one, and is sensible for up to a year.
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
  };
}

function compileStorage(
  values: SettingValues,
  found: ReadonlyMap<string, Found>,
  locate: Locate,
  faults: Fault[],
  notices: string[],
): Settings['storage'] {
  const existing = values['federatedETL.useExistingS3Config'];
  const setting = existing ? 'storage.existingConfigFile' : 'storage.configFile';
  const path = values[setting];
  if (path === undefined) {
    faults.push({
      setting,
      detail: `federatedETL.useExistingS3Config is set, but ${setting} (ETL_BUCKET_CONFIG) is not.`,
    });
    return { file: '', existing };
  }
  const file = locate(setting, path);
  if (Object.values(rolesOf(values)).some(Boolean) && !existsSync(file)) {
    const where = found.get(setting)?.where ?? 'the default';
    faults.push({
      setting,
      detail: `A role needs storage, but there is no file ${file} (${setting}, by ${where}).`,
    });
  }
  if (existing) {
    const over = found.has('storage.configFile')
      ? ' It wins over storage.configFile, which was left alone.'
      : '';
    notices.push(
      `federatedETL.useExistingS3Config: the storage is the one of ${file}.${over} Kubecost's backup shares that bucket ` +
        'and becomes unreliable when more than one cluster does this; a federated-store.yaml of its own is the cure.',
    );
  }
  const gcsEmulator = values['storage.gcsEmulator'];
  if (gcsEmulator !== undefined) {
    if (!URL.canParse(gcsEmulator))
      faults.push({
        setting: 'storage.gcsEmulator',
        detail: `${gcsEmulator} is no URL (storage.gcsEmulator).`,
      });
    notices.push(
      `storage.gcsEmulator: a store of type GCS is looked for at ${gcsEmulator}, and nobody is asked who he is.`,
    );
  }
  return { file, existing, ...(gcsEmulator !== undefined && { gcsEmulator }) };
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

function compileApi(values: SettingValues, faults: Fault[]): ApiSettings {
  const listen = listenOf('api.listen', values, faults);
  return {
    listen,
    token: values['api.token'],
    openRead: values['api.openRead'],
    origins: originsOf(values, faults),
    currency: values['api.currency'],
    utcOffsetSeconds: values['api.utcOffset'],
    assets: values['api.assets'],
    aliases: {
      department: values['api.aliases.department'],
      environment: values['api.aliases.environment'],
      owner: values['api.aliases.owner'],
      product: values['api.aliases.product'],
      team: values['api.aliases.team'],
    },
    limits: {
      seconds: values['api.limits.seconds'],
      rows: values['api.limits.rows'],
      concurrent: values['api.limits.concurrent'],
      waiting: values['api.limits.waiting'],
    },
  };
}

function originsOf(values: SettingValues, faults: Fault[]): readonly string[] | undefined {
  const origins = values['api.origins'];
  for (const origin of origins ?? []) {
    if (origin === '*') continue;
    // As browsers send it; any other spelling would never match.
    const sent = /^https?:[^*]*$/i.test(origin) && URL.canParse(origin) ? new URL(origin).origin : undefined;
    if (origin === sent) continue;
    const right = sent === undefined ? 'it is one such as https://grafana.example, or *' : `write ${sent}`;
    faults.push({ setting: 'api.origins', detail: `${origin} is no origin (api.origins): ${right}.` });
  }
  return origins;
}

function listenOf(setting: 'api.listen' | 'health.listen', values: SettingValues, faults: Fault[]): string {
  try {
    parseListen(values[setting], setting);
  } catch (error) {
    if (!isFederationError(error)) throw error;
    faults.push({ setting, detail: error.detail });
  }
  return values[setting];
}

function compileQuery(values: SettingValues, locate: Locate, faults: Fault[]): Settings['query'] {
  const { 'query.path': path, 'query.memory': memory, 'query.threads': threads } = values;
  if (!/^\d+(\.\d+)?\s?[KMGT]i?B$/.test(memory))
    faults.push({
      setting: 'query.memory',
      detail: `${memory} is no amount of memory, such as 512MB (query.memory).`,
    });
  // Beside what was pulled, so that it is on the same volume.
  const { pullPath } = compileLocalEtl(values, locate);
  const folder = path === undefined ? join(pullPath, '.federated-etl', 'query') : locate('query.path', path);
  return { path: folder, memory, threads };
}

/** Certificates are bytes, which cannot be frozen; everything else is. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
