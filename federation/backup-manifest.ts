import { z } from 'zod';

/** A file in a backup: its SHA-256, and its size in bytes. */
export const savedFileSchema = z.object({ digest: z.string(), size: z.number() });
export type SavedFile = z.infer<typeof savedFileSchema>;

/** The contents of a backup. The manifest is written last: a backup without one was not finished. */
export const backupManifestSchema = z.object({
  format: z.literal(1),
  cluster: z.string(),
  /** Start of the backup, RFC 3339. */
  at: z.string(),
  /** The saved files, by path below `bingen/`. */
  files: z.record(z.string(), savedFileSchema),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;
