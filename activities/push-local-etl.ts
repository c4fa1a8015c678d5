import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Log } from '../config/log';
import type { ClusterId } from '../etl/cluster-id';
import { requireInstance } from '../local-etl/instance';
import { listWindowFiles, type LocalFile } from '../local-etl/list';
import { Pusher, type PushOutcome } from '../local-etl/pusher';
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
  /** Memory budget that all pushes and pulls of this process share. */
  readonly budget: MemoryBudget;
  /** Reports to Temporal that the activity is alive, and its progress. */
  readonly heartbeat: (details: unknown) => void;
  /** Returns the signal that is aborted when the activity must end. Called once per run. */
  readonly signal: () => AbortSignal;
}

export interface PushInput {
  /** Id of the volume that the cluster's data comes from, as `instanceOf` returns it. */
  instance: string;
}

/** A local file that was not pushed, and why. */
export interface FileNote {
  /** Path below `bingen/`. */
  path: string;
  why: string;
  /** Error code, if there is one. */
  code?: string;
}

/** Number of files, with the first few as examples. */
export interface FileNotes {
  count: number;
  examples: FileNote[];
}

export interface PushSummary {
  /** Number of window files found. */
  files: number;
  uploaded: number;
  /** Number of uploaded bytes. */
  bytes: number;
  /** Number of files that are already in the cluster's folder in Federated Storage. */
  unchanged: number;
  /** Number of files that were not pushed because a pull wrote them. */
  pulled: number;
  /** Files that were not pushed because they are incomplete; some may still be being written. */
  incomplete: FileNotes;
  /** Complete files that were not pushed, because they may not be this cluster's own or their path cannot be a key. */
  refused: FileNotes;
}

const shownExamples = 20;

/**
 * Updates the cluster's folder in Federated Storage from its local ETL. Uploads, byte for byte, the files that the
 * folder lacks or has with other content. Never deletes anything. Idempotent: after an interruption, the next run
 * continues.
 */
export function createPushLocalEtl(deps: PushDependencies): (input: PushInput) => Promise<PushSummary> {
  return async ({ instance }) => {
    const signal = deps.signal();
    await requireInstance(deps.store, deps.cluster, instance);
    await sweepTemporary(deps.store);
    const pusher = await Pusher.open({ ...deps, signal });
    const summary: PushSummary = emptySummary();
    const paths = new Set<string>();
    try {
      await mapConcurrently(listWindowFiles(deps.store, signal), transfersAtOnce, async (file) => {
        paths.add(file.path);
        const outcome = await pusher.push(file);
        count(summary, file, outcome);
        deps.heartbeat({ uploaded: summary.uploaded, files: summary.files });
        await pusher.cache.saveNowAndThen();
      });
      pusher.cache.keepOnly(paths);
    } finally {
      await pusher.cache.save();
    }
    logSkipped(deps, summary);
    return summary;
  };
}

function emptySummary(): PushSummary {
  const none = () => ({ count: 0, examples: [] });
  return { files: 0, uploaded: 0, bytes: 0, unchanged: 0, pulled: 0, incomplete: none(), refused: none() };
}

function count(summary: PushSummary, { path }: LocalFile, outcome: PushOutcome): void {
  if (outcome.kind === 'gone') return;
  summary.files++;
  if (outcome.kind === 'uploaded') {
    summary.uploaded++;
    summary.bytes += outcome.bytes;
  } else if (outcome.kind === 'incomplete' || outcome.kind === 'refused') {
    const { kind, ...why } = outcome;
    noteFile(summary[kind], { path, ...why });
  } else {
    summary[outcome.kind]++;
  }
}

/** Counts a file, and adds it to the examples if it is among the first. */
export function noteFile(notes: FileNotes, note: FileNote): void {
  notes.count++;
  if (notes.examples.length < shownExamples) notes.examples.push(note);
}

function logSkipped({ log, cluster }: PushDependencies, { incomplete, refused }: PushSummary): void {
  if (refused.count > 0) {
    const first = refused.examples[0];
    log.warn(
      { event: 'push.refused', cluster, files: refused.count, path: first?.path },
      `FederatedCluster did not push ${refused.count} files that are not certainly its own; ${first?.path}: ${first?.why}`,
    );
  }
  for (const { path, why, code } of incomplete.examples) {
    log.debug(
      { event: 'push.incomplete', cluster, path, code },
      `FederatedCluster skipped ${path} for now: ${why}`,
    );
  }
}
