import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { exportLanes, ExportPlace } from '../activities/export-combined';
import { wantedWindows } from '../activities/ingest-combined';
import { readNewestGeneration } from '../activities/read-generations';
import { type ReadThreads, startReadThreads } from '../activities/threads/read-threads';
import { openLoggedBucket } from '../config/open-logged-bucket';
import { FederationError, isFederationError } from '../errors/federation-error';
import {
  parseResolution,
  type Pipeline,
  pipelines,
  type WindowId,
  windowId,
  type WindowRef,
} from '../etl/window';
import { concurrently } from '../local-etl/concurrently';
import { type LocalFile, listWindowFiles } from '../local-etl/list';
import { readSteadily, sha256 } from '../local-etl/read';
import { localEtl, type LocalEtl, localPath, requireLocalEtl } from '../local-etl/store';
import { QueryEngine } from '../query/engine';
import { type ExportFormat, exportFormats, exportVersion, servedWindows } from '../query/export';
import type { WantedFile } from '../query/ingest';
import type { Bucket, BucketReader } from '../storage/bucket';
import { openBucket } from '../storage/open-bucket';
import { exportPrefix } from '../federation/layout';
import { withPrefix } from '../storage/with-prefix';
import { Releasers } from '../workers/releasers';
import { openContext, type CommandOptions } from './context';
import { parseSpan } from './parse-options';
import { count, formatBytes, formatSpan } from '../operator/format';
import { print, printJson } from './output';
import { stopOnSignals } from './stop-on-signals';

interface ExportOptions extends CommandOptions {
  readonly format: ExportFormat;
  readonly out: string;
  readonly etl?: string;
  readonly window?: { start: number; end: number };
  readonly resolution?: string;
  readonly pipeline?: Pipeline;
  readonly prune?: true;
  readonly json?: true;
}

/** Adds the verb `export` to the program. */
export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write the combined data as Parquet or CSV, a file a window, for other query engines')
    .requiredOption('--out <dir>', 'the folder to write to, or the word `bucket` for its own place there')
    .addOption(new Option('--format <format>', 'how to write it').choices(exportFormats).default('parquet'))
    .option('--etl <dir>', 'export a local ETL store instead of the newest generation; needs no settings')
    .option(
      '--window <start,end>',
      'only windows that overlap this span: unix seconds or RFC 3339',
      parseSpan,
    )
    .option('--resolution <resolution>', 'only windows of this length, as 1d or 1h', parseResolutionName)
    .addOption(new Option('--pipeline <pipeline>', 'only this pipeline').choices(pipelines))
    .option('--prune', 'remove files of windows that are no longer there, among those that are chosen')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl export --out ./costs --resolution 1d\n' +
        '  federated-etl export --out bucket --prune\n' +
        '  federated-etl export --etl /var/configs/db/etl --out ./costs --format csv --window 2026-11-01T00:00:00Z,2026-12-01T00:00:00Z\n' +
        '\nExit status 1: a window could not be read; the others are written.\n',
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExportOptions>();
      if (options.out === toBucket && options.etl !== undefined) {
        command.error('error: --out bucket is for what is combined, so it does not go with --etl', {
          exitCode: 2,
        });
      }
      await exportAndTell(options);
    });
}

/** `--out` of the bucket; a folder of that name is `./bucket`. */
const toBucket = 'bucket';

function parseResolutionName(text: string): string {
  const resolution = parseResolution(text);
  if (resolution === undefined) throw new InvalidArgumentError('It takes a length of time, as 1d or 1h.');
  return resolution.name;
}

/** A window file of the source. */
interface SourceWindow extends WantedFile {
  readonly size: number;
}

interface Source {
  readonly generation?: number;
  readonly windows: readonly SourceWindow[];
}

interface Refused {
  readonly window: string;
  readonly code: string;
  readonly detail: string;
}

interface Exported {
  written: number;
  unchanged: number;
  removed: number;
  rows: number;
  bytes: number;
  readonly refused: Refused[];
}

async function exportAndTell(options: ExportOptions): Promise<void> {
  const started = Date.now();
  await using held = new Releasers();
  const { bucket, openTarget } = await openBuckets(options, held);
  using signal = stopOnSignals({
    info: (_: unknown, text?: string) => void process.stderr.write(`${text}\n`),
  });
  const threads = startReadThreads();
  held.defer(() => threads.close());
  try {
    const source =
      bucket === undefined
        ? await localSource(options.etl ?? '', threads, signal)
        : await newestSource(bucket, threads, signal);
    const target = await openTarget();
    const result = await exportSource(source, target, options, signal);
    tell(options, source, target, result, Date.now() - started);
    if (result.refused.length > 0) process.exitCode = 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('Stopped. What is written is whole; the next export goes on from there.\n');
    process.exitCode = 1;
  }
}

