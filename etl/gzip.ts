import { createGunzip, gunzipSync } from 'node:zlib';
import { isFederationError } from '../errors/federation-error';
import { corrupt, tooLarge, truncated } from './refusal';

/** Default maximum unpacked size of a file, in bytes. */
const largestUnpacked = 2 ** 30;
/** A file may always unpack to this number of bytes, whatever its ratio, because small files may compress very well. */
const alwaysAllowed = 2 ** 24;
/**
 * Maximum ratio of unpacked to compressed size. The ratio of real files is about 10. A file above the maximum is
 * treated as a decompression bomb.
 */
const largestRatio = 200;
/**
 * ETL files rarely unpack to more than this many times their size. A claim of more is not believed, because a small
 * damaged file would otherwise cause large allocations, and many such files would exhaust the address space.
 */
const usualRatio = 64;
/** Size of the pieces in which `unpack` unpacks, in bytes. */
const pieceSize = 256 * 1024;

/** Returns whether the bytes are gzipped. Checks only the two magic bytes. */
export function isGzipped(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzipped bytes, and stops as soon as they unpack to more than `most` bytes.
 *
 * @throws ETL_TRUNCATED if the bytes end too early, ETL_CORRUPT if they are damaged, ETL_TOO_LARGE if their unpacked
 *   size exceeds a limit
 */
export function gunzip(bytes: Uint8Array, most = largestUnpacked): Buffer {
  const limit = unpacksTo(bytes, most);
  // The size that the file claims may be wrong. It only decides how much is allocated at a time: usually everything at
  // once, so that no pieces have to be joined.
  const chunkSize = Math.max(Math.min(claimedSize(bytes), limit, bytes.length * usualRatio) + 1, 1024);
  try {
    return gunzipSync(bytes, { maxOutputLength: limit, chunkSize });
  } catch (error) {
    throw refusalOf(error, bytes, limit);
  }
}

/**
 * Returns the unpacked size of gzipped bytes by unpacking them piece by piece and keeping nothing. Returns 0 if the
 * bytes are damaged or unpack to more than `most` bytes: `unpack` then refuses them.
 */
export async function unpackedSize(bytes: Uint8Array, most?: number): Promise<number> {
  let size = 0;
  try {
    for await (const piece of piecesOf(bytes, most)) size += piece.length;
  } catch {
    return 0;
  }
  return size;
}

/**
 * Unpacks gzipped bytes outside of the calling thread. Allocates only the bytes that it returns: those in `range`.
 *
 * @param range the wanted part of the unpacked bytes
 * @throws the same errors as `gunzip`
 */
export async function unpack(
  bytes: Uint8Array,
  { offset, length }: { readonly offset: number; readonly length: number },
  most?: number,
): Promise<Buffer> {
  const part = Buffer.allocUnsafeSlow(length);
  let at = -offset;
  for await (const piece of piecesOf(bytes, most)) {
    if (at < length && at + piece.length > 0) {
      const from = Math.max(-at, 0);
      piece.copy(part, Math.max(at, 0), from, Math.min(piece.length, length - at));
    }
    at += piece.length;
  }
  if (at < length) throw truncated(bytes.length, 'The gzip stream ends too early.');
  return part;
}

/** Unpacks gzipped bytes piece by piece. Each piece is unpacked when it is requested. */
async function* piecesOf(bytes: Uint8Array, most = largestUnpacked): AsyncGenerator<Buffer> {
  const limit = unpacksTo(bytes, most);
  const stream = createGunzip({ chunkSize: pieceSize });
  stream.end(bytes);
  let size = 0;
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > limit) throw tooLarge(bytes.length, limit);
      yield piece;
    }
  } catch (error) {
    throw refusalOf(error, bytes, limit);
  }
}

/** Returns the largest size to which gzipped bytes may unpack; beyond it, they are refused. */
export function unpacksTo(bytes: Uint8Array, most = largestUnpacked): number {
  return Math.floor(Math.min(most, Math.max(alwaysAllowed, bytes.length * largestRatio)));
}

/** Returns the unpacked size that a gzip file states in its last four bytes, which may be anything. */
function claimedSize(bytes: Uint8Array): number {
  if (bytes.length < 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
}

function refusalOf(error: unknown, bytes: Uint8Array, limit: number): unknown {
  if (isFederationError(error)) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return truncated(bytes.length, 'The gzip stream ends too early.');
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(bytes.length, limit);
  return corrupt(0, 'The gzip stream is damaged.', error);
}
