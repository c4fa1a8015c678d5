export interface LockOptions {
  /** Called once if another process holds the lock, with a description of that process. */
  onWait?: (holder: string) => void;
  /** The lock is stale if its holder has not touched the lock file for this many milliseconds. (Default: 30,000) */
  staleAfterMs?: number;
  /** Interval between attempts to get the lock. (Default: 500 ms) */
  pollMs?: number;
}

/**
 * Runs one task at a time across processes. The lock is a file that its holder touches regularly. If the holder has
 * ended, another process takes over the lock. The lock avoids most duplicate work, but not all: two processes may both
 * take over a stale lock. So tasks have to write their results atomically.
 *
 * @param task the task to run. It receives a function that registers a child process. The lock is then held until that
 *   child has ended too, even if this process is killed.
 */
export function withLock<T>(
  file: string,
  options: LockOptions,
  task: (alsoHeldBy: (pid: number) => void) => Promise<T>,
): Promise<T>;

/** Returns whether a process with this id runs on this machine. */
export function isAlive(pid: number): boolean;
