import type { Command } from 'commander';
import { silentLog } from '../config/log';
import { loadSettings, type Settings } from '../config/settings';
import { openBucket } from '../storage/open-bucket';
import type { FederatedStore } from '../storage/federated-store';
import { FederationError } from '../errors/federation-error';
import { Releasers } from '../workers/releasers';
import type { CommandOptions } from './context';
import { checkBucket } from './doctor/bucket';
import { failed, type Check } from './doctor/check';
import { checkClusters } from './doctor/clusters';
import { backupNeed, checkLocalEtl } from './doctor/local-etl';
import { checkSettings, checkStore } from './doctor/settings';
import { showChecks, verdict } from './doctor/show-checks';
import { checkTemporal } from './doctor/temporal';
import { print, printJson } from './output';
import { stopOnSignals } from './stop-on-signals';

interface DoctorOptions extends CommandOptions {
  readonly strict?: true;
  readonly json?: true;
}

/** Adds the verb `doctor` to the program. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check settings, local ETL, bucket and Temporal from here, and say what to do about what fails',
    )
    .option('--strict', 'settings of the store that nobody knows are failures')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl doctor --config cluster-4.yaml\n\nExit status 1: something failed.\n',
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<DoctorOptions>();
      // So that nothing of ours stays in the bucket. What is printed says that it was interrupted.
      using stop = stopOnSignals(silentLog);
      const checks: Check[] = [];
      for await (const some of examine(options, stop)) {
        checks.push(...some);
        if (!options.json) showChecks(some, process.stdout.columns || 100);
      }
      const ok = checks.every(({ outcome }) => outcome !== 'failed') && !stop.aborted;
      if (options.json) printJson({ checks, ok });
      else print(`\n${stop.aborted ? 'Interrupted.' : verdict(checks)}`);
      if (!ok) process.exitCode = 1;
    });
}

/** What was found, a part of it at a time. One that fails keeps no other from being looked at. */
async function* examine(options: DoctorOptions, signal: AbortSignal): AsyncGenerator<Check[]> {
  const settings = readSettings(options);
  if ('outcome' in settings) {
    yield [settings, skipped('settings', 'everything else', 'It depends on the settings.')];
    return;
  }
  const { checks, store } = await checkStore(settings, options.strict === true);
  yield [...checkSettings(settings), ...checks];
  yield await checkLocalEtl(settings);
  if (signal.aborted) return;

  const opened = store && (await openStore(store, settings.storage.gcsEmulator));
  await using closing = new Releasers();
  let usable = false;
  if (opened === undefined) yield [skipped('bucket', 'everything', 'The store’s settings cannot be used.')];
  else if ('outcome' in opened) yield [opened];
  else {
    closing.defer(() => opened.bucket.close());
    const found = await checkBucket(opened.bucket, opened.store, settings, {
      backup: await backupNeed(settings),
      signal,
    });
    usable = found.usable;
    yield [...found.checks, ...[...opened.warnings].map(warning)];
  }
  if (signal.aborted) return;

  const bucket = opened === undefined || 'outcome' in opened ? undefined : opened.bucket;
  const temporal = await checkTemporal(settings, bucket?.label);
  yield temporal.checks;
  if (signal.aborted) return;

  if (!settings.roles.federator)
    yield [{ check: 'clusters', outcome: 'not needed', detail: 'Only a federator looks at all clusters.' }];
  else if (bucket === undefined || !usable)
    yield [skipped('clusters', 'found', 'The bucket cannot be used.')];
  else yield await checkClusters(bucket, settings, temporal.exclusions);
}

function readSettings({ config }: DoctorOptions): Settings | Check {
  try {
    return loadSettings({ file: config });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return failed('settings', 'file', error);
  }
}

async function openStore(store: FederatedStore, gcsEmulator: string | undefined) {
  try {
    const warnings = new Set<string>();
    const bucket = await openBucket(store, { gcsEmulator, warn: (text) => warnings.add(text) });
    // Those of its settings have their lines already; what comes from here on, has not.
    warnings.clear();
    return { bucket, store, warnings };
  } catch (error) {
    return failed('bucket', 'open', error);
  }
}

function warning(detail: string): Check {
  return { check: 'bucket', outcome: 'warning', detail };
}

function skipped(check: Check['check'], subject: string, detail: string): Check {
  return { check, subject, outcome: 'skipped', detail };
}
