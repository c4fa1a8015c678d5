import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Log } from '../config/log';
import type { ClusterId } from '../etl/cluster-id';
import { pipelines } from '../etl/window';
import { count } from '../federation/count';
import { requireInstance } from '../local-etl/instance';
import { findPipelines, listPipelineFiles, type LocalFile } from '../local-etl/list';
import { sweepLocks } from '../local-etl/lock';
import { removeDamagedNames } from '../local-etl/own-names';
import { PassedOverPlaces } from '../local-etl/passed-over';
import { Pusher, type PushOutcome } from '../local-etl/pusher';
import type { LocalEtl } from '../local-etl/store';
import { transfersAtOnce } from '../local-etl/transfers';
import { sweepTemporary } from '../local-etl/write';
import type { Bucket } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';
import {
  describePassedOver,
  type FileNotes,
  noteFile,
  notePassedOver,
  type PassedOverNotes,
} from './file-notes';
import { logMended } from './log-mended';

export interface PushDependencies {
  readonly bucket: Bucket;
  readonly cluster: ClusterId;
  readonly store: LocalEtl;
  readonly log: Log;
  /** Version of this program. */
  readonly program: string;
  /** The fraction (0 to 1) of the records, or of any kind of resource hours, that a file may lose without a warning. */
  readonly shrinkage: number;
  /** Memory budget that all pushes and pulls of this process share. */
  readonly budget: MemoryBudget;
  /** Tells Temporal that the activity is alive, with its progress as details. */
  readonly heartbeat: (details: unknown) => void;
  /** Returns the abort signal of the current activity. Called once per run of the activity. */
  readonly signal: () => AbortSignal;
}

export interface PushInput {
  /**
   * Id of the volume to which the cluster id is bound, as returned by `instanceOf`. A push from any other volume fails.
   */
  instance: string;
}

export interface PushSummary {
  /** Number of window files found on the volume. */
  files: number;
  uploaded: number;
  /** Total size of the uploaded files in bytes. */
  bytes: number;
  /**
   * Files that were uploaded although they had lost much of their data: by this push, or by an earlier one within the
   * last day.
   */
  shrunk: FileNotes;
  /** Number of files that were not uploaded because the cluster's folder in Federated Storage already has them. */
  unchanged: number;
  /** Number of files that were not pushed because they were written by a pull, not by the cluster itself. */
  pulled: number;
  /**
   * Number of files that were uploaded again, by this push or by an earlier one within the last day, because their
   * copies were no longer in the bucket.
   */
  vanished: number;
  /** Files that were not pushed because they are incomplete. The cluster may still be writing some of them. */
  incomplete: FileNotes;
  /**
   * Complete files that were not pushed: they may belong to another cluster, or their path is not a valid object key.
   */
  refused: FileNotes;
  /** Files and folders that could not be read. The windows in these folders are not in any of the other numbers. */
  unreadable: FileNotes;
  /** Links found where folders or window files were expected. They are not followed. */
  links: FileNotes;
}

/**
 * After an upload, the summaries of pushes list the file in `shrunk` or `vanished` for this time, in milliseconds. A
 * file in `shrunk` is no longer listed once it has been replaced.
 */
const listedForMs = 86_400_000;

/**
 * The order in which pipelines are pushed. Allocations are last: the federator reads the cluster's inventory from an
 * allocations file, and the inventory contains what the files that were pushed before say, such as the agent.
 */
const pushOrder = pipelines.toReversed();

/**
 * Creates the activity that copies a cluster's local ETL to its folder in Federated Storage. Uploads each file that is
 * missing there or has different content. Does not alter the files, and never deletes anything. It can be interrupted
 * and run again at any time.
 */
