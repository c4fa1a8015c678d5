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

/** A running command that ends with this process, even if this process is killed. */
export interface KeptProcess {
  readonly pid: number;
  /** Id of the keeper, the process that runs the command and ends it. */
  readonly keeperPid: number;
  readonly exited: Promise<Exit>;
  /** Returns how the command ended; undefined while it runs. */
  exit(): Exit | undefined;
  /** Lets this process exit without waiting for the command. The command then ends too. */
  unref(): void;
  /** Asks the command to exit, kills it after `graceMs`, and waits until it has ended. */
  stop(): Promise<void>;
}

export interface KeptProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** The file for the command's output. Without a file, each line is passed to `onLine`. */
  logFile?: string;
  onLine?: (line: string) => void;
  /** Milliseconds that the command may take to exit when it is asked to. (Default: 10 seconds) */
  graceMs?: number;
  /** Folders to remove if this process ends before the command does. */
  remove?: readonly string[];
}

type KeeperMessage = { pid: number } | { error: string } | { exit: Exit };

/**
 * Starts a command that must not outlive this process. A small keeper process runs the command, and ends it when the
 * IPC channel between keeper and this process closes. (A signal handler in this process would not suffice: it does not
 * run if this process is killed.) The keeper has its own process group, so Ctrl-C at the terminal does not end a server
 * that other processes still need to finish their work.
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
    // Waits for 'close' rather than 'exit': only when 'close' arrives has all output been read.
    keeper.once('close', (code, signal) => {
      ended ??= { code, signal };
      resolve(ended);
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new FederationError('INTERNAL', { detail: `${command} could not be started: ${reason}` }));
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
      // Undoes `unref`, because this process now has to wait for the command.
      keeper.ref();
      keeper.channel?.ref();
      if (keeper.connected) keeper.send('stop');
      await exited;
    },
  };
}
