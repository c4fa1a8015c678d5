import { readFile } from 'node:fs/promises';
import { FederationError, isFederationError } from '../errors/federation-error';
import { decodeSet } from '../etl/file';
import type { EtlSet } from '../etl/model';
import { type Pipeline, pipelines } from '../etl/window';

/**
 * Reads a local ETL file.
 *
 * @throws STORAGE_NOT_FOUND if the file cannot be read
 */
export async function readLocalEtlFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FederationError('STORAGE_NOT_FOUND', {
      subject: { key: path },
      detail: `The file cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: 'Give the path of an ETL file, as in etl/bingen/allocations/1d/1794614400-1794700800.',
      cause,
    });
  }
}

/**
 * Decodes an ETL file, plain or gzipped. If `pipeline` is not given, it is taken from a folder name in the path. If no
 * folder has the name of a pipeline, the decoders of all pipelines are tried.
 *
 * @throws the decoder's `ETL_*` error, with `path` as its subject
 */
export function decodeEtlFile(path: string, bytes: Uint8Array, pipeline = pipelineOfPath(path)): EtlSet {
  try {
    return pipeline === undefined ? decodeAny(bytes) : decodeSet(pipeline, bytes);
  } catch (error) {
    throw isFederationError(error) ? error.about({ key: path }) : error;
  }
}

/**
 * Returns the pipeline that a folder in the path is named after. If there are several such folders, the last one
 * counts. Returns undefined if there is none.
 */
export function pipelineOfPath(path: string): Pipeline | undefined {
  const folders = path.split(/[/\\]/).slice(0, -1).reverse();
  return folders.map((folder) => pipelines.find((pipeline) => pipeline === folder)).find(Boolean);
}

/**
 * Decodes a file with the first pipeline whose decoder accepts it. If no decoder does, throws the error of the decoder
 * that read furthest, because that error best explains what is wrong.
 */
function decodeAny(bytes: Uint8Array): EtlSet {
  const refusals: FederationError[] = [];
  for (const pipeline of pipelines) {
    try {
      return decodeSet(pipeline, bytes);
    } catch (error) {
      if (!isFederationError(error)) throw error;
      refusals.push(error);
    }
  }
  throw refusals.reduce((best, other) =>
    (other.subject.byte ?? 0) > (best.subject.byte ?? 0) ? other : best,
  );
}
