import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../config/log';
import { windowId, type WindowRef } from '../etl/window';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { QueryEngine } from '../query/engine';
import {
  type ExportFormat,
  exportSchema,
  exportVersion,
  exportWindow,
  servedWindows,
  type ServedWindow,
} from '../query/export';
import type { Bucket } from '../storage/bucket';
import { exportPath, exportPrefix, exportTablesPath, parseExportPath } from '../federation/layout';
import { readDocument, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { withPrefix } from '../storage/with-prefix';
import { repeatable } from '../storage/with-retry';

export interface ExportDependencies {
  /** The federation's bucket: it is written below `federated/combined/export/`. */
  readonly bucket: Bucket;
  readonly engine: QueryEngine;
  readonly format: ExportFormat;
  readonly log: Log;
  readonly heartbeat: (details: unknown) => void;
  readonly signal: () => AbortSignal;
}

export interface ExportSummary {
  /** All that are combined. */
  readonly windows: number;
  /** Windows that were not there, or of another content. */
  readonly written: number;
  readonly unchanged: number;
  /** Windows that are no longer combined. */
  readonly removed: number;
}

/** Brings the export in the bucket in line with what the engine serves. Idempotent: whatever ends it, the next one goes on. */
export function createExportCombined(deps: ExportDependencies): () => Promise<ExportSummary> {
  return async () => {
    const { bucket, engine, format, log, heartbeat } = deps;
    const started = performance.now();
    // A large window takes longer than a heartbeat may.
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
      log.info(
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
  /** Whether to remove windows that are not served. */
  readonly prune: boolean;
  /** Called after each window. */
  readonly progress?: (done: number, of: number) => void;
}

/**
 * Writes what an engine serves below a prefix of a bucket. Each window is the old or the new file at any moment, for a
 * moment both.
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
    // Another generation is served meanwhile: then that one is exported.
  } while (overtaken);
  const removed = options.prune ? await place.removeOthers(windows) : 0;
  const unchanged = windows.filter((window) => !written.has(windowId(window))).length;
  return { windows: windows.length, written: written.size, unchanged, removed };
}

/** While one window is on its way to the bucket, the next one is written. */
export const exportLanes = 2;

export interface ExportPlaceOptions {
  readonly format: ExportFormat;
  readonly signal: AbortSignal;
}

/** A window and what its content is known by. */
export type ExportableWindow = WindowRef & { readonly digest: string };

/** Where an export goes: a bucket, or a folder that is opened as one. Use it with `await using`. */
export class ExportPlace implements AsyncDisposable {
  private made = 0;

  private constructor(
    private readonly bucket: Bucket,
    private readonly options: ExportPlaceOptions,
    private readonly folder: string,
    /** The paths that are there of each window. */
    private readonly there: Map<string, Set<string>>,
  ) {}

  /** Looks at what is there, and writes `schema.json`. */
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
   * Writes a window, and once it is in its place, removes what is there of it with another content. Undefined, and nothing
   * is done, when the engine has it no more.
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
      // Whole where that is small: some stores ask for more rights when something comes in parts.
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

  /** Removes what is there of a window that is there, but for its newest content. */
  async tidy(window: ExportableWindow): Promise<void> {
    const kept = this.pathOf(window);
    for (const path of this.there.get(windowId(window)) ?? []) if (path !== kept) await this.remove(path);
  }

  /** Removes the windows that are none of these, of those that `concerns` names; gives how many. */
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

/** Only where it says something else: an export that finds nothing to do writes nothing. */
async function writeSchema(bucket: Bucket, signal: AbortSignal): Promise<void> {
  const document = documents.exportSchema.at(exportVersion);
  const there = await readDocument(bucket, document, { signal });
  if (JSON.stringify(there) !== JSON.stringify(exportSchema))
    await replaceDocument(bucket, document, exportSchema, { signal });
}
