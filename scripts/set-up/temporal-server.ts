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
  /** The path of the Temporal CLI. */
  binary: string;
  /** The file for the server's state. Without it, the state is in memory and lost with the server. */
  dbFile?: string;
  /** Created at the start, beside `default`. (Default: `default`) */
  namespace?: string;
  /** Used unless it is taken. (Default: 7233) */
  preferredPort?: number;
  /** Used unless it is taken. (Default: 8233) */
  preferredUiPort?: number;
  /** Whether to run without the web UI. */
  headless?: boolean;
  /** Search attributes to register in `namespace`: name to type. */
  searchAttributes?: Readonly<Record<string, string>>;
  /** The only address that the server listens on. (Default: 127.0.0.1) */
  ip?: string;
  /** The file for the server's log. If the server does not start, the error quotes its last lines. */
  logFile: string;
  /** How long `namespace` keeps closed workflows, in days. (Default: 30; the server's own is 1) */
  retentionDays?: number;
  /** Folders to remove with the server if this process is killed. */
  remove?: readonly string[];
}

export interface TemporalServer {
  readonly address: string;
  /** Empty if headless. */
  readonly uiUrl: string;
  readonly pid: number;
  /** Whether another process with the same `dbFile` runs the server; `stop` then does nothing. */
  readonly shared: boolean;
  /** Asks the server to exit, kills it after 10 seconds, and waits until its port and file are free. */
  stop(): Promise<void>;
}

/** The content of the file beside `dbFile` while a server has that open. */
interface Holder {
  pid: number;
  keeperPid: number;
  address: string;
  uiUrl: string;
}

/**
 * Starts a Temporal dev server and waits until it answers. It ends with this process, however this process ends. Its
 * state stays in `dbFile`, for the next start.
 *
 * Two servers on one file would corrupt it, so a file beside it names the server that has it open. If another process
 * runs that server, it is shared; if it is orphaned (its process and its keeper were killed), it is stopped first.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { dbFile } = options;
  if (dbFile !== undefined) {
    await mkdir(path.dirname(dbFile), { recursive: true });
    const shared = await sharedServer(dbFile);
    if (shared) return shared;
  }
  await mkdir(path.dirname(options.logFile), { recursive: true });

  // Another process may take a free port before the server does.
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
  // Nearly twice as fast as the defaults, and still safe from corruption if the machine crashes.
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

/** Without TEMPORAL_*: the CLI reads them as a client, and they do not concern this server. */
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
      // The port opens a moment before the namespace exists.
      await sleep(50);
    }
  }
}

/** The server that another process runs on this file. Stops an orphaned one. */
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
  // Not with signal 0, which also succeeds for a zombie.
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
