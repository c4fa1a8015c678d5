import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MergeOutcome } from '../../activities/merge-window';
import type { MergeThreads } from '../../activities/threads/merge-threads';
import { clusterId } from '../../etl/cluster-id';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { clusterEtlKey } from '../../federation/layout';
import type { Bucket } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { firstDay, secondDay, TestFederator } from '../activities/federated-bucket';
import { reportOf } from '../federation/made-up';
import { FederationFolder } from './federation-folder';

export type Kind = keyof typeof documents;
export const damages = ['damaged', 'cut', 'missing'] as const;
export type Damage = (typeof damages)[number];

/** The backup that the world contains. */
export const backup = '2026-11-20T10-00-00-000Z';

/** A run that has planned and merged, but not yet committed. */
export interface RunInProgress {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
  readonly outcomes: readonly MergeOutcome[];
}

/**
 * A bucket with documents of every kind. The newest generation is 2, and has a quarantined source. Another run has
 * merged, but has not committed.
 */
export class DamagedWorld implements AsyncDisposable {
  private constructor(
    readonly folder: FederationFolder,
    readonly inProgress: RunInProgress,
    /** Key of one document of each kind. */
    readonly keys: Readonly<Record<Kind, string>>,
  ) {}

  static async make(threads: MergeThreads): Promise<DamagedWorld> {
    const folder = await FederationFolder.create();
    const { bucket } = folder;
    for (const cluster of ['cluster-1', 'cluster-2'])
      for (const window of [firstDay, secondDay]) await folder.push(cluster, window);
    const federator = new TestFederator(bucket, threads);
    const spoil = (cluster: string, text: string) =>
      bucket.put(clusterEtlKey(clusterId(cluster), secondDay), Buffer.from(text));
    await federator.federate();
    await spoil('cluster-2', 'no ETL file');
    await federator.federate();
    await federator.cleanUp();
    await spoil('cluster-2', 'no ETL file either');
    await folder.push('cluster-1', firstDay);
    const { run, attempt, outcomes } = await federator.prepare();
    const newest = await federator.newest();
    const done = newest.run;
    const at = '2026-11-20T10:00:00.000Z';
    const report = reportOf(done, { startedAt: at, endedAt: at, generation: 2 });
    await replaceDocument(bucket, documents.runReport.at(done), report);
    const manifest = documents.backupManifest.at(clusterId('cluster-4'), backup);
    await replaceDocument(bucket, manifest, { format: 1, cluster: 'cluster-4', at, files: {} });
    await replaceDocument(bucket, documents.fullListing.at(), { format: 1, generation: 2, at, clusters: {} });
    const exported = {
      ...documents.exportSchema.at(1),
      key: `federated/combined/export/${documents.exportSchema.key(1)}`,
    };
    await replaceDocument(bucket, exported, {});
    const of = {
      federation: documents.federation.at(),
      generation: documents.generation.at(2),
      provenance: documents.provenance.at(newest.windows[firstDay]?.fingerprint ?? ''),
      published: documents.published.at(),
      unreferenced: documents.unreferenced.at(),
      fullListing: documents.fullListing.at(),
      runRequest: documents.runRequest.at(run),
      planShard: documents.planShard.at(run, attempt, 0),
      planHead: documents.planHead.at(run, attempt),
      windowQuarantine: documents.windowQuarantine.at(run, attempt, 0, 1),
      shardOutcome: documents.shardOutcome.at(run, attempt, 0),
      runReport: documents.runReport.at(done),
      backupManifest: manifest,
      exportSchema: exported,
    } satisfies Record<Kind, { key: string }>;
    const keys = Object.fromEntries(Object.entries(of).map(([kind, { key }]) => [kind, key]));
    const world = new DamagedWorld(
      folder,
      { run, attempt, shard: 0, outcomes },
      keys as Record<Kind, string>,
    );
    for (const key of Object.values(keys)) statSync(world.path(key));
    return world;
  }

  /** Damages one document of each of these kinds, runs `work`, and restores the documents. */
  async whileDamaged<T>(kinds: readonly Kind[], damage: Damage, work: () => Promise<T>): Promise<T> {
    const saved = kinds.map((kind) => ({ path: this.path(this.keys[kind]), bytes: this.bytes(kind) }));
    for (const { path } of saved) spoil(path, damage);
    try {
      return await work();
    } finally {
      for (const { path, bytes } of saved) writeFileSync(path, bytes);
    }
  }

  private bytes(kind: Kind): Buffer {
    return readFileSync(this.path(this.keys[kind]));
  }

  /**
   * Opens a copy of the bucket. If `kind` is given, a document of this kind is damaged in the copy. All other objects
   * have the same versions as in the original. Only one copy can be open at a time.
   */
  copy(kind?: Kind, damage: Damage = 'damaged'): Bucket & AsyncDisposable {
    const directory = `${this.folder.folder}/copy`;
    linkFolder(`${this.folder.folder}/bucket`, directory);
    if (kind !== undefined) {
      const path = join(directory, this.keys[kind]);
      // Remove the hard link first. Otherwise, damaging the copy would also damage the original.
      rmSync(path);
      if (damage !== 'missing') writeFileSync(path, this.bytes(kind));
      spoil(path, damage);
    }
    const bucket = openFilesystem({ directory });
    return Object.assign(bucket, {
      [Symbol.asyncDispose]: async () => {
        await bucket.close();
        rmSync(directory, { recursive: true });
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }

  private path(key: string): string {
    return join(this.folder.folder, 'bucket', key);
  }
}

function spoil(path: string, damage: Damage): void {
  if (damage === 'damaged') writeFileSync(path, '{');
  else if (damage === 'missing') rmSync(path, { force: true });
  else {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  }
}

/** Copies a folder with hard links. Each file keeps its inode and its times, and therefore its version. */
function linkFolder(from: string, to: string): void {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const target = join(to, path.slice(from.length));
    if (entry.isDirectory()) continue;
    mkdirSync(dirname(target), { recursive: true });
    linkSync(path, target);
  }
}
