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

/** A running command that ends when this process does, also when this one is killed. */
export interface KeptProcess {
  readonly pid: number;
  /** The process beside it that watches over it. */
  readonly keeperPid: number;
  readonly exited: Promise<Exit>;
  /** Undefined while it runs. */
  exit(): Exit | undefined;
  /** Lets this process end without waiting for it; it is stopped then. */
  unref(): void;
  /** Asks it to end, insists after `graceMs`, and waits until it has. */
  stop(): Promise<void>;
}

export interface KeptProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Where its output goes. Without it, lines go to `onLine`. */
  logFile?: string;
  onLine?: (line: string) => void;
  /** How long it may take to end once it is asked to (10 seconds). */
  graceMs?: number;
  /** Folders to remove where this process is gone before the command has ended. */
  remove?: readonly string[];
}

type KeeperMessage = { pid: number } | { error: string } | { exit: Exit };

/**
 * Starts a command that must not outlive this process. A small keeper process stands between: it sees its channel
 * close when this process is gone, which a signal handler here could not promise. It has its own process group, so a
 * Ctrl-C in the terminal does not take a server away from those who are still finishing their work with it.
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
    // 'close' rather than 'exit': all of its output has been read by then.
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
    keeper.once('exit', () => fail('it ended at once'));
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
      // Waiting needs what `unref` gave away.
      keeper.ref();
      keeper.channel?.ref();
      if (keeper.connected) keeper.send('stop');
      await exited;
    },
  };
}
