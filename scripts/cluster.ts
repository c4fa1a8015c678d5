import type { Command } from 'commander';
import { openLoggedBucket } from '../config/open-logged-bucket';
import { count } from '../federation/count';
import { describeRemoved } from '../federation/removal';
import {
  type ClusterFiles,
  deleteClusterFiles,
  listClusterFiles,
  requireQuiet,
} from '../operator/cluster-files';
import { dryRun } from '../operator/dry-run';
import { formatBytes } from '../operator/format';
import { decisionRequest } from '../operator/person-request';
import { readRemovable, type RemovableCluster, requireCommitted } from '../operator/removal';
import type { Bucket } from '../storage/bucket';
import { confirm } from './confirm';
import { type CommandOptions, type Context, openContext } from './context';
import { describeFederation } from './federation-progress';
import { followRun, startRun } from './follow-run';
import { print, printJson, printNote } from './output';
import { showProgress } from './progress';
import { nothingChanged, showDryRun, showPlan } from './show-dry-run';
import { stopOnSignals } from './stop-on-signals';
import type { WaitOptions } from './wait-options';
import { whoAmI } from './who';

interface ClusterOptions extends CommandOptions, WaitOptions {
  readonly reason?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
  readonly deleteFiles?: true;
  readonly store?: string;
}

/** Removes a cluster, or restores a removed one. */
export async function changeCluster(kind: 'remove' | 'restore', id: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<ClusterOptions>();
  if ((options.deleteFiles === undefined) !== (options.store === undefined))
    command.error('error: --delete-files and --store are used together', { exitCode: 2 });
  await using context = openContext(options);
  const known = await readRemovable(await context.bucket(), { kind, cluster: id });
  // Do not print these lines in a dry run, because it prints them together with its plan.
  if (!options.dryRun) for (const line of known.damaged) printNote(line);
  if (options.deleteFiles && options.store !== undefined)
    await removeWithFiles(context, command, known, { ...options, store: options.store });
  else await change(context, command, kind, known, options);
}

/** Removes or restores a cluster. Changes nothing if it is already removed, or already restored. */
async function change(
  context: Context,
  command: Command,
  kind: 'remove' | 'restore',
  { cluster, removed, history }: RemovableCluster,
  options: ClusterOptions,
): Promise<void> {
  if ((removed !== undefined) === (kind === 'remove')) {
    const state = removed === undefined ? 'not removed' : `already ${describeRemoved(removed)}`;
    if (options.json) printJson({ cluster, state });
    else print(`${cluster} is ${state}. ${nothingChanged}`);
    return;
  }
  const request = requestOf(kind, cluster, options);
  if (options.dryRun) return showPlan(await dryRun(context, request), options);
  if (kind === 'restore' && !history && !options.json)
    print(`No generation has the history of ${cluster} any more: it comes back with what its folder holds.`);
  if (kind === 'remove' && !(await confirm(command, question(cluster), options))) return;
  const run = await startRun(context, request);
  if (!options.wait) {
    const until = `until it commits, ${cluster} is not ${kind}d`;
    if (options.json) printJson({ run });
    else print(`${run} has started; ${until}. Follow it with \`federated-etl runs\`.`);
    return;
  }
  const summary = await followRun(context, run, options);
  await requireCommitted(await context.bucket(), { kind, cluster }, summary.why);
  if (options.json) printJson(summary);
  else {
    print(...describeFederation(summary));
    print(`${cluster} is ${kind}d since generation ${summary.generation}.`);
  }
}

/** Removes a cluster if it is not removed yet. Then deletes its files. */
async function removeWithFiles(
  context: Context,
  command: Command,
  { cluster, removed }: RemovableCluster,
  options: ClusterOptions & { readonly store: string },
): Promise<void> {
  const { gcsEmulator } = context.settings.storage;
  const store = await openLoggedBucket({ file: options.store, gcsEmulator }, context.log);
  try {
    const files = await listClusterFiles(store, cluster);
    if (options.dryRun) return await showDeletion(context, files, removed === undefined, options);
    const { client } = await context.temporal();
    const quiet = () => requireQuiet(store, files, { client, names: context.names });
    await quiet();
    const asked = removed === undefined ? `${question(cluster)} ` : '';
    const what = `${count(files.keys.length, 'file')} (${formatBytes(files.bytes)}) of its folder in ${store.label} will be deleted for good.`;
    if (!(await confirm(command, `${asked}${what} Go on?`, options))) return;
    if (removed === undefined) {
      const summary = await followRun(
        context,
        await startRun(context, requestOf('remove', cluster, options)),
        options,
      );
      if (!options.json) print(...describeFederation(summary));
      await requireCommitted(store, { kind: 'remove', cluster }, summary.why);
      await quiet();
    }
    await deleteShowing(context, command, store, files, options);
  } finally {
    await store.close();
  }
}

async function deleteShowing(
  { log }: Context,
  command: Command,
  store: Bucket,
  files: ClusterFiles,
  { json }: ClusterOptions,
): Promise<void> {
  using stop = stopOnSignals(log);
  using progress = showProgress('delete', { noun: 'files' });
  const result = await deleteClusterFiles(store, files, { stop, progress: progress.update });
  if (json) printJson({ cluster: files.cluster, ...result });
  else print(`Deleted ${count(result.deleted, 'file')} of ${files.cluster}; ${result.left} are left.`);
  if (result.left > 0) process.exitCode = 1;
}

/** Shows what removing a cluster and deleting its files would change. */
async function showDeletion(
  context: Context,
  { cluster, keys, bytes }: ClusterFiles,
  removes: boolean,
  options: ClusterOptions,
): Promise<void> {
  const plan = removes ? await dryRun(context, requestOf('remove', cluster, options)) : undefined;
  if (options.json) return printJson({ ...plan, files: { count: keys.length, bytes, keys } });
  if (plan !== undefined) showDryRun(plan);
  for (const key of keys) print(`would delete ${key}`);
  print(`${count(keys.length, 'file')} (${formatBytes(bytes)}) to delete. ${nothingChanged}`);
}

function question(cluster: string): string {
  return `Remove ${cluster} from the combined set? It leaves every window; \`cluster restore\` brings it back.`;
}

function requestOf(
  kind: 'remove' | 'restore',
  cluster: RemovableCluster['cluster'],
  { reason }: ClusterOptions,
) {
  return decisionRequest(whoAmI(), { kind, cluster }, reason);
}
