import { FederationError } from '../errors/federation-error';
import { nearestName } from '../errors/nearest-name';
import { keepPasswordsIn, keepSecretsIn } from '../errors/secrets';
import { ownValue } from '../etl/own-value';
import { settingKey, type SettingName, settingNames, type SettingValues, variableOf } from './keys';
import type { Found } from './settings-file';

/** An invalid setting. `detail` is a sentence that says what is wrong with it. */
export interface Fault {
  readonly setting: string;
  readonly detail: string;
}

/**
 * Makes a path from the settings absolute. A path in the settings file is relative to that file. All other paths are
 * relative to the working directory.
 */
export type Locate = (name: SettingName, path: string) => string;

/**
 * Returns one error that lists all faults, so that users can correct all of them at once. `notice` is added to the
 * list.
 */
export function settingsInvalid(faults: readonly Fault[], notice?: string): FederationError {
  const lines = faults.map(({ detail }) => detail);
  return new FederationError('SETTINGS_INVALID', {
    subject: { setting: faults.map(({ setting }) => setting).join(', ') },
    detail: [...lines, ...(notice === undefined ? [] : [notice])].join('\n  '),
  });
}

/**
 * Reads the settings in environment variables. Ignores empty variables, because Helm charts may set variables to an
 * empty string.
 */
export function readVariables(env: NodeJS.ProcessEnv): Map<string, Found> {
  return new Map(
    settingNames.flatMap((name) => {
      const value = ownValue(env, variableOf(name));
      return value === undefined || value === ''
        ? []
        : [[name, { value, where: variableOf(name), textual: true }] as const];
    }),
  );
}

/**
 * Returns a notice for each environment variable that looks like a misspelled setting: its name starts with
 * `FEDERATED_` and differs from a setting's variable in at most two characters. Larger differences are ignored, because
 * Kubernetes and our own set-up define other variables with this prefix.
 */
export function misspelledVariables(env: NodeJS.ProcessEnv): string[] {
  const known = settingNames.map(variableOf);
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('FEDERATED_') || name === 'FEDERATED_ETL_CONFIG' || known.includes(name)) return [];
    const meant = nearestName(name, known);
    return meant !== undefined && meant.far <= 2
      ? [`${name} is not a setting; did you mean ${meant.name}?`]
      : [];
  });
}

/** Checks the value of each setting and fills in the defaults. Adds a fault for each invalid value. */
export function checkValues(found: ReadonlyMap<string, Found>, faults: Fault[]): SettingValues {
  const check = (name: SettingName): unknown => {
    const { kind, byDefault, secret } = settingKey(name);
    const given = found.get(name);
    (secret ? keepSecretsIn : keepPasswordsIn)(given?.value);
    if (given === undefined && byDefault === undefined) return undefined;
    const value =
      given === undefined ? byDefault : given.textual ? kind.fromText(String(given.value)) : given.value;
    const checked = kind.schema.safeParse(value);
    if (checked.success) return checked.data;
    const shown = secret ? 'the given value' : JSON.stringify(given?.value);
    faults.push({
      setting: name,
      detail: `${given?.where ?? name}: ${name} takes ${kind.takes}, not ${shown}.`,
    });
    return undefined;
  };
  return Object.fromEntries(settingNames.map((name) => [name, check(name)])) as SettingValues;
}
