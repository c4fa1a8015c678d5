import { gunzipSync } from 'node:zlib';
import { corrupt, truncated } from './refusal';

/** No file is unpacked beyond this, whatever its ratio. */
const largestUnpacked = 2 ** 30;
/** Small files may expand to this, whatever the ratio. */
const alwaysAllowed = 2 ** 24;
/** Real files compress to about a tenth; a higher ratio than this is a decompression bomb. */
const largestRatio = 200;

/** Whether the bytes are gzipped, by the two magic bytes; the file's name does not matter. */
export function isGzipped(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzip.
 *
 * @throws ETL_TRUNCATED if it ends too early, ETL_CORRUPT if it is damaged or expands unreasonably
 */
export function gunzip(bytes: Uint8Array): Buffer {
  const maxOutputLength = Math.min(largestUnpacked, Math.max(alwaysAllowed, bytes.length * largestRatio));
  try {
    return gunzipSync(bytes, { maxOutputLength });
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
    if (code === 'Z_BUF_ERROR') throw truncated(bytes.length, 'The gzip stream ends too early.');
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw corrupt(0, `The gzip stream of ${bytes.length} bytes unpacks to more than ${maxOutputLength}.`);
    }
    throw corrupt(0, 'The gzip stream is damaged.', cause);
  }
}
