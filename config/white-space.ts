import type { ClientConfigProfile } from '@temporalio/envconfig';
import { ownValue } from '../etl/own-value';
import type { Found } from './settings-file';
import type { Fault } from './values';

/**
 * Environment variables from which the cloud SDKs take credentials. This program cannot trim their values, because only
 * the SDKs read them.
 */
const credentialVariables = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_TENANT_ID',
];

/** Removes white space around the texts of settings, with a notice for each. */
export function withoutSpaces(found: ReadonlyMap<string, Found>, notices: string[]): Map<string, Found> {
  return new Map(
    [...found].map(([name, one]) => {
      const { value, where } = one;
      if (typeof value !== 'string' || value.trim() === value) return [name, one];
      notices.push(`${where}: ${name} has white space around it, which is ignored.`);
      return [name, { ...one, value: value.trim() }];
    }),
  );
}

/** Removes white space around the variables that configure the connection to Temporal, with a notice for each. */
export function trimTemporalVariables(env: NodeJS.ProcessEnv, notices: string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      // Skip variables that are also settings: they already have a notice.
      if (!name.startsWith('TEMPORAL_') || value === undefined || value.trim() === value)
        return [name, value];
      const isSetting = name === 'TEMPORAL_ADDRESS' || name === 'TEMPORAL_NAMESPACE';
      if (!isSetting) notices.push(`${name} has white space around it, which is ignored.`);
      return [name, value.trim()];
    }),
  );
}

/**
 * Removes white space around the texts of a profile of the `temporal` CLI, with a notice for each. Certificates and
 * keys in the profile itself are left as they are, because white space around them is harmless.
 */
export function trimProfile(profile: ClientConfigProfile, notices: string[]): ClientConfigProfile {
  return trimTexts(profile, '', notices) as ClientConfigProfile;
}

function trimTexts(value: unknown, path: string, notices: string[]): unknown {
  if (typeof value === 'string') {
    if (value.trim() !== value)
      notices.push(`${path} of the Temporal profile has white space around it, which is ignored.`);
    return value.trim();
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, trimTexts(inner, inProfile(path, name), notices)]),
  );
}

/** Returns the path of an option as the file of the profile spells it, such as `tls.client_key_path`. */
function inProfile(path: string, name: string): string {
  if (name === 'path') return `${path}_path`;
  const spelled = name.replace(/[a-z](?=[A-Z])|[A-Z](?=[A-Z][a-z])/g, '$&_').toLowerCase();
  return path === '' ? spelled : `${path}.${spelled}`;
}

/**
 * Adds a fault for each variable with cloud credentials that contains white space, such as a line break at its end.
 * Requests with such credentials would fail.
 */
export function checkCredentialVariables(env: NodeJS.ProcessEnv, faults: Fault[]): void {
  for (const name of credentialVariables) {
    if (!/[\s\p{Cc}]/u.test(ownValue(env, name) ?? '')) continue;
    faults.push({
      setting: name,
      detail: `${name} has white space or a line break in it, so no request can be signed with it. Set it without.`,
    });
  }
}
