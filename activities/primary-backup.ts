import type { Log } from '../config/log';
import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { count } from '../federation/count';
import { backUp, backupFolder, readManifest } from '../local-etl/backup';
import { hasFiles } from '../local-etl/list';
import { PassedOverPlaces } from '../local-etl/passed-over';
import { primaryState, updatePrimary } from '../local-etl/primary';
import type { Pulled } from '../local-etl/pulled';
import type { LocalEtl } from '../local-etl/store';
import type { Bucket } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';
import { describePassedOver, notesOf } from './file-notes';

export interface PrimaryBackupDependencies {
  /** Bucket for the backup. Not used if `backupPath` is set. */
  readonly own?: Bucket;
  /** Folder for the backup. If it is set, the bucket is not used. */
  readonly backupPath?: string;
  readonly cluster: ClusterId;
  readonly log: Log;
  readonly budget: MemoryBudget;
  readonly now: () => Date;
  readonly heartbeat: (details: unknown) => void;
}

/** Makes a backup of a primary's local ETL before the first file is replaced, and looks up files in the backup. */
export class PrimaryBackup {
  private digests: Promise<ReadonlySet<string>> | undefined;

  constructor(
    private readonly deps: PrimaryBackupDependencies,
    private readonly store: LocalEtl,
    private readonly pulled: Pulled,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Makes the backup and records it on the volume, unless an earlier pull has already done so. Returns the name of the
   * new backup, or undefined if none was made. Throws BACKUP_FAILED.
   */
  async takeOnce(): Promise<string | undefined> {
    const { backup, firstPullAt = this.deps.now().toISOString() } = await primaryState(this.store);
    if (backup !== undefined) return undefined;
    const taken = await this.take();
    await updatePrimary(this.store, { backup: taken ?? '', firstPullAt });
    return taken;
  }

  /** Returns whether the backup contains a file with this SHA-256 digest. */
  async has(digest: string): Promise<boolean> {
    this.digests ??= this.readDigests();
    return (await this.digests).has(digest);
  }

  /** Makes the backup and returns its name. Returns undefined if there is no file to save. */
  private async take(): Promise<string | undefined> {
    const { cluster, now, budget, heartbeat, log } = this.deps;
    const { store, signal } = this;
    if (!(await hasFiles(store))) return undefined;
    const passedOver = new PassedOverPlaces();
    const { name, files, bytes } = await backUp({
      store,
      place: this.place(),
      cluster,
      now,
      budget,
      // Save only the cluster's own files: the bucket still has every file that was pulled.
      leaveOut: (digest) => this.pulled.has(digest),
      heartbeat,
      passOver: passedOver.add,
      signal,
    });
    log.info(
      { event: 'primary.backed-up', cluster, backup: name, files, bytes },
      `Primary saved ${count(files, 'file')} of the local ETL (${bytes} bytes) as backup ${name}`,
    );
    const skipped = notesOf(passedOver);
    const { unreadable, links } = skipped;
    if (unreadable.count + links.count > 0)
      log.warn(
        {
          event: 'primary.backup-passed-over',
          cluster,
          backup: name,
          unreadable: unreadable.count,
          links: links.count,
        },
        `Backup ${name} has only the rest of the local ETL: ${describePassedOver(skipped).join(' ')}`,
      );
    return name;
  }

  private place(): Bucket {
    const { backupPath, own, cluster } = this.deps;
    if (backupPath !== undefined) return backupFolder(backupPath);
    if (own !== undefined) return own;
    throw new FederationError('BACKUP_FAILED', {
      subject: { cluster, setting: 'localEtl.backupPath' },
      detail: 'The local ETL must be saved before it is overwritten, but there is nowhere to save it.',
    });
  }

  private async readDigests(): Promise<ReadonlySet<string>> {
    const { backup } = await primaryState(this.store);
    if (backup === undefined || backup === '') return new Set();
    const manifest = await readManifest(this.place(), this.deps.cluster, backup, this.signal);
    return new Set(Object.values(manifest.files).map(({ digest }) => digest));
  }
}
