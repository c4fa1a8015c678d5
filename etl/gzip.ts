import { gunzipSync } from 'node:zlib';
import { corrupt, truncated } from './refusal';

/** Maximum unpacked size of any file, in bytes. */
const largestUnpacked = 2 ** 30;
/** A file may always unpack to this number of bytes, whatever its ratio, because small files may compress very well. */
const alwaysAllowed = 2 ** 24;
/**
 * Maximum ratio of unpacked to compressed size. The ratio of real files is about 10. A file above the maximum is
 * treated as a decompression bomb.
 */
const largestRatio = 200;

/** Returns whether the bytes are gzipped. Checks only the two magic bytes. */
export function isGzipped(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzipped bytes.
 *
 * @throws ETL_TRUNCATED if the bytes end too early, ETL_CORRUPT if they are damaged or their unpacked size exceeds a
 *   limit
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
