import { isFederationError } from '../errors/federation-error';
import type { SettingValues } from './keys';
import { parseListen } from './listen';
import { readReadTokens, type ReadToken } from './read-tokens';
import type { Fault, Locate } from './values';

export interface ApiSettings {
  readonly listen: string;
  readonly token?: string;
  /** Tokens with which clients may read, but change nothing. */
  readonly readTokens: readonly ReadToken[];
  readonly openRead: boolean;
  /**
   * Web origins whose pages may read the API from a browser. `*` allows all origins. (Default: all origins if
   * `openRead` is set, otherwise only origins on this machine)
   */
  readonly origins?: readonly string[];
  /** Host names under which the API may be asked if reading needs no token. `*` allows all. */
  readonly hosts: readonly string[];
  readonly currency: string;
  readonly utcOffsetSeconds: number;
  /** Response format of `/model/assets`. */
  readonly assets: 'kubecost' | 'opencost';
  /** For each alias, the label or labels that it stands for. Several labels are separated by commas. */
  readonly aliases: Readonly<Record<'department' | 'environment' | 'owner' | 'product' | 'team', string>>;
  readonly limits: {
    readonly seconds: number;
    readonly rows: number;
    readonly megabytes: number;
    readonly concurrent: number;
    readonly waiting: number;
  };
}

/**
 * Compiles the settings of the API server from the given values. Adds a fault for each invalid value. Reads the files
 * of the read tokens only for a primary cluster.
 */
export function compileApi(
  values: SettingValues,
  faults: Fault[],
  { locate, primary }: { readonly locate: Locate; readonly primary: boolean },
): ApiSettings {
  const { 'api.token': token, 'api.readTokensPath': readTokensPath } = values;
  const listen = checkedListen('api.listen', values, faults);
  return {
    listen,
    token,
    readTokens:
      primary && readTokensPath !== undefined
        ? readReadTokens(locate('api.readTokensPath', readTokensPath), token, faults)
        : [],
    openRead: values['api.openRead'],
    origins: checkedOrigins('api.origins', values, faults),
    hosts: hostsOf(values, faults),
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
      megabytes: values['api.limits.megabytes'],
      concurrent: values['api.limits.concurrent'],
      waiting: values['api.limits.waiting'],
    },
  };
}

/** Returns the configured web origins. Adds a fault for each one that is invalid. Only `api.origins` may have `*`. */
export function checkedOrigins(
  setting: 'api.origins' | 'temporal.codec.origins',
  values: SettingValues,
  faults: Fault[],
): readonly string[] | undefined {
  const origins = values[setting];
  const all = setting === 'api.origins' ? ', or *' : '';
  for (const origin of origins ?? []) {
    if (origin === '*' && all !== '') continue;
    // `sent` is the origin in the form in which browsers send it. An origin in any other form would never match.
    const sent = /^https?:[^*]*$/i.test(origin) && URL.canParse(origin) ? new URL(origin).origin : undefined;
    if (origin === sent) continue;
    const right = sent === undefined ? `use one such as https://grafana.example${all}` : `write ${sent}`;
    faults.push({ setting, detail: `${origin} is not an origin (${setting}): ${right}.` });
  }
  return origins;
}

function hostsOf(values: SettingValues, faults: Fault[]): readonly string[] {
  const hosts = values['api.hosts'];
  for (const host of hosts) {
    if (host === '*' || /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(host)) continue;
    faults.push({
      setting: 'api.hosts',
      detail: `${host} is not a host name (api.hosts): write it without scheme and port, such as costs.example, or *.`,
    });
  }
  return hosts;
}

/** Returns the configured address to listen on. Adds a fault if the address is invalid. */
export function checkedListen(
  setting: 'api.listen' | 'health.listen' | 'temporal.codec.listen',
  values: SettingValues,
  faults: Fault[],
): string {
  const listen = values[setting] ?? '';
  try {
    parseListen(listen, setting);
  } catch (error) {
    if (!isFederationError(error)) throw error;
    faults.push({ setting, detail: error.detail });
  }
  return listen;
}
