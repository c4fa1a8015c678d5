import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FederationError } from '../../errors/federation-error';
import { freePort } from '../../scripts/set-up/free-port';
import {
  addToCache,
  findInCache,
  findOnPath,
  type FindOptions,
  goInstall,
  type GoServer,
  probe,
} from '../../scripts/set-up/go-server';
import { startKept } from '../../scripts/set-up/kept-process';

/**
 * Finds a program written in Go. Looks at the path in the environment variable `variable`, on the PATH and in the
 * project's cache. If the program is not there, builds it with `go install`.
 */
export async function findGoProgram(
  server: GoServer,
  variable: string,
  options: FindOptions,
): Promise<string> {
  const { env = process.env, say } = options;
  const chosen = env[variable];
  if (chosen) {
    const problem = await probe(server, chosen);
    if (problem === undefined) return chosen;
    say(`${variable}=${chosen} cannot be used: ${problem}. Looking elsewhere.`);
  }
  const onPath = await findOnPath(server, options);
  if (onPath.path !== undefined) return onPath.path;
  const cached = await findInCache(server, options);
  if (cached.path !== undefined) return cached.path;
  const built = await addToCache(server, options, (folder) => goInstall(server, options, folder));
  if (built.path !== undefined) return built.path;
  throw new FederationError('SERVER_NOT_FOUND', {
    detail: `${server.name}, which the tests need, could neither be found nor built: ${built.problem}`,
    hint: `Install Go ${server.minimumGo} or newer (https://go.dev/dl), or set ${variable} to a ${server.name} ${server.version}.`,
  });
}

export interface StartOptions {
  readonly name: string;
  readonly binary: string;
  readonly args: (port: number) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Returns whether the server that was just started answers on the port. Returns false if another server does. */
  readonly answers: (port: number) => Promise<boolean>;
  /** Folders to delete when the server stops. */
  readonly remove?: readonly string[];
}

/** Starts a server on a free loopback port and waits until it answers. */
export async function startOnFreePort(
  options: StartOptions,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const { name, binary, args, env = process.env, answers } = options;
  const scratch = await mkdtemp(path.join(os.tmpdir(), `federated-etl-${name}-`));
  const remove = [scratch, ...(options.remove ?? [])];
  const cleanUp = (): Promise<unknown> =>
    Promise.all(remove.map((folder) => rm(folder, { recursive: true, force: true })));
  const logFile = path.join(scratch, `${name}.log`);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(undefined);
    const kept = await startKept(binary, [...args(port)], { env, logFile, remove });
    const deadline = Date.now() + 60_000;
    while (kept.exit() === undefined && Date.now() < deadline) {
      if (await answers(port)) {
        kept.unref();
        const stop = async (): Promise<void> => {
          await kept.stop();
          await cleanUp();
        };
        return { port, stop };
      }
      await sleep(20);
    }
    await kept.stop();
    const log = await readFile(logFile, 'utf8').catch(() => '');
    // Another process may have taken the port before the server could listen on it. If so, try another port.
    if (attempt < 3 && /address already in use/.test(log)) continue;
    await cleanUp();
    throw new Error(`${name} did not start: ${log.trim() || 'it does not answer'}`);
  }
}
