import { exportLanes, ExportPlace } from '../../activities/export-combined';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { type Pipeline, windowId, type WindowRef } from '../../etl/window';
import { exportVersion, servedWindows } from '../../query/export';
import type { ExportFormat } from '../../query/export-formats';
import { openEngine } from '../open-engine';
import { serveReadable } from '../serve-readable';
import { inBatches } from './batches';
import type { ExportSource } from './source';
import type { ExportTarget } from './target';

/** Selection of the windows to export. Every field that is set narrows the selection. */
export interface ExportSelection {
  /** Selects only windows that overlap this span, which is in unix seconds. */
  readonly window?: { readonly start: number; readonly end: number };
  /** Selects only windows of this length, in OpenCost's notation, such as `1d`. */
  readonly resolution?: string;
  readonly pipeline?: Pipeline;
}

export interface ExportOptions extends ExportSelection {
  readonly format: ExportFormat;
  /** Whether to remove selected windows from the target if the source does not have them. */
  readonly prune: boolean;
  readonly source: () => Promise<ExportSource>;
  /** Opens the target. Called only after the source has been read. The export closes the target at the end. */
  readonly target: () => Promise<ExportTarget>;
  readonly signal: AbortSignal;
  /** Called each time a window has been written or could not be read. `of` is the total number of windows to write. */
  readonly progress: (done: number, of: number) => void;
}

/** Result of an export. `export --json` prints exactly this. */
export interface ExportResult {
  readonly out: string;
  readonly format: ExportFormat;
  /** Version of the exported tables' columns. It is the first folder of every path. */
  readonly version: typeof exportVersion;
  /** Number of the exported generation; undefined for a local ETL store. */
  readonly generation?: number;
  /** Number of windows that were written. */
  readonly written: number;
  /** Number of windows that were already in the target and had not changed. */
  readonly unchanged: number;
  /** Number of windows that `prune` removed. */
  readonly removed: number;
  /** Number of rows in the windows that were written. `bytes` is the total size of the written files. */
  readonly rows: number;
  readonly bytes: number;
  /** Windows that could not be read. Their existing files in the target are kept. */
  readonly refused: readonly RefusedWindow[];
  /** Sentences that say which newer generations are damaged or missing, and what to do about it. */
  readonly damaged: readonly string[];
  readonly seconds: number;
}

/** A window that could not be read, and why. */
export interface RefusedWindow {
  readonly window: string;
  readonly code: string;
  readonly detail: string;
}

/**
 * Writes the selected windows that the target does not have yet. A file appears in the target only when it is complete,
 * so an export that was interrupted can simply be started again. Windows are exported in batches, so memory use does
 * not grow with their number.
 */
export async function exportWindows(options: ExportOptions): Promise<ExportResult> {
  const { format, signal, progress } = options;
  const started = performance.now();
  const { generation, damaged, windows } = await options.source();
  await using target = await options.target();
  const selected = windows.filter((window) => isSelected(window, options));
  await using place = await ExportPlace.open(target.bucket, { format, signal });
  const { there = [], missing = [] } = Object.groupBy(selected, (window) =>
    place.has(window) ? 'there' : 'missing',
  );
  for (const window of there) await place.tidy(window);
  const refused: RefusedWindow[] = [];
  const total = { written: 0, rows: 0, bytes: 0 };
  const step = () => progress(total.written + refused.length, missing.length);
  for (const batch of inBatches(missing)) {
    await using engine = await openEngine({ verb: 'export', memoryLimit: '512MB' });
    // Each batch uses a new, empty database. So pass `true` (`allIdentities`): otherwise, `read` would omit identities
    // that it has already returned for an earlier batch.
    const files = batch.map((window) => ({
      ...window,
      name: windowId(window),
      read: () => window.read(true),
    }));
    await serveReadable(engine, {
      signal,
      files: (unreadable) => files.filter((file) => !unreadable.has(file.name)),
      onUnreadable: ({ name: window, code, detail }) => {
        refused.push({ window, code, detail });
        step();
      },
    });
    await mapConcurrently(await engine.withConnection(servedWindows), exportLanes, async (window) => {
      const { rows = 0, bytes = 0 } = (await place.write(window, engine)) ?? {};
      total.written++;
      total.rows += rows;
      total.bytes += bytes;
      step();
    });
  }
  const { written, rows, bytes } = total;
  return {
    out: target.name,
    format,
    version: exportVersion,
    generation,
    written,
    unchanged: there.length,
    removed: options.prune ? await place.removeOthers(selected, (ref) => isSelected(ref, options)) : 0,
    rows,
    bytes,
    refused,
    damaged,
    seconds: (performance.now() - started) / 1000,
  };
}

function isSelected(ref: WindowRef, { window, resolution, pipeline }: ExportSelection): boolean {
  return (
    (pipeline === undefined || ref.pipeline === pipeline) &&
    (resolution === undefined || ref.resolution === resolution) &&
    (window === undefined || (ref.window.start < window.end && ref.window.end > window.start))
  );
}
