import { readFile } from 'node:fs/promises';
import { FederationError, isFederationError } from '../errors/federation-error';
import { decodeSet } from '../etl/file';
import type { EtlSet } from '../etl/model';
import { type Pipeline, pipelines } from '../etl/window';

/**
 * Reads a local ETL file.
 *
 * @throws STORAGE_NOT_FOUND if it cannot be read
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
 * Decodes an ETL file, plain or gzipped. The pipeline is by default the one that a folder of the path names, or else
 * the one that fits the content.
 *
 * @throws the `ETL_*` error of the decoder, about `path`
 */
export function decodeEtlFile(path: string, bytes: Uint8Array, pipeline = pipelineOf(path)): EtlSet {
  try {
    return pipeline === undefined ? decodeAny(bytes) : decodeSet(pipeline, bytes);
  } catch (error) {
    throw isFederationError(error) ? error.about({ key: path }) : error;
  }
}

/** Returns the pipeline that is named by a folder of the path. If several folders name one, the last one counts. */
function pipelineOf(path: string): Pipeline | undefined {
  const folders = path.split(/[/\\]/).slice(0, -1).reverse();
  return folders.map((folder) => pipelines.find((pipeline) => pipeline === folder)).find(Boolean);
}

/**
 * Decodes a file with the pipeline that fits. If none fits, it throws the error of the decoder that read furthest,
 * which explains the file best.
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
