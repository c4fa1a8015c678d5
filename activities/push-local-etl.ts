import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Log } from '../config/log';
import type { ClusterId } from '../etl/cluster-id';
import { count } from '../federation/count';
import { requireInstance } from '../local-etl/instance';
import { listWindowFiles, type LocalFile } from '../local-etl/list';
import { PassedOverPlaces } from '../local-etl/passed-over';
import { Pusher, type PushOutcome } from '../local-etl/pusher';
import { takeMended } from '../local-etl/state';
import type { LocalEtl } from '../local-etl/store';
import { transfersAtOnce } from '../local-etl/transfers';
import { sweepTemporary } from '../local-etl/write';
import type { Bucket } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';

export interface PushDependencies {
  readonly bucket: Bucket;
  readonly cluster: ClusterId;
  readonly store: LocalEtl;
  readonly log: Log;
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

/** A local file in the summary of a push or pull, and the reason why it is listed there, such as an error. */
export interface FileNote {
  /** Path of the file below `bingen/`. */
  path: string;
  why: string;
  /** Code of the error; undefined if the reason is not an error. */
  code?: string;
}

/** A number of files, with the first few as examples. */
export interface FileNotes {
  count: number;
  examples: FileNote[];
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

const shownExamples = 20;
/**
 * How long after an upload the summaries of pushes still mention a file in `shrunk` or `vanished`, in milliseconds. A
 * file in `shrunk` is no longer mentioned once it has been replaced.
 */
const listedForMs = 86_400_000;

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
    const pusher = await Pusher.open({ ...deps, signal });
    const summary = emptySummary();
    const paths = new Set<string>();
    const passedOver = new PassedOverPlaces();
    const files = listWindowFiles(deps.store, { signal, passOver: passedOver.add });
    let vanished = 0;
    try {
      await mapConcurrently(files, transfersAtOnce, async (file) => {
        paths.add(file.path);
        const outcome = await pusher.push(file);
        tally(summary, file, outcome);
        if (outcome.kind === 'uploaded' && outcome.vanished) vanished++;
        deps.heartbeat({ uploaded: summary.uploaded, files: summary.files });
        await pusher.cache.saveNowAndThen();
      });
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
    // Most of these places never change. So log them only if the list has changed.
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

/** Counts a file. Also adds it to the examples, unless there are enough already. */
export function noteFile(notes: FileNotes, note: FileNote): void {
  notes.count++;
  if (notes.examples.length < shownExamples) notes.examples.push(note);
}

/** The files, folders and links that the scan of a push or pull skipped. */
export type PassedOverNotes = Pick<PushSummary, 'unreadable' | 'links'>;

/** Adds the places that a scan of the local ETL skipped to a summary. */
export function notePassedOver(summary: PassedOverNotes, { unreadable, links }: PassedOverPlaces): void {
  for (const { path, why } of unreadable) noteFile(summary.unreadable, { path, why });
  for (const { path, why } of links) noteFile(summary.links, { path, why });
}

/** Describes the places that a scan skipped: one sentence for each kind, with an example. */
export function describePassedOver({ unreadable, links }: PassedOverNotes): string[] {
  const [place, link] = [unreadable.examples[0], links.examples[0]];
  return [
    ...(place
      ? [`${count(unreadable.count, 'place')} could not be read, such as ${place.path}: ${place.why}`]
      : []),
    ...(link ? [`${count(links.count, 'link')} not followed, such as ${link.path}.`] : []),
  ];
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

/** Logs which state files were damaged and have been restored. */
export function logMended(
  { log, cluster }: Pick<PushDependencies, 'log' | 'cluster'>,
  store: LocalEtl,
): void {
  for (const file of takeMended(store))
    log.warn(
      { event: 'state.mended', cluster, file },
      `${file} was damaged; it was restored from its copy. Check the disk`,
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
