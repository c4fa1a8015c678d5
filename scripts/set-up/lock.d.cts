export interface LockOptions {
  /** Called once if another process holds the lock, with a description of it. */
  onWait?: (holder: string) => void;
  /** A holder that has not touched the file for this long is considered gone. (Default: 30 seconds) */
  staleAfterMs?: number;
  /** How often to try again. (Default: 500 ms) */
  pollMs?: number;
}

/**
 * Runs one task at a time across processes. The lock is a file that its holder touches while it works; a lock whose
 * holder is gone is taken over. It only avoids duplicate work: two processes may both take over a stale lock, so results
 * have to be written atomically.
 *
 * @param task gets a function that registers a child process: the lock is then held until that process has ended too,
 *   even if this process is killed
 */
export function withLock<T>(
  file: string,
  options: LockOptions,
  task: (alsoHeldBy: (pid: number) => void) => Promise<T>,
): Promise<T>;

/** Whether a process with this id runs on this machine. */
export function isAlive(pid: number): boolean;
