import { FederationError, isFederationError } from '../errors/federation-error';
import type { ByteString } from './byte-string';
import { gunzip, isGzipped } from './gzip';
import type { Allocation, AllocationSet, EtlSet, SetOf } from './model';
import { pipelineSpecs } from './pipelines';
import { Reader } from './reader';
import { corrupt, truncated } from './refusal';
import { readSet, scanSet, writeSet } from './set-codec';
import { hasTable, isCutMagic, readTable } from './string-table';
import { type Pipeline, pipelines } from './window';
import { Writer } from './writer';

/**
 * Reads a whole ETL file of the given pipeline. The file may have any supported codec version, may or may not have a
 * string table, and may be gzipped. Throws an error for any violation of the format.
 *
 * @param mostUnpacked maximum unpacked size of a gzipped file, in bytes
 * @throws FederationError: ETL_EMPTY_FILE, ETL_TRUNCATED, ETL_CORRUPT, ETL_TOO_LARGE, ETL_TOO_OLD, ETL_TOO_NEW, or
 *   ETL_WRONG_PIPELINE if it is a valid file of another pipeline. `subject.byte` is the position of the fault in the
 *   unpacked file.
 */
export function decodeSet<P extends Pipeline>(
  pipeline: P,
  bytes: Uint8Array,
  mostUnpacked?: number,
): SetOf[P] {
  if (bytes.length === 0) {
    throw new FederationError('ETL_EMPTY_FILE', { subject: { byte: 0 }, detail: 'The file has no bytes.' });
  }
  const plain = isGzipped(bytes) ? gunzip(bytes, mostUnpacked) : bytes;
  try {
    return decodePlain(pipeline, plain);
  } catch (error) {
    if (!isFederationError(error)) throw error;
    const other = pipelines.find((one) => one !== pipeline && decodes(one, plain));
    if (other !== undefined) {
      throw new FederationError('ETL_WRONG_PIPELINE', {
        subject: { byte: error.subject.byte ?? 0, pipeline },
        detail: `This is a file of ${other}, not of ${pipeline}.`,
      });
    }
    throw error;
  }
}

/**
 * Reads a whole file of allocations. Saves memory compared to `decodeSet`: passes each record to `visit` instead of
 * keeping it. `visit` also receives the number of entries in the file. If a key is repeated in a file with a string
 * table, `visit` receives all of its records, whereas `decodeSet` keeps only the last one.
 *
 * @throws FederationError with an ETL_* code, possibly after some records have been visited
 */
export function scanAllocations(
  bytes: Uint8Array,
  visit: (key: ByteString, record: Allocation | null, count: number) => void,
): AllocationSet {
  const plain = isGzipped(bytes) ? gunzip(bytes) : bytes;
  // If the file has no string table, use `decodeSet`, which has better error messages.
  if (!hasTable(plain)) {
    const set = decodeSet('allocations', plain);
    for (const [key, record] of set.allocations ?? []) visit(key, record, set.allocations?.size ?? 0);
    return set;
  }
  const reader = new Reader(plain);
  readTable(reader);
  const set = scanSet('allocations', reader, visit);
  reader.finish();
  return set;
}

function decodePlain<P extends Pipeline>(pipeline: P, bytes: Uint8Array): SetOf[P] {
  const reader = new Reader(bytes);
  if (hasTable(bytes)) readTable(reader);
  else refuseOtherMagic(pipeline, bytes);
  const set = readSet(pipeline, reader);
  reader.finish();
  return set;
}

/**
 * Throws an error if the first byte of a file without a string table is higher than any known version. Either the file
 * is not an ETL file, or it was cut off inside the four bytes that start a string table. It cannot be a file of a newer
 * version, because all newer files have a string table.
 */
function refuseOtherMagic(pipeline: Pipeline, bytes: Uint8Array): void {
  const { newest } = pipelineSpecs[pipeline].versions;
  const first = bytes[0] ?? 0;
  if (first <= newest) return;
  if (isCutMagic(bytes)) throw truncated(bytes.length, 'The file ends inside its first four bytes.');
  throw corrupt(0, `The file starts with byte ${first}, neither BGST nor a known version.`);
}

function decodes(pipeline: Pipeline, bytes: Uint8Array): boolean {
  try {
    decodePlain(pipeline, bytes);
    return true;
  } catch (error) {
    if (isFederationError(error)) return false;
    throw error;
  }
}

/** An encoded file, with the positions of its entries. */
export interface EncodedSet {
  bytes: Buffer;
  /**
   * Byte offset at which each entry (key and record) starts, in order, followed by the offset at which the last entry
   * ends.
   */
  offsets: number[];
}

/**
 * Encodes a set as a file with a string table. The bytes depend only on the set and the order of entries in its
 * maps. Each structure is written in its own codec version. If a record has a higher version than the set, the set gets
 * that version.
 */
export function encodeSet(set: EtlSet): Buffer {
  return encodeSetWithOffsets(set).bytes;
}

/** Encodes a set like `encodeSet`, and also returns the positions of the entries. */
export function encodeSetWithOffsets(set: EtlSet): EncodedSet {
  const writer = new Writer();
  const body = writeSet(writer, set);
  const { bytes, tableLength } = writer.finish();
  return { bytes, offsets: body.map((position) => tableLength + position) };
}