export function createPushLocalEtl(deps: PushDependencies): (input: PushInput) => Promise<PushSummary> {
  let logged = '';
  return async ({ instance }) => {
    const signal = deps.signal();
    await requireInstance(deps.store, deps.cluster, instance);
    await sweepTemporary(deps.store);
    await sweepLocks(deps.store);
    if (await removeDamagedNames(deps.store)) logNamesLost(deps);
    const pusher = await Pusher.open({ ...deps, signal });
    const summary = emptySummary();
    const paths = new Set<string>();
    const passedOver = new PassedOverPlaces();
    const listing = { signal, passOver: passedOver.add };
    let vanished = 0;
    try {
      const found = await findPipelines(deps.store, listing);
      for (const pipeline of pushOrder) {
        if (!found.includes(pipeline)) continue;
        const files = listPipelineFiles(deps.store, pipeline, listing);
        await mapConcurrently(files, transfersAtOnce, async (file) => {
          paths.add(file.path);
          const outcome = await pusher.push(file);
          tally(summary, file, outcome);
          if (outcome.kind === 'uploaded' && outcome.vanished) vanished++;
          deps.heartbeat({ uploaded: summary.uploaded, files: summary.files });
          await pusher.cache.saveNowAndThen();
        });
      }
      pusher.cache.keepOnly(paths, passedOver);
      const since = Date.now() - listedForMs;
      for (const note of pusher.cache.shrunkSince(since)) noteFile(summary.shrunk, note);
      summary.vanished = pusher.cache.vanishedSince(since);
    } finally {
      await pusher.cache.save();
      logVanished(deps, vanished);
    }
    logSkipped(deps, summary);
    logMended(deps, deps.store);
    notePassedOver(summary, passedOver);
    // Log the skipped places only if the list has changed, because most of them never change.
    const text = describePassedOver(summary).join(' ');
    if (text !== '' && text !== logged) logPassedOver(deps, summary, text);
    logged = text;
    return summary;
  };
}

function emptySummary(): PushSummary {
  const none = () => ({ count: 0, examples: [] });
  return {
    files: 0,
    uploaded: 0,
    bytes: 0,
    shrunk: none(),
    unchanged: 0,
    pulled: 0,
    vanished: 0,
    incomplete: none(),
    refused: none(),
    unreadable: none(),
    links: none(),
  };
}

function tally(summary: PushSummary, { path }: LocalFile, outcome: PushOutcome): void {
  if (outcome.kind === 'gone') return;
  summary.files++;
  if (outcome.kind === 'uploaded') {
    summary.uploaded++;
    summary.bytes += outcome.bytes;
  } else if (outcome.kind === 'incomplete' || outcome.kind === 'refused' || outcome.kind === 'unreadable') {
    const { kind, ...why } = outcome;
    noteFile(summary[kind], { path, ...why });
  } else {
    summary[outcome.kind]++;
  }
}

function logPassedOver(
  { log, cluster }: Pick<PushDependencies, 'log' | 'cluster'>,
  { unreadable, links }: PassedOverNotes,
  text: string,
): void {
  log.warn(
    { event: 'push.passed-over', cluster, unreadable: unreadable.count, links: links.count },
    `FederatedCluster pushed the rest of the local ETL: ${text}`,
  );
}

function logNamesLost({ log, cluster, store }: PushDependencies): void {
  log.warn(
    { event: 'state.rebuilt', cluster, folder: store.state },
    `own-names.json in ${store.state} was damaged, and so was its copy. FederatedCluster reads all files again and finds the names in them; names that a person has added must be added again. Check the disk`,
  );
}

function logVanished({ log, cluster, bucket }: PushDependencies, vanished: number): void {
  if (vanished === 0) return;
  log.warn(
    { event: 'push.vanished', cluster, files: vanished },
    `FederatedCluster has uploaded ${count(vanished, 'file')} again, because their earlier copies were no longer in ${bucket.label}: the bucket was emptied or replaced, or somebody deleted them`,
  );
}

function logSkipped({ log, cluster }: PushDependencies, { incomplete, refused }: PushSummary): void {
  if (refused.count > 0) {
    const first = refused.examples[0];
    log.warn(
      { event: 'push.refused', cluster, files: refused.count, path: first?.path },
      `FederatedCluster did not push ${count(refused.count, 'file')} not certainly its own; ${first?.path}: ${first?.why}`,
    );
  }
  for (const { path, why, code } of incomplete.examples) {
    log.debug(
      { event: 'push.incomplete', cluster, path, code },
      `FederatedCluster skipped ${path} for now: ${why}`,
    );
  }
}
