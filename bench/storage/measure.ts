import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** Measurements of a program's complete run. */
export interface Measured {
  readonly seconds: number;
  /** Peak memory of the process in bytes. */
  readonly peakBytes: number;
}

/**
 * Runs a program to its end, and measures its duration and its peak memory. If the program fails, throws an error that
 * contains the program's standard error.
 */
export async function measure(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Measured & { output: string }> {
  const start = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaints = '';
  child.stdout.on('data', (text) => (output += String(text)));
  child.stderr.on('data', (text) => (complaints += String(text)));
  let peakBytes = 0;
  const look = setInterval(() => {
    void peakOf(child.pid).then((bytes) => (peakBytes = Math.max(peakBytes, bytes)));
  }, 20);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'ENOENT'
            ? new Error(`${command} is not installed: Debian has it as a package`)
            : error,
        ),
      );
      child.once('close', resolve);
    });
    const seconds = (performance.now() - start) / 1000;
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaints.trim()}`);
    return { seconds, peakBytes, output };
  } finally {
    clearInterval(look);
  }
}

/** Returns the peak memory of a running process so far, in bytes. Returns 0 on systems other than Linux. */
export async function peakOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
