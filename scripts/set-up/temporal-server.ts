import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { FederationError } from '../../errors/federation-error';
import { answers, freePort } from './free-port';
import { startKept, type KeptProcess } from './kept-process';
import { commandLineOf } from './command-line-of';

const DAY = 24 * 60 * 60 * 1000;

export interface TemporalServerOptions {
  /** The Temporal CLI, as `findTemporal` finds it. */
  binary: string;
  /** Keeps the server's state; without it everything is in memory and gone with the server. */
  dbFile?: string;
  /** Made at start beside `default` (`default`). */
  namespace?: string;
  /** 7233, or any other where it is taken. */
  preferredPort?: number;
  /** 8233, or any other where it is taken. */
  preferredUiPort?: number;
  /** Without the web UI. */
  headless?: boolean;
  /** Registered in `namespace`: name to type. */
  searchAttributes?: Readonly<Record<string, string>>;
  /** Everything of the server listens there and nowhere else (127.0.0.1). */
  ip?: string;
  /** Where the server's log goes; its last lines are in the error where it does not start. */
  logFile: string;
  /** How long finished runs are kept in `namespace`, in days (30; the server's own default is one day). */
  retentionDays?: number;
  /** Folders to remove with the server where this process is killed. */
  remove?: readonly string[];
}

export interface TemporalServer {
  readonly address: string;
  /** Empty when headless. */
  readonly uiUrl: string;
  readonly pid: number;
  /** It was running already, for another process that uses the same `dbFile`; `stop` leaves it to that one. */
  readonly shared: boolean;
  /** Asks the server to end, insists after 10 seconds, and waits until its port and file are free. */
  stop(): Promise<void>;
}

/** What stands beside the db file while a server has it open. */
interface Holder {
  pid: number;
  keeperPid: number;
  address: string;
  uiUrl: string;
}

/**
 * Starts a Temporal dev server and waits until it answers. It ends with this process, however that one ends; its
 * state is in `dbFile`, from where the next start goes on.
 *
 * Two servers on one file would corrupt it. So a note of who has it open lies beside it: where another process runs
 * a server on it, that server is used; where a server was left alone (both this process and its keeper killed), it
 * is stopped first.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { dbFile } = options;
  if (dbFile !== undefined) {
    await mkdir(path.dirname(dbFile), { recursive: true });
    const shared = await sharedServer(dbFile);
    if (shared) return shared;
  }
  await mkdir(path.dirname(options.logFile), { recursive: true });

  // A free port is only known to be free: somebody may take it before the server does.
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
  // Nearly twice the speed of the defaults, and a crash of the machine can still not corrupt the file.
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

/** The CLI reads TEMPORAL_* as a client; a server started here has nothing to do with them. */
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
    if (exit) throw new Error(`it ended at once (${exit.signal ?? `exit code ${exit.code}`})`);
    if (Date.now() > deadline) throw new Error('it does not answer within a minute');
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
      // The port opens a moment before the namespace is there.
      await sleep(50);
    }
  }
}

/** The server that another process runs on this file; one that nobody watches any more is stopped. */
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
  // Not by a signal of 0: that also reaches a dead process whose parent did not look after it yet.
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
    detail: `The Temporal server did not start: ${reason}. The end of its log:\n    ${log}`,
    hint: `The whole log is ${logFile}.`,
    cause: error,
  });
}
