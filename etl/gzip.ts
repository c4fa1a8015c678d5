import { gunzipSync } from 'node:zlib';
import { corrupt, truncated } from './refusal';

/** Maximal unpacked size in bytes. It applies to every file, no matter how well it was compressed. */
const largestUnpacked = 2 ** 30;
/** Up to this unpacked size in bytes, any compression ratio is allowed, because small files may compress very well. */
const alwaysAllowed = 2 ** 24;
/**
 * Maximal compression ratio. Real files compress to about a tenth; a file that exceeds this ratio is a decompression
 * bomb.
 */
const largestRatio = 200;

/** Whether the bytes are gzipped. Only the two magic bytes decide, not the name of the file. */
export function isGzipped(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzipped bytes.
 *
 * @throws ETL_TRUNCATED if the bytes end too early, ETL_CORRUPT if they are damaged or expand too much
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
