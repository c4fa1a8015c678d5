import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { clusterId } from '../../etl/cluster-id';
import { encodeMerged } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { parseWindowId, type WindowId } from '../../etl/window';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import type { Generation, GenerationWindow, Hold, QuarantinedSource } from '../../federation/generation';
import { clusterEtlKey, combinedEtlKey, objectKey } from '../../federation/layout';
import type { ProvenanceSource } from '../../federation/provenance';
import type { Published } from '../../federation/published';
import type { FederationReport, FederationRequest } from '../../federation/run';
import type { Bucket, Version } from '../../storage/bucket';
import { openBucketFromFile } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { generation as madeUpGeneration, membership } from '../federation/made-up';
import { reportOf } from '../federation/made-up';

const golden = resolve(__dirname, '../golden/bucket');
/** Address at which no Temporal server runs: nothing listens on port 1. */
export const noTemporal = { address: '127.0.0.1:1' };

/**
 * A folder with a settings file and a bucket, for tests of the CLI's verbs. No federation runs: the tests themselves
 * write to the bucket what a federation would write.
 */
export class FederationFolder implements AsyncDisposable {
  readonly settings: string;

  private constructor(
    readonly folder: string,
    readonly bucket: Bucket,
  ) {
    this.settings = join(folder, 'cluster-4.yaml');
  }

  /** Creates the folder. The verbs use `temporal`. By default, they must work without Temporal. */
  static async create(temporal: object = noTemporal): Promise<FederationFolder> {
    const folder = mkdtempSync(join(tmpdir(), 'federation-'));
    mkdirSync(join(folder, 'bucket'));
    const store = join(folder, 'federated-store.yaml');
    writeFileSync(store, `type: FILESYSTEM\nconfig:\n  directory: ${join(folder, 'bucket')}\n`);
    const made = new FederationFolder(folder, await openBucketFromFile(store));
    const settings = {
      clusterId: 'cluster-4',
      storage: { configFile: 'federated-store.yaml' },
      temporal,
    };
    writeFileSync(made.settings, JSON.stringify(settings));
    return made;
  }

  /** Copies a cluster's window file from the golden files to the bucket, under the key that a push would use. */
  async push(cluster: string, window: string): Promise<void> {
    const key = clusterEtlKey(clusterId(cluster), window);
    await this.bucket.put(key, readFileSync(join(golden, key)));
  }

  /** Changes the time of a window's file, so that the cluster seems to have pushed it `hoursAgo` hours ago. */
  lastPushed(cluster: string, window: string, hoursAgo: number): void {
    const at = Date.now() / 1_000 - hoursAgo * 3_600;
    utimesSync(join(this.folder, 'bucket', clusterEtlKey(clusterId(cluster), window)), at, at);
  }

  /** Merges the given windows of the given clusters. Then commits the result as a generation and publishes it. */
  async commit(
    generation: number,
    clusters: readonly string[],
    windows: readonly string[],
    more: {
      quarantined?: QuarantinedSource[];
      hold?: Hold;
      replaces?: Generation['replaces'];
      accepted?: Generation['accepted'];
      shrunk?: Generation['shrunk'];
      names?: Generation['names'];
      nameConflicts?: Generation['nameConflicts'];
      notices?: Generation['notices'];
      excluded?: Generation['membership']['excluded'];
      removed?: Generation['membership']['removed'];
      exclusions?: Generation['membership']['exclusions'];
      scope?: Generation['membership']['scope'];
    } = {},
  ): Promise<void> {
    const published: Published['windows'] = {};
    const merged: Generation['windows'] = {};
    for (const window of windows) {
      const { version, ...named } = await this.merge(window as WindowId, clusters);
      merged[window] = named;
      published[window] = { fingerprint: named.fingerprint, digest: named.digest, version };
    }
    const { exclusions = {}, excluded = {}, removed = {}, scope = { exclude: [] }, ...facts } = more;
    const out = { exclusions, excluded, removed };
    const members = membership([...clusters], { federator: 'cluster-4', scope, ...out });
    const committed = madeUpGeneration({}, members, {
      generation,
      run: `federation-${generation}`,
      committedAt: new Date(Date.now() - 60_000).toISOString(),
      mergeRevision: 1,
      windows: merged,
      ...facts,
    });
    await replaceDocument(this.bucket, documents.federation.at(), {
      format: 1,
      federation: committed.federation,
      createdAt: committed.committedAt,
      federator: 'cluster-4',
    });
    await replaceDocument(this.bucket, documents.generation.at(generation), committed);
    await replaceDocument(this.bucket, documents.published.at(), {
      format: 1,
      generation,
      windows: published,
    });
  }

  private async merge(
    window: WindowId,
    clusters: readonly string[],
  ): Promise<GenerationWindow & { version: string }> {
    const pipeline = parseWindowId(window)?.pipeline ?? 'assets';
    const inputs = [];
    const seen = new Map<string, Version>();
    for (const id of clusters) {
      const { head, bytes } = await readAll(this.bucket, clusterEtlKey(clusterId(id), window));
      inputs.push({ id, set: decodeSet(pipeline, bytes) });
      seen.set(id, head.version);
    }
    const { bytes, contributions } = encodeMerged(mergeSets(pipeline, inputs));
    const fingerprint = sha256(`${window} ${[...seen.values()].join(' ')}`);
    const merged = { fingerprint, digest: sha256(bytes), size: bytes.length };
    await this.bucket.put(objectKey(fingerprint), bytes);
    const { version } = await this.bucket.put(combinedEtlKey(window), bytes);
    await replaceDocument(this.bucket, documents.provenance.at(fingerprint), {
      format: 1,
      ...merged,
      window,
      sources: contributions.map((contribution): ProvenanceSource => ({
        cluster: clusterId(contribution.id),
        seen: seen.get(contribution.id) ?? 'absent',
        decision: 'used',
        contribution,
      })),
      quarantined: [],
    });
    return { ...merged, version };
  }

  /**
   * Writes the request of a run to the bucket. If a report is given, also writes the report, which means that the run
   * has ended.
   */
  async run(
    run: string,
    request: Partial<FederationRequest>,
    report?: Partial<FederationReport>,
  ): Promise<void> {
    const at = new Date(Date.now() - 120_000).toISOString();
    await replaceDocument(this.bucket, documents.runRequest.at(run), { trigger: 'schedule', at, ...request });
    if (report === undefined) return;
    const endedAt = new Date(Date.parse(at) + 3_000).toISOString();
    const written = reportOf(run, { startedAt: at, endedAt, ...report });
    await replaceDocument(this.bucket, documents.runReport.at(run), written);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bucket.close();
    rmSync(this.folder, { recursive: true });
  }
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
