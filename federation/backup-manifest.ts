import { z } from 'zod';

/** SHA-256 digest and size, in bytes, of one file in a backup. */
export const savedFileSchema = z.object({ digest: z.string(), size: z.number() });
export type SavedFile = z.infer<typeof savedFileSchema>;

/** Manifest of a backup. It is written after all the files, so a backup without a manifest is incomplete. */
export const backupManifestSchema = z.object({
  format: z.literal(1),
  cluster: z.string(),
  /** Time when the backup started, in RFC 3339 format. */
  at: z.string(),
  /** The files in the backup, keyed by their path below `bingen/`. */
  files: z.record(z.string(), savedFileSchema),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;
