import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { EtlSet } from '../etl/model';
import { setWindow } from '../etl/set-facts';
import { Splice, type SplicedMerge } from '../etl/splice/splice';
import type { InputFacts } from '../etl/splice/spliced-input';
import type { Pipeline } from '../etl/window';
import { count } from '../federation/count';
import { formatBytes } from '../operator/format';
import { decodeEtlFile, pipelineOfPath, readLocalEtlFile } from '../operator/read-etl-file';
import { print } from './output';

export interface MergeOptions {
  out: string;
  pipeline?: Pipeline;
}

/** Merges ETL files into one. */
export async function merge(files: string[], options: MergeOptions): Promise<void> {
  const { parts, byteLength, contributions } = await mergeFiles(files, options.pipeline);
  // A merged file has no keys without a record.
  const records = contributions.reduce((sum, { entries }) => sum + entries, 0);
  await replaceFile(options.out, parts);
  print(
    `${options.out}: ${count(records, 'record')} of ${count(files.length, 'file')}, ${formatBytes(byteLength)}`,
  );
}

/** Merges files as a federation does: splices them, and decodes only the records that collide. */
async function mergeFiles(files: readonly string[], given: Pipeline | undefined): Promise<SplicedMerge> {
  const [first = '', ...others] = files;
  const bytes = await readLocalEtlFile(first);
  const pipeline = given ?? pipelineOfPath(first) ?? decodeEtlFile(first, bytes).kind;
  const splice = new Splice(pipeline, { bytes: bytes.length * files.length });
  const add = (file: string, its: Uint8Array) => contents(pipeline, splice.add(file, its).window);
  const held = aboutFile(first, () => add(first, bytes));
  for (const file of others) {
    const next = await readLocalEtlFile(file);
    const own = given ?? pipelineOfPath(file);
    const found = aboutFile(file, () => {
      if (own !== undefined && own !== pipeline) return contentsOf(decodeEtlFile(file, next, own));
      try {
        return add(file, next);
      } catch (error) {
        if (own === undefined && isFederationError(error, 'ETL_WRONG_PIPELINE'))
          return contentsOf(decodeEtlFile(file, next));
        throw error;
      }
    });
    if (found === held) continue;
    throw new FederationError('MERGE_WINDOWS_DIFFER', {
      subject: { key: file },
      detail: `${first} holds ${held}, and ${file} holds ${found}.`,
    });
  }
  return splice.finish();
}

function aboutFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isFederationError(error) ? error.about({ key: file }) : error;
  }
}

function contentsOf(set: EtlSet): string {
  return contents(set.kind, setWindow(set));
}

/** Describes what a file holds: its pipeline and its window in unix seconds, as in `assets of 1794614400-1794700800`. */
function contents(pipeline: Pipeline, { start, end }: InputFacts['window']): string {
  return `${pipeline} of ${start ?? 'open'}-${end ?? 'open'}`;
}

/** Writes a file under a temporary name and then renames it to `path`, so that no reader sees an incomplete file. */
async function replaceFile(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(beside, 'w');
    try {
      // Each part is valid only until the next one.
      for (const part of parts) await file.writeFile(part);
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
