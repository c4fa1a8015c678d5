import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { Registry } from 'prom-client';
import { type ReadThreads, startReadThreads } from '../activities/threads/read-threads';
import { startServer } from '../api/server';
import { createLog, type Log } from '../config/log';
import { isFederationError } from '../errors/federation-error';
import { windowId } from '../etl/window';
import { type LocalFile, listWindowFiles } from '../local-etl/list';
import { readSteadily } from '../local-etl/read';
import { localEtl, type LocalEtl, localPath, requireLocalEtl } from '../local-etl/store';
import { watchLocalEtl } from '../local-etl/watch';
import { defaultAliases } from '../query/aliases';
import { QueryEngine } from '../query/engine';
import type { WantedFile } from '../query/ingest';
import { bundlePage } from '../web/bundle';
import { Releasers } from '../workers/releasers';
import type { CommandOptions } from './context';
import { ingestProgress } from './ingest-progress';
import { print } from './output';
import { parentGone, stopOnSignals } from './stop-on-signals';

interface ServeOptions extends CommandOptions {
  readonly etl: string;
  readonly listen: string;
  readonly database?: string;
  readonly currency: string;
  readonly openRead?: true;
}

/** Adds the verb `serve` to the program. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('the query API and the page over a local ETL store alone: no Temporal, no bucket')
    .requiredOption('--etl <dir>', 'the folder that holds bingen/<pipeline>/<resolution>/<start>-<end>')
    .option('--listen <address>', 'where to listen', '127.0.0.1:9003')
    .option('--database <dir>', 'where to keep the database; else it is made anew and thrown away')
    .option('--currency <code>', 'what the currency is called', 'USD')
    .option('--open-read', 'answer whoever asks, also from other machines')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl serve --etl /var/configs/db/etl\n  federated-etl serve --etl ./backup/etl --listen 127.0.0.1:8080\n',
    )
    .action(async (_: unknown, command: Command) => serve(command.optsWithGlobals<ServeOptions>()));
}

async function serve({ etl, listen, database, currency, openRead, verbose }: ServeOptions): Promise<void> {
  const log = createLog({ level: verbose ? 'debug' : 'warn', format: 'auto' });
  const stop = AbortSignal.any([stopOnSignals(log), parentGone()]);
  await using held = new Releasers();
  const store = localEtl(resolve(etl));
  await requireLocalEtl(store);
  const folder = database ?? (await mkdtemp(join(tmpdir(), 'federated-etl-serve-')));
  if (database === undefined) held.defer(() => rm(folder, { recursive: true, force: true }));
  const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
  held.defer(async () => engine.close());
  const threads = startReadThreads();
  held.defer(() => threads.close());
  const server = await startServer({
    listen,
    answers: engine,
    currency,
    aliases: defaultAliases,
    utcOffsetSeconds: 0,
    assetsFlavour: 'kubecost',
    openRead: openRead === true,
    page: await bundlePage(),
    metrics: new Registry(),
    log,
    revision: () => engine.state().ingestedAt ?? '',
  });
  held.defer(() => server.close());
  print(`The API and the page are at ${server.url}`);

  // One ingest at a time; a change meanwhile asks for one more.
  let changed = true;
  let wake: () => void = () => undefined;
  const watcher = watchLocalEtl(store, () => {
    changed = true;
    wake();
  });
  held.defer(() => watcher.close());
  stop.addEventListener('abort', () => wake(), { once: true });
  while (!stop.aborted) {
    if (changed) {
      changed = false;
      await ingest(engine, store, threads, log, stop).catch((error: unknown) => {
        if (!stop.aborted) throw error;
      });
      continue;
    }
    await new Promise<void>((done) => (wake = done));
  }
}

/** Serves what lies there now; files that cannot be read are told of and left out. */
async function ingest(
  engine: QueryEngine,
  store: LocalEtl,
  threads: ReadThreads,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const leftOut = new Map<string, string>();
  const files: LocalFile[] = [];
  for await (const file of listWindowFiles(store, signal)) files.push(file);
  const bar = ingestProgress();
  try {
    for (;;) {
      const before = leftOut.size;
      const wanted = oneOfEach(files.filter(({ path }) => !leftOut.has(path))).map(toWanted);
      const notes = [...leftOut.values()];
      try {
        const summary = await engine.serve(
          wanted,
          { ingestedAt: new Date().toISOString(), notes },
          { signal, progress: bar.tell },
        );
        bar.stop();
        if (summary.ingested > 0) print(`${summary.ingested} windows ingested, ${summary.rows} rows.`);
        return;
      } catch (error) {
        // With one file less; what was read is not read again.
        if (leftOut.size === before) throw error;
      }
    }
  } finally {
    bar.stop();
  }

  function toWanted(file: LocalFile): WantedFile {
    return {
      ...file.ref,
      digest: `${file.size} ${file.mtimeMs}`,
      read: async (anew) => {
        const read = await readSteadily(localPath(store, file.path));
        try {
          return await threads.read(
            file.ref,
            read.kind === 'read' ? read.bytes : new Uint8Array(),
            signal,
            anew,
          );
        } catch (error) {
          if (!isFederationError(error)) throw error;
          const note = `${file.path} cannot be read (${error.code}) and is left out.`;
          log.warn({ event: 'serve.left-out', code: error.code, key: file.path }, note);
          leftOut.set(file.path, note);
          throw error;
        }
      },
    };
  }
}

/** A window may lie there under two names: the one that was written last counts. */
function oneOfEach(files: readonly LocalFile[]): LocalFile[] {
  const sorted = [...files].sort((a, b) => a.mtimeMs - b.mtimeMs);
  return [...new Map(sorted.map((file) => [windowId(file.ref), file])).values()];
}
