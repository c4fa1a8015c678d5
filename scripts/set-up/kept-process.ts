import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { FederationError } from '../../errors/federation-error';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running command that is stopped when this process ends, even if this process is killed. */
export interface KeptProcess {
  readonly pid: number;
  /** Process id of the keeper, a helper process that runs the command and stops it. */
  readonly keeperPid: number;
  readonly exited: Promise<Exit>;
  /** Returns how the command ended, or undefined while it is running. */
  exit(): Exit | undefined;
  /** Allows this process to exit while the command is running. When this process exits, the command is stopped too. */
  unref(): void;
  /** Asks the command to exit and waits until it has ended. Kills the command if it does not exit within `graceMs`. */
  stop(): Promise<void>;
}

export interface KeptProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** File for the output of the command. If undefined, each line of output is passed to `onLine`. */
  logFile?: string;
  onLine?: (line: string) => void;
  /** Time that the command may take to exit after it was asked to exit, in milliseconds. (Default: 10 seconds) */
  graceMs?: number;
  /** Folders to delete if this process ends before the command does. */
  remove?: readonly string[];
}

type KeeperMessage = { pid: number } | { error: string } | { exit: Exit };

/**
 * Starts a command that must not outlive this process. A small helper process, the keeper, runs the command. When this
 * process ends, its IPC channel to the keeper closes, and the keeper stops the command. This works even if this process
 * is killed. (A signal handler in this process would not run in that case.)
 *
 * The keeper has its own process group, so Ctrl-C at the terminal does not stop the command. If the command is a
 * server, other processes may still need it to finish their work.
 */
export async function startKept(
  command: string,
  args: readonly string[],
  options: KeptProcessOptions = {},
): Promise<KeptProcess> {
  const { graceMs = 10_000, remove = [], logFile } = options;
  const log = logFile === undefined ? undefined : openSync(logFile, 'a');
  const output = log ?? 'pipe';
  const keeper = fork(
    path.join(__dirname, 'keeper.cjs'),
    [JSON.stringify({ command, args, graceMs, remove })],
    {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      execArgv: [],
      stdio: ['ignore', output, output, 'ipc'],
    },
  );
  if (log !== undefined) closeSync(log);
  for (const stream of [keeper.stdout, keeper.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => options.onLine?.(line));
  }

  let ended: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    // Wait for 'close' instead of 'exit': the output of the command is complete only at 'close'.
    keeper.once('close', (code, signal) => {
      ended ??= { code, signal };
      resolve(ended);
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new FederationError('SYSTEM_REFUSED', { detail: `${command} could not be started: ${reason}` }));
    keeper.on('message', (message: KeeperMessage) => {
      if ('pid' in message) resolve(message.pid);
      else if ('exit' in message) ended = message.exit;
      else fail(message.error);
    });
    keeper.once('error', (error) => fail(error.message));
    keeper.once('exit', () => fail('it exited at once'));
  });

  return {
    pid,
    keeperPid: keeper.pid ?? 0,
    exited,
    exit: () => ended,
    unref() {
      keeper.unref();
      keeper.channel?.unref();
    },
    async stop() {
      // If `unref` was called, undo it, because this process now has to wait for the command.
      keeper.ref();
      keeper.channel?.ref();
      if (keeper.connected) keeper.send('stop');
      await exited;
    },
  };
}
