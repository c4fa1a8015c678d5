import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, freePort } from '../scripts/set-up/free-port';
import { startTemporalServer, type TemporalServer } from '../scripts/set-up/temporal-server';
import { peakOf, type Victim } from './supervised';

/** A Temporal server that keeps its state in a file, and always listens on the same port. */
export class Temporal implements Victim {
  readonly name = 'temporal';
  readonly role = 'temporal';
  #peakBytes = 0;
  #ready = true;
  #restarting: Promise<void> = Promise.resolve();

  private constructor(
    private readonly binary: string,
    private readonly folder: string,
    private server: TemporalServer,
  ) {}

  static async start(binary: string, folder: string): Promise<Temporal> {
    return new Temporal(binary, folder, await startServer(binary, folder, await freePort(undefined)));
  }

  get address(): string {
    return this.server.address;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  kill(): boolean {
    if (!this.#ready) return false;
    this.measure();
    this.#ready = false;
    signal(this.server.pid, 'SIGKILL');
    this.#restarting = this.#restart();
    return true;
  }

  pause(): void {
    if (this.#ready) signal(this.server.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.#ready) signal(this.server.pid, 'SIGCONT');
  }

  measure(): void {
    this.#peakBytes = Math.max(this.#peakBytes, peakOf(this.server.pid));
  }

  isReady(): boolean {
    return this.#ready;
  }

  async stop(): Promise<void> {
    await this.#restarting;
    this.resume();
    await this.server.stop();
  }

  async #restart(): Promise<void> {
    const { address } = this.server;
    const port = Number(address.split(':').at(-1));
    for (;;) {
      while (await answers(port)) await sleep(20);
      const server = await startServer(this.binary, this.folder, port).catch(() => undefined);
      if (server?.address === address) {
        this.server = server;
        this.#ready = true;
        return;
      }
      await server?.stop();
      await sleep(200);
    }
  }
}

function startServer(binary: string, folder: string, preferredPort: number): Promise<TemporalServer> {
  return startTemporalServer({
    binary,
    dbFile: path.join(folder, 'temporal.db'),
    logFile: path.join(folder, 'logs', 'temporal.log'),
    headless: true,
    preferredPort,
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
