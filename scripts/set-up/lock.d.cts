export interface LockOptions {
  /** Called once if another process holds the lock, with a description of it. */
  onWait?: (holder: string) => void;
  /** After this long without a sign of life, a holder is taken to be gone. (Default: 30 seconds) */
  staleAfterMs?: number;
  /** How often to try again. (Default: 500 ms) */
  pollMs?: number;
}

/**
 * Runs one task at a time across processes, by means of a file that its holder touches while it works. A lock whose
 * holder is gone is taken over. It only avoids doing work twice: two takers of one stale lock may both go ahead, so
 * results have to be put in place atomically.
 *
 * @param task gets a function that names a child process: the lock is held until that one has ended, too, even if
 *   this process is killed
 */
export function withLock<T>(
  file: string,
  options: LockOptions,
  task: (alsoHeldBy: (pid: number) => void) => Promise<T>,
): Promise<T>;

/** Whether a process with this id runs on this machine. */
export function isAlive(pid: number): boolean;
