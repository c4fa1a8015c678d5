import type { FolderTraits } from '../storage/folder-traits';

/** Something that a file system cannot do, with the consequence and the remedy. */
export interface FileSystemLimit {
  readonly detail: string;
  readonly todo: string;
}

const better = 'Use a file system such as ext4, XFS or NFS 4 for it.';

/** Lists what the file system of a local ETL or of a bucket in a folder lacks. */
export function limitsOf(
  { hasHardLinks, keepsInodes, tellsCase }: FolderTraits,
  use: 'local ETL' | 'bucket',
): FileSystemLimit[] {
  const limits: FileSystemLimit[] = [];
  if (!hasHardLinks) {
    limits.push(
      use === 'bucket'
        ? {
            detail: 'Its file system has no hard links, so commits are guarded by lock files instead.',
            todo: `Run only one federator. ${better}`,
          }
        : {
            detail:
              'Its file system has no hard links. If the cost-model writes a file at the moment when a pull replaces it, what it wrote may be lost until it is built again.',
            todo: better,
          },
    );
  }
  if (!keepsInodes) {
    limits.push(
      use === 'bucket'
        ? {
            detail:
              'The inode numbers of its file system change by themselves, and with them the versions of objects, so unchanged windows are merged again.',
            todo: better,
          }
        : {
            detail:
              'The inode numbers of its file system change by themselves, so they cannot show that a file was replaced. Only size and times can.',
            todo: better,
          },
    );
  }
  if (!tellsCase) {
    limits.push(
      use === 'bucket'
        ? {
            detail:
              'Its file system does not distinguish upper and lower case, so clusters whose ids differ only in that share one folder, and each replaces the files of the other.',
            todo: `Make sure that no two ids differ only in case. ${better}`,
          }
        : {
            detail:
              'Its file system does not distinguish upper and lower case, so files whose names differ only in that replace each other.',
            todo: better,
          },
    );
  }
  return limits;
}
