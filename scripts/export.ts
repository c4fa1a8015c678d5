import type { Command } from 'commander';
import { startReadThreads } from '../activities/threads/read-threads';
import type { Pipeline } from '../etl/window';
import { count } from '../federation/count';
import { type ExportResult, exportWindows } from '../operator/export/export-windows';
import { localStore, newestGeneration } from '../operator/export/source';
import { exportFolder, exportInBucket } from '../operator/export/target';
import { formatBytes, formatSpan } from '../operator/format';
import type { ExportFormat } from '../query/export-formats';
import { mostUnpacked } from '../workers/capacity';
import { Releasers } from '../workers/releasers';
import { type CommandOptions, openContext } from './context';
import { print, printJson, printNote } from './output';
import { showProgress } from './progress';
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

/** Exports the combined data, or a local ETL store. */
export async function exportData(command: Command): Promise<void> {
  const options = command.optsWithGlobals<ExportOptions>();
  if (options.out === toBucket && options.etl !== undefined) {
    command.error('error: --out bucket is for combined data, so it cannot be used with --etl', {
      exitCode: 2,
    });
  }
  const result = await runUntilStopped(options);
  if (result === undefined) {
    printNote('Stopped. Every file that was written is complete; the next export continues from there.');
  } else show(result, options);
  if (result === undefined || result.refused.length + result.damaged.length > 0) process.exitCode = 1;
}

/**
 * Value of `--out` that means the federation's bucket. To export to a folder named `bucket`, users write `./bucket`.
 */
const toBucket = 'bucket';

/** Runs the export. Returns undefined if a signal has stopped it. */
async function runUntilStopped(options: ExportOptions): Promise<ExportResult | undefined> {
  const { out, etl, prune } = options;
  await using releasers = new Releasers();
  await using context = etl === undefined ? openContext(options) : undefined;
  using signal = stopOnSignals({
    info: (_: unknown, text?: string) => printNote(text ?? ''),
  });
  const threads = startReadThreads({ mostUnpacked: mostUnpacked() });
  releasers.defer(() => threads.close());
  using progress = showProgress('export');
  try {
    return await exportWindows({
      ...options,
      prune: prune === true,
      source: async () =>
        context === undefined
          ? localStore(etl ?? '', threads, signal)
          : newestGeneration(await context.bucket(), threads, signal),
      target: () =>
        context !== undefined && out === toBucket
          ? exportInBucket(context.settings.storage, context.log)
          : exportFolder(out),
      signal,
      progress: progress.update,
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

function show(result: ExportResult, { etl, json }: ExportOptions): void {
  const { out, generation, written, unchanged, removed, rows, bytes, refused, damaged, seconds } = result;
  for (const line of damaged) printNote(line);
  for (const { window, code, detail } of refused) printNote(`${window}: ${code}: ${detail}`);
  if (json) return printJson(result);
  const from = generation === undefined ? etl : `generation ${generation}`;
  print(
    `${out}: ${count(written, 'window')} of ${from} written (${count(rows, 'row')}, ${formatBytes(bytes)}), ` +
      `${unchanged} unchanged, ${removed} removed, in ${formatSpan(seconds * 1000)}`,
  );
}