/** Batch by batch, so that memory does not grow with the number of windows. */
async function exportSource(
  { windows }: Source,
  target: Bucket,
  options: ExportOptions,
  signal: AbortSignal,
): Promise<Exported> {
  const chosen = windows.filter((window) => isChosen(window, options));
  await using place = await ExportPlace.open(target, { format: options.format, signal });
  const there = chosen.filter((window) => place.has(window));
  const missing = chosen.filter((window) => !place.has(window));
  for (const window of there) await place.tidy(window);
  const result: Exported = {
    written: 0,
    unchanged: there.length,
    removed: 0,
    rows: 0,
    bytes: 0,
    refused: [],
  };
  using progress = showProgress(missing.length);
  for (const batch of inBatches(missing)) {
    await using engine = await throwAwayEngine();
    result.refused.push(...(await ingest(engine, batch, signal, progress)));
    const served = await engine.withConnection(servedWindows);
    await concurrently(served, exportLanes, async (window) => {
      const { rows = 0, bytes = 0 } = (await place.write(window, engine)) ?? {};
      result.written++;
      result.rows += rows;
      result.bytes += bytes;
      progress.step();
    });
  }
  if (options.prune) result.removed = await place.removeOthers(chosen, (ref) => isChosen(ref, options));
  return result;
}

function tell(
  options: ExportOptions,
  { generation }: Source,
  target: Bucket,
  { refused, ...result }: Exported,
  milliseconds: number,
): void {
  const out = options.out === toBucket ? target.label : options.out;
  for (const { window, code, detail } of refused) process.stderr.write(`${window}: ${code}: ${detail}\n`);
  if (options.json) {
    const { format } = options;
    const seconds = milliseconds / 1000;
    return printJson({ out, format, version: exportVersion, generation, ...result, refused, seconds });
  }
  const what = generation === undefined ? options.etl : `generation ${generation}`;
  const { written, rows, bytes, unchanged, removed } = result;
  print(
    `${out}: ${count(written, 'window')} of ${what} written (${count(rows, 'row')}, ${formatBytes(bytes)}), ` +
      `${unchanged} unchanged, ${removed} removed, in ${formatSpan(milliseconds)}`,
  );
}

/** Where the generation is read, unless a local store is, and where the export goes. */
async function openBuckets(
  options: ExportOptions,
  held: Releasers,
): Promise<{ bucket?: Bucket; openTarget: () => Promise<Bucket> }> {
  const { out, etl } = options;
  if (etl !== undefined) return { openTarget: () => openFolder(out, held) };
  const context = openContext(options);
  held.defer(async () => context[Symbol.asyncDispose]());
  if (out !== toBucket) return { bucket: await context.bucket(), openTarget: () => openFolder(out, held) };
  // The one of the context is for reading only.
  const bucket = await openLoggedBucket(context.settings.storage, context.log);
  held.defer(() => bucket.close());
  return { bucket, openTarget: async () => withPrefix(bucket, exportPrefix.slice(0, -1)) };
}

