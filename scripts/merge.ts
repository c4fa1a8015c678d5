import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { FederationError } from '../errors/federation-error';
import { encodeMerged } from '../etl/contribution';
import { type MergeInput, mergeSets } from '../etl/merge';
import type { EtlSet, SetOf } from '../etl/model';
import { recordCount, setWindow } from '../etl/set-facts';
import type { Pipeline } from '../etl/window';
import { count } from '../federation/count';
import { formatBytes } from '../operator/format';
import { decodeEtlFile, readLocalEtlFile } from '../operator/read-etl-file';
import { pipelineOption } from './inspect';
import { print } from './output';

interface MergeOptions {
  out: string;
  pipeline?: Pipeline;
}

/** Adds the verb `merge` to the command line. The verb reads and writes only local files. */
export function registerMerge(program: Command): void {
  program
    .command('merge')
    .description('merge ETL files of one window into one, as a federation does')
    .argument(
      '<files...>',
      'ETL files of one pipeline and window; where records collide, earlier files come first',
    )
    .requiredOption('--out <file>', 'the merged file; replaced atomically')
    .addOption(pipelineOption())
    .addHelpText(
      'after',
      [
        '',
        'Example:',
        '  federated-etl merge --out merged cluster-1/allocations/1d/1794614400-1794700800 \\',
        '    cluster-2/allocations/1d/1794614400-1794700800',
        '',
      ].join('\n'),
    )
    .action(async (files: string[], options: MergeOptions) => {
      const inputs: MergeInput<EtlSet>[] = [];
      for (const file of files) {
        inputs.push({ id: file, set: decodeEtlFile(file, await readLocalEtlFile(file), options.pipeline) });
      }
      const { bytes, records } = mergeInputs(inputs);
      await replaceFile(options.out, bytes);
      print(
        `${options.out}: ${count(records, 'record')} of ${count(files.length, 'file')}, ${formatBytes(bytes.length)}`,
      );
    });
}

function mergeInputs(inputs: MergeInput<EtlSet>[]): { bytes: Buffer; records: number } {
  const [first] = inputs;
  if (first === undefined) throw new RangeError('Nothing to merge.');
  for (const input of inputs) requireSameWindow(first, input);
  const merged = mergeSets(first.set.kind, inputs as MergeInput<SetOf[Pipeline]>[]);
  return { bytes: encodeMerged(merged).bytes, records: recordCount(merged.set) };
}

function requireSameWindow(a: MergeInput<EtlSet>, b: MergeInput<EtlSet>): void {
  const [windowA, windowB] = [contentsOf(a.set), contentsOf(b.set)];
  if (windowA === windowB) return;
  throw new FederationError('MERGE_WINDOWS_DIFFER', {
    subject: { key: b.id },
    detail: `${a.id} holds ${windowA}, and ${b.id} holds ${windowB}.`,
  });
}

/** Describes a set by its pipeline and its window in unix seconds, such as `assets of 1794614400-1794700800`. */
function contentsOf(set: EtlSet): string {
  const { start, end } = setWindow(set);
  return `${set.kind} of ${start ?? 'open'}-${end ?? 'open'}`;
}

/** Writes a file under a temporary name and then renames it to `path`, so that no reader sees an incomplete file. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(beside, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true });
    throw new FederationError('STORAGE_UNAVAILABLE', {
      subject: { key: path },
      detail: `The merged file cannot be written: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: 'Give --out a path in a folder that exists and can be written to.',
      retryable: false,
      cause,
    });
  }
}
