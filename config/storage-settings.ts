import { existsSync } from 'node:fs';
import type { SettingValues } from './keys';
import type { Found } from './settings-file';
import type { Fault, Locate } from './values';

/** Says which file describes the bucket, and whether to use a GCS emulator. */
export interface StorageSettings {
  /** Absolute path of the file that describes the bucket. */
  readonly file: string;
  /** True if Kubecost's own backup uses the same file. */
  readonly existing: boolean;
  /** URL of a Google Cloud Storage emulator to use instead of GCS. */
  readonly gcsEmulator?: string;
}

/**
 * Compiles the settings of the bucket. Adds a fault for each invalid value. A missing file is a fault only if the
 * cluster has a role in the federation. Adds a notice if the bucket is shared with Kubecost's backup, or if a GCS
 * emulator is used.
 */
export function compileStorage(
  values: SettingValues,
  found: ReadonlyMap<string, Found>,
  hasRole: boolean,
  locate: Locate,
  faults: Fault[],
  notices: string[],
): StorageSettings {
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
  if (hasRole && !existsSync(file)) {
    const where = found.get(setting)?.where ?? 'the default';
    faults.push({
      setting,
      detail: `A role needs storage, but there is no file ${file} (${setting}, by ${where}).`,
    });
  }
  if (existing) {
    const over = found.has('storage.configFile')
      ? ' It overrides storage.configFile, which was ignored.'
      : '';
    notices.push(
      `federatedETL.useExistingS3Config: storage is configured by ${file}.${over} Kubecost's backup shares that bucket ` +
        'and becomes unreliable if more than one cluster does this; use a separate federated-store.yaml to avoid that.',
    );
  }
  const gcsEmulator = values['storage.gcsEmulator'];
  if (gcsEmulator !== undefined) {
    if (!isOrigin(gcsEmulator))
      faults.push({
        setting: 'storage.gcsEmulator',
        detail: `${gcsEmulator} is not the URL of an emulator: only scheme, host and port, such as http://127.0.0.1:4443, would be used (storage.gcsEmulator).`,
      });
    notices.push(
      `storage.gcsEmulator: a store of type GCS is accessed at ${gcsEmulator}, without authentication.`,
    );
  }
  return { file, existing, ...(gcsEmulator !== undefined && { gcsEmulator }) };
}

/** Returns whether a URL consists only of `http` or `https`, a host and optionally a port. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin, href } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && href === `${origin}/`;
}
