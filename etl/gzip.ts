import { gunzipSync } from 'node:zlib';
import { corrupt, truncated } from './refusal';

/** Maximal unpacked size in bytes. It applies to every file, whatever its compression ratio. */
const largestUnpacked = 2 ** 30;
/** Unpacked size in bytes that is always allowed, whatever the ratio, so that small files may compress well. */
const alwaysAllowed = 2 ** 24;
/** Maximal compression ratio. Real files compress to about a tenth; one beyond this ratio is a decompression bomb. */
const largestRatio = 200;

/** Whether the bytes are gzipped. Only the two magic bytes decide, not the file's name. */
export function isGzipped(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzipped bytes.
 *
 * @throws ETL_TRUNCATED if they end too early, ETL_CORRUPT if they are damaged or expand unreasonably
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
