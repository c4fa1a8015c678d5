import { gunzipSync } from 'node:zlib';
import { corrupt, truncated } from './refusal';

/** However well it was packed, a file is not unpacked beyond this. */
const largestUnpacked = 2 ** 30;
/** Small files may grow to this, whatever the ratio. */
const alwaysAllowed = 2 ** 24;
/** Real files shrink to a tenth or so; a ratio above this one is a bomb. */
const largestRatio = 200;

/** Whether the bytes are packed by gzip; only the two magic bytes say so, never the name of the file. */
export function isGzipped(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzip.
 *
 * @throws ETL_TRUNCATED when it ends too early, ETL_CORRUPT when it is broken or unpacks to unreasonably much
 */
export function gunzip(bytes: Uint8Array): Buffer {
  const maxOutputLength = Math.min(largestUnpacked, Math.max(alwaysAllowed, bytes.length * largestRatio));
  try {
    return gunzipSync(bytes, { maxOutputLength });
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
    if (code === 'Z_BUF_ERROR')
      throw truncated(bytes.length, 'The gzip stream ends before its content does.');
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw corrupt(0, `The gzip stream of ${bytes.length} bytes unpacks to more than ${maxOutputLength}.`);
    }
    throw corrupt(0, 'The gzip stream is broken.', cause);
  }
}
