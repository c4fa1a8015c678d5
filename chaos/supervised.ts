import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from './plan';

/** A process that can be killed and stopped, and comes back by itself. */
export interface Victim {
  readonly name: string;
  readonly role: Role;
  /** Largest resident memory of any of its processes so far, in bytes. */
  readonly peakBytes: number;
  /** Kills the current process with SIGKILL. Returns false if there is none, or if it has just been killed. */
  kill(): boolean;
  /** Stops the current process with SIGSTOP, if there is one. */
  pause(): void;
  /** Lets a stopped process continue. */
  resume(): void;
  /** Looks how much memory the current process has used. */
  measure(): void;
  /** Returns true if the current process is ready for work. */
  isReady(): boolean;
  /** Ends the process, which does not come back then. */
  stop(): Promise<void>;
}

/** Pause before a process is started again, in milliseconds. */
const restartMs = 300;
/** Number of lines of its log that are kept when a process ends by itself. */
const tailLines = 20;
/** Time that a process may take to end, in milliseconds. */
const gracefulMs = 30_000;

/** A process of `federated-etl run` that is started again whenever it ends, as Kubernetes and systemd do. */
export class Supervised implements Victim {
  #child: ChildProcess | undefined;
  #ready = false;
  #wanted = true;
  #killed = false;
  #running: Promise<void>;
  #peakBytes = 0;

  constructor(
    readonly name: string,
    readonly role: Role,
    private readonly script: string,
    private readonly files: { readonly config: string; readonly log: string },
    /** Called when a process has ended by itself. `how` says how, and what it has logged last. */
    private readonly onEnded: (how: string) => void,
  ) {
    this.#running = this.#keepRunning();
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  kill(): boolean {
    if (this.#child === undefined || this.#killed) return false;
    this.measure();
    this.#killed = this.#child.kill('SIGKILL');
    return this.#killed;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  measure(): void {
    this.#peakBytes = Math.max(this.#peakBytes, peakOf(this.#child?.pid));
  }

  isReady(): boolean {
    return this.#ready;
  }

  async stop(): Promise<void> {
    this.measure();
    this.#wanted = false;
    await this.#end();
    await this.#running;
  }

  /** Ends the process gracefully. It is started again. */
  async restart(): Promise<void> {
    this.#killed = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const insist = setTimeout(() => child.kill('SIGKILL'), gracefulMs);
    if (child.exitCode === null && child.signalCode === null) await ended;
    clearTimeout(insist);
  }

  async #describeEnd({ exitCode, signalCode }: ChildProcess): Promise<string> {
    const log = await readFile(this.files.log, 'utf8');
    const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
    return `${how}. Its log ends with:\n${log.trimEnd().split('\n').slice(-tailLines).join('\n')}`;
  }

  async #keepRunning(): Promise<void> {
    for (; this.#wanted; await sleep(restartMs)) {
      const log = openSync(this.files.log, 'a');
      const child = fork(this.script, ['run', '--config', this.files.config], {
        stdio: ['ignore', log, log, 'ipc'],
        // In its own process group, so that Ctrl-C at the terminal reaches only this process, which stops the others.
        detached: true,
        execArgv: [],
      });
      closeSync(log);
      this.#child = child;
      this.#killed = false;
      child.on('message', () => (this.#ready = true));
      await once(child, 'exit');
      this.#ready = false;
      this.#child = undefined;
      if (!this.#killed && this.#wanted) this.onEnded(await this.#describeEnd(child));
    }
  }
}

/** Returns the largest resident memory that a process has had, in bytes. Returns 0 where that is not known. */
export function peakOf(pid: number | undefined): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}
