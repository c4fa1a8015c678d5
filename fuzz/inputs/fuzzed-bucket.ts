import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type MergeThreads, startMergeThreads } from '../../activities/threads/merge-threads';
import { decodeSet } from '../../etl/file';
import { parseWindowId, type WindowId } from '../../etl/window';
import { keptVersion } from '../../federation/decision';
import { readDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { objectKey } from '../../federation/layout';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { readAll } from '../../storage/read-all';
import { keptFile, sourceKey, TestFederator } from '../../test/activities/federated-bucket';
import { type Outcome, requireRefusal, requireSame, Wrong } from './check-file';
import { clusters, goldenSource, windows } from './corpus';
import type { Input } from './inputs';

/** Memory that the merges may use. The same as in a container with 512 MiB. */
const mergeMemory = 128 * 2 ** 20;
/** Largest size of a gzipped source when it is unpacked. Smaller than in production, so that it is often exceeded. */
const mostUnpacked = 32 * 2 ** 20;

/** A bucket in a folder, into which damaged files are put. A federator merges them with all activities of a run. */
export class FuzzedBucket {
  /** Fingerprints of the merged windows that were checked. */
  private readonly checked = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly federator: TestFederator,
  ) {}

  /** Starts with undamaged files of all clusters. The caller must call `close`. */
  static open(threads: MergeThreads): FuzzedBucket {
    const folder = mkdtempSync(path.join(tmpdir(), 'federated-etl-fuzz-'));
    const federator = new TestFederator(openFilesystem({ directory: folder }), threads);
    Object.assign(federator.deps, { mergeMemory, mostUnpacked });
    return new FuzzedBucket(folder, federator);
  }

  /**
   * Puts the inputs in their places, and undamaged files in all others. Merges, and checks the result. Returns how each
   * input was answered. Throws `Wrong` if anything is not as it must be.
   */
  async merge(inputs: readonly Input[]): Promise<Outcome[]> {
    const { bucket } = this.federator;
    for (const window of windows) {
      for (const cluster of clusters) {
        const input = inputs.find((one) => one.cluster === cluster && one.window === window);
        await bucket.put(sourceKey(cluster, window), input?.bytes ?? goldenSource(cluster, window));
      }
    }
    const { commit } = await this.federator.federateToEnd();
    if (commit?.status !== 'committed' && commit?.status !== 'unchanged')
      throw new Wrong(`The run ended with ${commit?.status}.`);
    const { quarantined } = await this.federator.newest();
    for (const { code } of quarantined) requireRefusal(code);
    for (const window of windows) await this.checkWindow(window as WindowId);
    return inputs.map(
      ({ cluster, window }) =>
        quarantined.find((one) => one.cluster === cluster && one.window === window)?.code ?? 'accepted',
    );
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Checks that a merged window equals what decoding and merging its sources gives. */
  private async checkWindow(window: WindowId): Promise<void> {
    const { bucket } = this.federator;
    const entry = (await this.federator.newest()).windows[window];
    const pipeline = parseWindowId(window)?.pipeline;
    if (entry === undefined || pipeline === undefined || this.checked.has(entry.fingerprint)) return;
    this.checked.add(entry.fingerprint);
    const provenance = await readDocument(bucket, documents.provenance.at(entry.fingerprint));
    if (provenance === undefined) throw new Wrong(`${window} has no provenance.`);
    const sets = [];
    for (const { cluster, decision, contribution } of provenance.sources) {
      if (contribution === undefined) continue;
      const key =
        keptVersion(decision) === undefined ? sourceKey(cluster, window) : keptFile(cluster, window);
      const { bytes } = await readAll(bucket, key);
      sets.push({ id: cluster, set: decodeSet(pipeline, bytes) });
    }
    const { bytes } = await readAll(bucket, objectKey(entry.fingerprint));
    requireSame(pipeline, bytes, sets);
  }
}

/** Starts the merge threads that all buckets of a process share. */
export function startFuzzThreads(): MergeThreads {
  return startMergeThreads({ threads: 1 });
}
