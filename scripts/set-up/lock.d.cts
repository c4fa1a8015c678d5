export interface LockOptions {
  /** Called once if another process holds the lock, with a description of that process. */
  onWait?: (holder: string) => void;
  /** A holder is considered gone if it has not touched the file for this many milliseconds. (Default: 30,000) */
  staleAfterMs?: number;
  /** Interval between attempts to get the lock. (Default: 500 ms) */
  pollMs?: number;
}

/**
 * Runs one task at a time across processes. The lock is a file that its holder touches while it works. If the holder is
 * gone, another process takes over the lock. The lock only avoids duplicate work: two processes may both take over a
 * stale lock, so results have to be written atomically.
 *
 * @param task receives a function that registers a child process: the lock is then held until that child has ended too,
 *   even if this process is killed
 */
export function withLock<T>(
  file: string,
  options: LockOptions,
  task: (alsoHeldBy: (pid: number) => void) => Promise<T>,
): Promise<T>;

/** Whether a process with this id runs on this machine. */
export function isAlive(pid: number): boolean;
