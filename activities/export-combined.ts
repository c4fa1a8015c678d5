import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Log } from '../config/log';
import { windowId, type WindowRef } from '../etl/window';
import { readDocument, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { exportPath, exportPrefix, exportTablesPath, parseExportPath } from '../federation/layout';
import type { QueryEngine } from '../query/engine';
import { exportSchema, exportVersion, exportWindow, type ServedWindow, servedWindows } from '../query/export';
import type { ExportFormat } from '../query/export-formats';
import type { Bucket } from '../storage/bucket';
import { withPrefix } from '../storage/with-prefix';
import { repeatable } from '../storage/with-retry';

export interface ExportDependencies {
  /** Bucket of the federation. The export is written under `federated/combined/export/`. */
  readonly bucket: Bucket;
  readonly engine: QueryEngine;
  readonly format: ExportFormat;
  readonly log: Log;
  readonly heartbeat: (details: unknown) => void;
  readonly signal: () => AbortSignal;
}

export interface ExportSummary {
  /** Number of windows that the engine serves. */
  readonly windows: number;
  /**
   * Number of windows that were written because they were missing from the export or their content there was different.
   */
  readonly written: number;
  readonly unchanged: number;
  /** Number of windows that were removed from the export because the engine no longer serves them. */
  readonly removed: number;
}

/**
 * Creates the activity that makes the export in the bucket match the windows that the engine serves. Idempotent: if a
 * call fails, the next call completes the export.
 */
export function createExportCombined(deps: ExportDependencies): () => Promise<ExportSummary> {
  return async () => {
    const { bucket, engine, format, log, heartbeat } = deps;
    const started = performance.now();
    // Send heartbeats on a timer: exporting one large window can take longer than the heartbeat timeout.
    const beat = setInterval(() => heartbeat({ exporting: true }), 5_000);
    try {
      const summary = await exportServed(engine, bucket, exportPrefix, {
        format,
        prune: true,
        signal: deps.signal(),
        progress: (done, of) => heartbeat({ exported: done, of }),
      });
      const { generation } = engine.state();
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      // Many pulls find nothing to export.
      const level = summary.written + summary.removed > 0 ? 'info' : 'debug';
      log[level](
        { event: 'export.done', generation, ...summary, seconds },
        `exported generation ${generation}: ${summary.written} of ${summary.windows} windows written, ${summary.removed} removed in ${seconds} s`,
      );
      return summary;
    } finally {
      clearInterval(beat);
    }
  };
}

export interface ExportOptions extends ExportPlaceOptions {
  /** If true, windows that the engine no longer serves are removed from the export. */
  readonly prune: boolean;
  /** Called after each window. `done` is the number of windows done so far, `of` is their total number. */
  readonly progress?: (done: number, of: number) => void;
}

/**
 * Writes files below a prefix of a bucket, one for each window that an engine serves. When a window changes, its new
 * file is written before the old one is removed, so the window is never missing from the export.
 */
export async function exportServed(
  engine: QueryEngine,
  bucket: Bucket,
  prefix: string,
  options: ExportOptions,
): Promise<ExportSummary> {
  await using place = await ExportPlace.open(withPrefix(bucket, prefix.replace(/\/$/, '')), options);
  const written = new Set<string>();
  let windows: ServedWindow[];
  let overtaken: boolean;
  do {
    overtaken = false;
    windows = await engine.withConnection(servedWindows);
    let done = 0;
    await mapConcurrently(windows, exportLanes, async (window) => {
      if (place.has(window)) await place.tidy(window);
      else if ((await place.write(window, engine)) === undefined) overtaken = true;
      else written.add(windowId(window));
      options.progress?.(++done, windows.length);
    });
    // If the engine switched to another generation in the meantime, export that generation instead.
  } while (overtaken);
  const removed = options.prune ? await place.removeOthers(windows) : 0;
  const unchanged = windows.filter((window) => !written.has(windowId(window))).length;
  return { windows: windows.length, written: written.size, unchanged, removed };
}

/** Number of windows exported at once. With two, one can be uploaded while the other is written to disk. */
export const exportLanes = 2;

export interface ExportPlaceOptions {
  readonly format: ExportFormat;
  readonly signal: AbortSignal;
}

/** A window and the digest of its content. The digest is part of the name of the exported file. */
export type ExportableWindow = WindowRef & { readonly digest: string };

/** The destination of an export: a bucket, or a folder accessed like a bucket. Declare it with `await using`. */
export class ExportPlace implements AsyncDisposable {
  private made = 0;

  private constructor(
    private readonly bucket: Bucket,
    private readonly options: ExportPlaceOptions,
    private readonly folder: string,
    /** Paths of the files that the export already contains, by window id. */
    private readonly there: Map<string, Set<string>>,
  ) {}

  /** Opens an export: lists its existing files and writes `schema.json`. */
  static async open(bucket: Bucket, options: ExportPlaceOptions): Promise<ExportPlace> {
    const there = await listExport(bucket, options);
    await writeSchema(bucket, options.signal);
    const folder = await mkdtemp(join(tmpdir(), 'federated-etl-export-'));
    return new ExportPlace(bucket, options, folder, there);
  }

  has(window: ExportableWindow): boolean {
    return this.there.get(windowId(window))?.has(this.pathOf(window)) === true;
  }

  /**
   * Exports the current content of a window, then removes the window's older files. If the engine no longer has the
   * window, does nothing and returns undefined.
   */
  async write(
    window: ServedWindow,
    engine: QueryEngine,
  ): Promise<{ rows: number; bytes: number } | undefined> {
    const { format, signal } = this.options;
    const local = join(this.folder, String(++this.made));
    try {
      const rows = await engine.withConnection((connection) =>
        exportWindow(connection, window.id, format, local, signal),
      );
      if (rows === undefined) return undefined;
      const { size: bytes } = await stat(local);
      // Send a small file in one request: some stores require additional permissions for multipart uploads.
      const body =
        bytes <= wholeBytes ? await readFile(local) : repeatable(() => createReadStream(local, { signal }));
      const path = this.pathOf(window);
      await this.bucket.put(path, body, { signal });
      const paths = this.there.get(windowId(window)) ?? new Set();
      this.there.set(windowId(window), paths.add(path));
      await this.tidy(window);
      return { rows, bytes };
    } finally {
      await rm(local, { force: true });
    }
  }

  /** Removes a window's outdated files from the export. Keeps the file with the window's current content. */
  async tidy(window: ExportableWindow): Promise<void> {
    const kept = this.pathOf(window);
    for (const path of this.there.get(windowId(window)) ?? []) if (path !== kept) await this.remove(path);
  }

  /**
   * Removes windows from the export: those for which `concerns` returns true and that are not in `windows`. Returns the
   * number of removed windows.
   */
  async removeOthers(
    windows: readonly WindowRef[],
    concerns: (ref: WindowRef) => boolean = () => true,
  ): Promise<number> {
    const kept = new Set<string>(windows.map(windowId));
    const others = [...this.there].filter(([id, paths]) => {
      const [path = ''] = paths;
      const ref = parseExportPath(path)?.ref;
      return !kept.has(id) && ref !== undefined && concerns(ref);
    });
    for (const [, paths] of others) for (const path of paths) await this.remove(path);
    return others.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async remove(path: string): Promise<void> {
    await this.bucket.delete(path, { signal: this.options.signal });
    const file = parseExportPath(path);
    if (file === undefined) return;
    const paths = this.there.get(windowId(file.ref));
    paths?.delete(path);
    if (paths?.size === 0) this.there.delete(windowId(file.ref));
  }

  private pathOf(window: ExportableWindow): string {
    const { format } = this.options;
    return exportPath({ version: exportVersion, format, ref: window, digest: window.digest });
  }
}

const wholeBytes = 64 * 2 ** 20;

async function listExport(
  bucket: Bucket,
  { format, signal }: ExportPlaceOptions,
): Promise<Map<string, Set<string>>> {
  const there = new Map<string, Set<string>>();
  for await (const entry of bucket.list(exportTablesPath(exportVersion, format), { signal })) {
    const file = entry.kind === 'object' ? parseExportPath(entry.key) : undefined;
    if (entry.kind !== 'object' || file === undefined) continue;
    const id = windowId(file.ref);
    there.set(id, (there.get(id) ?? new Set()).add(entry.key));
  }
  return there;
}

/** Writes the schema only if it is missing or different, so that an unchanged export causes no write. */
async function writeSchema(bucket: Bucket, signal: AbortSignal): Promise<void> {
  const document = documents.exportSchema.at(exportVersion);
  const there = await readDocument(bucket, document, { signal });
  if (JSON.stringify(there) !== JSON.stringify(exportSchema))
    await replaceDocument(bucket, document, exportSchema, { signal });
}