/** As a bucket: it writes beside and renames. */
async function openFolder(out: string, held: Releasers): Promise<Bucket> {
  const directory = resolve(out);
  try {
    await mkdir(directory, { recursive: true });
  } catch (cause) {
    throw new FederationError('STORAGE_UNAVAILABLE', {
      subject: { key: out },
      detail: `The folder cannot be made: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: 'Give --out a folder that can be written to.',
      retryable: false,
      cause,
    });
  }
  const bucket = await openBucket({
    type: 'FILESYSTEM',
    config: { directory },
    prefix: '',
    warnings: [],
    unknown: [],
  });
  held.defer(() => bucket.close());
  return bucket;
}

function isChosen(ref: WindowRef, { window, resolution, pipeline }: ExportOptions): boolean {
  return (
    (pipeline === undefined || ref.pipeline === pipeline) &&
    (resolution === undefined || ref.resolution === resolution) &&
    (window === undefined || (ref.window.start < window.end && ref.window.end > window.start))
  );
}

async function newestSource(
  bucket: BucketReader,
  threads: ReadThreads,
  signal: AbortSignal,
): Promise<Source> {
  const generation = await readNewestGeneration(bucket, { signal });
  if (generation === undefined) {
    throw new FederationError('QUERY_NO_DATA', {
      detail: `Nothing was combined in ${bucket.label} yet.`,
      hint: 'Wait for the first federation, or start one: `federated-etl federate --wait`. To export a local ETL store, name it by --etl.',
    });
  }
  const windows = wantedWindows({ combined: bucket, threads }, generation, signal).map((window) => ({
    ...window,
    size: generation.windows[windowId(window)]?.size ?? 0,
  }));
  return { generation: generation.generation, windows };
}

async function localSource(etl: string, threads: ReadThreads, signal: AbortSignal): Promise<Source> {
  const store = localEtl(resolve(etl));
  await requireLocalEtl(store);
  // A window may lie there under two names: the one that was written last counts.
  const files = new Map<WindowId, LocalFile>();
  for await (const file of listWindowFiles(store, signal)) {
    const known = files.get(windowId(file.ref));
    if (known === undefined || known.mtimeMs <= file.mtimeMs) files.set(windowId(file.ref), file);
  }
  if (files.size === 0) {
    throw new FederationError('QUERY_NO_DATA', {
      subject: { key: store.bingen },
      detail: 'There is no window file.',
      hint: 'Give --etl the folder that holds bingen/<pipeline>/<resolution>/<start>-<end>.',
    });
  }
  const windows: SourceWindow[] = [];
  for (const file of files.values()) {
    const now = await readLocal(store, file);
    // One that cannot be read now is not there under any digest; reading it says why.
    const digest = now === undefined ? '' : sha256(now);
    const read = async (anew?: boolean) => {
      const bytes = await readLocal(store, file);
      if (bytes === undefined || sha256(bytes) !== digest) throw beingWritten(file);
      return threads.read(file.ref, bytes, signal, anew);
    };
    windows.push({ ...file.ref, digest, size: file.size, read });
  }
  return { windows };
}

async function readLocal(store: LocalEtl, file: LocalFile): Promise<Uint8Array | undefined> {
  const read = await readSteadily(localPath(store, file.path));
  return read.kind === 'read' ? read.bytes : undefined;
}

function beingWritten({ path }: LocalFile): FederationError {
  return new FederationError('STORAGE_CONFLICT', {
    subject: { key: path },
    detail: 'The file is being written or was removed, or it must not be read.',
  });
}

const batchBytes = 32 * 2 ** 20;
const batchWindows = 32;

/** So many that a database of its own pays, and so few that it stays small. */
function inBatches(windows: readonly SourceWindow[]): SourceWindow[][] {
  const batches: SourceWindow[][] = [];
  let bytes = Infinity;
  for (const window of [...windows].sort((a, b) => a.window.start - b.window.start)) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= batchWindows || bytes + window.size > batchBytes) {
      batches.push([window]);
      bytes = window.size;
    } else {
      last.push(window);
      bytes += window.size;
    }
  }
  return batches;
}

async function throwAwayEngine(): Promise<QueryEngine & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'federated-etl-export-'));
  const engine = await QueryEngine.open({ folder, memoryLimit: '512MB', threads: 2 });
  return Object.assign(engine, {
    async [Symbol.asyncDispose]() {
      engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** Brings windows into the database; gives those that cannot be read, and leaves them out. */
async function ingest(
  engine: QueryEngine,
  windows: readonly SourceWindow[],
  signal: AbortSignal,
  progress: Progress,
): Promise<Refused[]> {
  const refused = new Map<string, Refused>();
  for (;;) {
    const before = refused.size;
    const wanted = windows.filter((window) => !refused.has(windowId(window))).map(toWanted);
    try {
      await engine.serve(wanted, { ingestedAt: new Date().toISOString() }, { signal });
      return [...refused.values()];
    } catch (error) {
      if (refused.size === before) throw error;
      // With one window less; what was read is not read again.
      progress.step();
    }
  }

  function toWanted(window: SourceWindow): WantedFile {
    return {
      ...window,
      read: async () => {
        try {
          // Each batch has a database of its own, in which nothing is known yet.
          return await window.read(true);
        } catch (error) {
          if (isFederationError(error) && isOfFile(error)) {
            const id = windowId(window);
            refused.set(id, { window: id, code: error.code, detail: error.detail });
          }
          throw error;
        }
      },
    };
  }
}

/** Whether another window may well be readable. */
function isOfFile({ code }: FederationError): boolean {
  return (
    code.startsWith('ETL_') ||
    ['GENERATION_UNREADABLE', 'STORAGE_CONFLICT', 'STORAGE_CORRUPT', 'STORAGE_NOT_FOUND'].includes(code)
  );
}

interface Progress extends Disposable {
  /** One more window is done. */
  step(this: void): void;
}

/** A line each so many windows where no person looks. */
const linesApart = 50;

/** A bar at a terminal, a line now and then elsewhere; on standard error, beside the answer. */
function showProgress(of: number): Progress {
  let done = 0;
  if (!process.stderr.isTTY) {
    return {
      step: () => {
        if (++done % linesApart === 0) process.stderr.write(`exported ${done} of ${count(of, 'window')}\n`);
      },
      [Symbol.dispose]: () => undefined,
    };
  }
  const bar = new SingleBar(
    { format: 'export {bar} {value}/{total} windows', clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(of, 0);
  return { step: () => bar.update(++done), [Symbol.dispose]: () => bar.stop() };
}
