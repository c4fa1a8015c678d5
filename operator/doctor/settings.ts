import { resolve } from 'node:path';
import type { OperatorSettings, Roles, Settings } from '../../config/settings';
import { describeFederatedStore, type FederatedStore } from '../../storage/federated-store';
import { readFederatedStore } from '../../storage/open-bucket';
import { type Check, failed } from './check';

const check = 'settings';

/**
 * Reports this cluster's id, roles and files, as defined by the settings. Warns about settings that were overridden or
 * ignored.
 */
export function checkSettings(settings: OperatorSettings): Check[] {
  const { clusterId, file, roles, storage, notices } = settings;
  const names = roleNames(roles);
  return [
    {
      check,
      subject: 'file',
      outcome: 'ok',
      detail:
        file === undefined ? 'No settings file: environment variables and defaults only.' : resolve(file),
    },
    clusterId === undefined
      ? { check, subject: 'cluster id', outcome: 'not needed', detail: 'This machine has no role.' }
      : { check, subject: 'cluster id', outcome: 'ok', detail: `${clusterId} is valid.` },
    names.length > 0
      ? { check, subject: 'roles', outcome: 'ok', detail: names.join(', ') }
      : {
          check,
          subject: 'roles',
          outcome: 'warning',
          detail: 'None: this cluster can inspect a federation, but `run` has nothing to do.',
          todo: 'Set federatedETL.federatedCluster, federatedETL.federator.enabled or federatedETL.primaryCluster.',
        },
    {
      check,
      subject: 'storage file',
      outcome: 'ok',
      detail: storage.existing
        ? `${storage.file}, by federatedETL.useExistingS3Config: storage.existingConfigFile is used.`
        : `${storage.file}, by storage.configFile.`,
    },
    ...notices.map((notice): Check => ({ check, subject: 'notice', outcome: 'warning', detail: notice })),
  ];
}

/**
 * Checks the settings of the store. If they are invalid, the result has no `store`. If `strict` is true, an unknown key
 * is a failure instead of a warning.
 */
export async function checkStore(
  { storage: { file } }: Settings,
  strict: boolean,
): Promise<{ checks: Check[]; store?: FederatedStore }> {
  try {
    const store = await readFederatedStore(file);
    const warnings = store.warnings.map((warning): Check => {
      const unknown = store.unknown.includes(warning);
      return {
        check,
        subject: 'storage file',
        outcome: unknown && strict ? 'failed' : 'warning',
        detail: warning,
        ...(unknown && {
          todo: 'Correct its spelling or remove it; docs/reference/federated-store.md lists all settings.',
        }),
      };
    });
    const detail = flat(describeFederatedStore(store)).join(', ');
    return { checks: [{ check, subject: 'storage', outcome: 'ok', detail }, ...warnings], store };
  } catch (error) {
    return { checks: [failed(check, 'storage file', error)] };
  }
}

export function roleNames(roles: Roles): string[] {
  return [
    ...(roles.federatedCluster ? ['Federated Cluster'] : []),
    ...(roles.federator ? ['Federator'] : []),
    ...(roles.primaryCluster ? ['Primary Cluster'] : []),
  ];
}

/** Flattens nested settings to a list of `name: value`. Omits settings that are empty, false or 0. */
function flat(value: Record<string, unknown>, path = ''): string[] {
  return Object.entries(value).flatMap(([name, entry]) => {
    const isEmpty = entry === undefined || entry === null || entry === '' || entry === false || entry === 0;
    if (isEmpty) return [];
    if (typeof entry === 'object' && !Array.isArray(entry))
      return flat(entry as Record<string, unknown>, `${path}${name}.`);
    return [`${path}${name}: ${typeof entry === 'string' ? entry : JSON.stringify(entry)}`];
  });
}
