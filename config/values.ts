import { FederationError } from '../errors/federation-error';
import { nearestName } from '../errors/nearest-name';
import { settingKey, type SettingName, settingNames, type SettingValues, variableOf } from './keys';
import type { Found } from './settings-file';

/** An invalid setting. `detail` says in a sentence what is wrong with it. */
export interface Fault {
  readonly setting: string;
  readonly detail: string;
}

/**
 * Makes the path in a setting absolute. A path is relative to the settings file or to the working directory, depending
 * on where the setting was given.
 */
export type Locate = (name: SettingName, path: string) => string;

/** Returns one error that lists all faults, so that they can be corrected in one go. */
export function settingsInvalid(faults: readonly Fault[]): FederationError {
  return new FederationError('SETTINGS_INVALID', {
    subject: { setting: faults.map(({ setting }) => setting).join(', ') },
    detail: faults.map(({ detail }) => detail).join('\n  '),
  });
}

/**
 * Reads the settings given by environment variables. An empty variable is treated as not set, since charts render empty
 * variables.
 */
export function readVariables(env: NodeJS.ProcessEnv): Map<string, Found> {
  return new Map(
    settingNames.flatMap((name) => {
      const value = env[variableOf(name)];
      return value === undefined || value === ''
        ? []
        : [[name, { value, where: variableOf(name), textual: true }] as const];
    }),
  );
}

/**
 * Returns a notice for each variable whose name looks misspelled. Reports only names close to a real one, since
 * Kubernetes and the set-up define other variables with the same prefix.
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

/** Checks each value and fills in the defaults. Adds a fault for each invalid value. */
export function checkValues(found: ReadonlyMap<string, Found>, faults: Fault[]): SettingValues {
  const check = (name: SettingName): unknown => {
    const { kind, byDefault, secret } = settingKey(name);
    const given = found.get(name);
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
