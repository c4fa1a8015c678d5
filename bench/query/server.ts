import { spawn } from 'node:child_process';
import path from 'node:path';
import { peakOf } from '../storage/measure';

/** A running `federated-etl serve`. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly lines: string[];
  stop(): Promise<void>;
}

/** Starts `federated-etl serve` over a local ETL store. The caller must call `stop`. */
export async function serve(etl: string, database: string): Promise<Server> {
  const program = path.join(__dirname, '../../scripts/federated-etl.cjs');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [program, 'serve', '--etl', etl, '--database', database, '--listen', '127.0.0.1:0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(lines.join('\n'))));
    child.stdout.on('data', (data: Buffer) => {
      lines.push(...data.toString().split('\n'));
      const found = /http:\S+/.exec(data.toString());
      if (found !== null) resolve(found[0]);
    });
  });
  return {
    url,
    pid: child.pid ?? 0,
    startedAt,
    lines,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Waits until a server has ingested its files. Throws if they have fewer rows than expected. */
export async function untilIngested(server: Server, expected: number) {
  for (;;) {
    const done = server.lines
      .map((line) => /windows ingested, (\d+) rows/.exec(line))
      .find((match) => match !== null);
    if (done !== undefined && done !== null) {
      const rows = Number(done[1]);
      if (rows < expected) throw new Error(`only ${rows} rows were ingested`);
      return {
        rows,
        seconds: (performance.now() - server.startedAt) / 1_000,
        peak: await peakOf(server.pid),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
