import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { FederationError } from '../../errors/federation-error';
import { commandLineOf } from './command-line-of';
import { answers, freePort } from './free-port';
import { type KeptProcess, startKept } from './kept-process';

const DAY = 24 * 60 * 60 * 1000;

export interface TemporalServerOptions {
  /** Path of the Temporal CLI. */
  binary: string;
  /** File for the server's state. If undefined, the server keeps its state in memory and loses it when it ends. */
  dbFile?: string;
  /** Namespace to create when the server starts. The namespace `default` always exists. (Default: `default`) */
  namespace?: string;
  /** Preferred port of the server. If another process uses it, the server listens on any free port. (Default: 7233) */
  preferredPort?: number;
  /** Preferred port of the web UI. If another process uses it, the UI listens on any free port. (Default: 8233) */
  preferredUiPort?: number;
  /** Whether to run without the web UI. */
  headless?: boolean;
  /** Search attributes to register in `namespace`. Keys are their names, values are their types. */
  searchAttributes?: Readonly<Record<string, string>>;
  /** IP address on which the server listens. It listens on no other address. (Default: 127.0.0.1) */
  ip?: string;
  /** File for the server's log. If the server does not start, the error message contains the last lines of the log. */
  logFile: string;
  /** Number of days for which `namespace` keeps closed workflows. (Default: 30. Temporal's own default is 1.) */
  retentionDays?: number;
  /** Folders that the server's keeper process deletes if this process is killed. */
  remove?: readonly string[];
}

export interface TemporalServer {
  readonly address: string;
  /** URL of the web UI. Empty if the server has no web UI. */
  readonly uiUrl: string;
  readonly pid: number;
  /** Whether the server was started by another process that uses the same `dbFile`. If so, `stop` does nothing. */
  readonly shared: boolean;
  /**
   * Asks the server to exit and waits until its port and its database file are free. Kills it if it does not exit
   * within 10 seconds.
   */
  stop(): Promise<void>;
}

/** Content of a JSON file next to `dbFile`. It identifies the server that has `dbFile` open. */
interface Holder {
  pid: number;
  keeperPid: number;
  address: string;
  uiUrl: string;
}

/**
 * Starts a Temporal dev server and waits until it answers. The server stops when this process ends, even if this
 * process is killed. Its state stays in `dbFile` for the next start.
 *
 * Two servers that use the same `dbFile` would corrupt it. So a file next to `dbFile` identifies the server that has
 * `dbFile` open. If another process has started such a server, this process uses it too. But an orphaned server is
 * stopped, and a new server is started. A server becomes an orphan if the process that started it and the helper
 * process that should stop it are both killed.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { dbFile } = options;
  if (dbFile !== undefined) {
    await mkdir(path.dirname(dbFile), { recursive: true });
    const shared = await sharedServer(dbFile);
    if (shared) return shared;
  }
  await mkdir(path.dirname(options.logFile), { recursive: true });

  // Another process may take the chosen port before the server listens on it. If that happens, try again with other
  // ports.
  for (let attempt = 1; ; attempt += 1) {
    const { kept, address, uiUrl } = await spawnServer(options, attempt === 1);
    try {
      await waitUntilReady(kept, address, options);
      if (dbFile !== undefined) {
        const holder: Holder = { pid: kept.pid, keeperPid: kept.keeperPid, address, uiUrl };
        await writeFile(holderFile(dbFile), JSON.stringify(holder));
      }
      kept.unref();
      const stop = async (): Promise<void> => {
        await kept.stop();
        if (dbFile !== undefined) await rm(holderFile(dbFile), { force: true });
      };
      return { address, uiUrl, pid: kept.pid, shared: false, stop };
    } catch (error) {
      await kept.stop();
      const log = await lastLines(options.logFile);
      if (attempt < 3 && /address already in use/.test(log)) continue;
      throw notStarted(error, log, options.logFile);
    }
  }
}

async function spawnServer(
  options: TemporalServerOptions,
  mayPrefer: boolean,
): Promise<{ kept: KeptProcess; address: string; uiUrl: string }> {
  const { ip = '127.0.0.1', headless = false, namespace = 'default', dbFile } = options;
  const port = await freePort(mayPrefer ? (options.preferredPort ?? 7233) : undefined, ip);
  const uiPort = headless
    ? undefined
    : await freePort(mayPrefer ? (options.preferredUiPort ?? 8233) : undefined, ip);
  const args = ['server', 'start-dev', '--ip', ip, '--port', String(port), '--namespace', namespace];
  if (uiPort === undefined) args.push('--headless');
  else args.push('--ui-ip', ip, '--ui-port', String(uiPort));
  // With these SQLite settings, the server is nearly twice as fast as with the defaults. Even so, a crash of the
  // machine does not corrupt the file.
  if (dbFile !== undefined) {
    args.push('--db-filename', dbFile);
    args.push('--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL');
  }
  for (const [name, type] of Object.entries(options.searchAttributes ?? {})) {
    args.push('--search-attribute', `${name}=${type}`);
  }
  args.push('--log-level', 'warn');
  const kept = await startKept(options.binary, args, {
    env: serverEnvironment(),
    logFile: options.logFile,
    remove: options.remove,
  });
  return { kept, address: `${ip}:${port}`, uiUrl: uiPort === undefined ? '' : `http://${ip}:${uiPort}` };
}

/**
 * Returns the environment variables for the server: those of this process, without TEMPORAL_*. The user sets TEMPORAL_*
 * for Temporal clients, but the CLI would also apply them to the server that it starts.
 */
function serverEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(entries), TEMPORAL_VERSION_CHECK_DISABLED: '1' };
}

async function waitUntilReady(
  kept: KeptProcess,
  address: string,
  options: TemporalServerOptions,
): Promise<void> {
  const { namespace = 'default', retentionDays = 30, ip = '127.0.0.1' } = options;
  const deadline = Date.now() + 60_000;
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  const goOn = (): void => {
    const exit = kept.exit();
    if (exit) throw new Error(`it exited at once (${exit.signal ?? `exit code ${exit.code}`})`);
    if (Date.now() > deadline) throw new Error('it did not answer within a minute');
  };
  for (; !(await answers(port, ip)); await sleep(30)) goOn();
  for (;;) {
    goOn();
    try {
      const connection = await Connection.connect({ address, connectTimeout: 2_000 });
      try {
        await connection.workflowService.updateNamespace({
          namespace,
          config: { workflowExecutionRetentionTtl: msToTs(retentionDays * DAY) },
        });
        return;
      } finally {
        await connection.close();
      }
    } catch {
      // Ignore errors and try again: the server opens its port a moment before it has created the namespace.
      await sleep(50);
    }
  }
}

/**
 * Returns the server that another process runs on this database file, or undefined if there is none. Stops a server
 * that is orphaned.
 */
async function sharedServer(dbFile: string): Promise<TemporalServer | undefined> {
  const holder = await readHolder(dbFile);
  if (!holder) return undefined;
  const running = (await commandLineOf(holder.pid)).includes(dbFile);
  const watched = (await commandLineOf(holder.keeperPid)).includes('keeper.cjs');
  if (running && watched) return { ...holder, shared: true, stop: () => Promise.resolve() };
  if (running) await endProcess(holder.pid);
  await rm(holderFile(dbFile), { force: true });
  return undefined;
}

async function endProcess(pid: number): Promise<void> {
  const insistAt = Date.now() + 10_000;
  process.kill(pid, 'SIGTERM');
  // Check the command line to find out whether the process is still running. Do not send signal 0 instead, because
  // that also succeeds for a zombie process.
  for (let insisted = false; (await commandLineOf(pid)) !== ''; await sleep(50)) {
    if (insisted || Date.now() < insistAt) continue;
    process.kill(pid, 'SIGKILL');
    insisted = true;
  }
}

function holderFile(dbFile: string): string {
  return `${dbFile}.server.json`;
}

async function readHolder(dbFile: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(holderFile(dbFile), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function lastLines(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-15).join('\n    ');
}

function notStarted(error: unknown, log: string, logFile: string): FederationError {
  const reason = error instanceof Error ? error.message : String(error);
  return new FederationError('TEMPORAL_UNAVAILABLE', {
    detail: `The Temporal server did not start: ${reason}. Its last log lines:\n    ${log}`,
    hint: `The complete log is ${logFile}.`,
    cause: error,
  });
}
