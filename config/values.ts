import { FederationError } from '../errors/federation-error';
import { settingKey, settingNames, variableOf, type SettingName, type SettingValues } from './keys';
import { nearest, type Found } from './settings-file';

/** A setting that is wrong: which, and how, in a sentence. */
export interface Fault {
  readonly setting: string;
  readonly detail: string;
}

/** Everything that is wrong at once, so that nobody corrects one mistake only to meet the next. */
export function settingsInvalid(faults: readonly Fault[]): FederationError {
  return new FederationError('SETTINGS_INVALID', {
    subject: { setting: faults.map(({ setting }) => setting).join(', ') },
    detail: faults.map(({ detail }) => detail).join('\n  '),
  });
}

/** The settings that the environment names. An empty variable counts as not set, as charts render those. */
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
 * Variables that look like a setting's but are none. Only those close to a real one: Kubernetes and the set-up have
 * variables that begin in the same way.
 */
export function misspelledVariables(env: NodeJS.ProcessEnv): string[] {
  const known = settingNames.map(variableOf);
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('FEDERATED_') || name === 'FEDERATED_ETL_CONFIG' || known.includes(name)) return [];
    const meant = nearest(name, known);
    return meant !== undefined && meant.far <= 2 ? [`${name} is no setting; ${meant.name} is.`] : [];
  });
}

/** Checks each value by itself, and fills in what stands by default. */
export function checkValues(found: ReadonlyMap<string, Found>, faults: Fault[]): SettingValues {
  const check = (name: SettingName): unknown => {
    const { kind, byDefault, secret } = settingKey(name);
    const given = found.get(name);
    if (given === undefined && byDefault === undefined) return undefined;
    const value =
      given === undefined ? byDefault : given.textual ? kind.fromText(String(given.value)) : given.value;
    const checked = kind.schema.safeParse(value);
    if (checked.success) return checked.data;
    const shown = secret ? 'what it is' : JSON.stringify(given?.value);
    faults.push({
      setting: name,
      detail: `${given?.where ?? name}: ${name} takes ${kind.takes}, not ${shown}.`,
    });
    return undefined;
  };
  return Object.fromEntries(settingNames.map((name) => [name, check(name)])) as SettingValues;
}
