import { setImmediate } from 'node:timers/promises';
import type { Parts } from './json';

/** Number of characters that are collected before they are encoded as one chunk. */
const pieceLength = 64 * 1_024;
/** Minimum time between two pauses in the encoding, in milliseconds. Other requests are handled during a pause. */
const turn = 10;

/**
 * Encodes the parts of a response body as UTF-8. Regularly yields to the event loop, because encoding a hundred
 * thousand rows takes seconds: without these pauses, a health probe would time out. Throws the signal's reason if the
 * signal is aborted.
 */
export async function bodyOf(parts: Parts, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let text = '';
  let since = performance.now();
  for (const part of parts) {
    text += part;
    if (text.length < pieceLength) continue;
    pieces.push(Buffer.from(text));
    text = '';
    if (performance.now() - since < turn) continue;
    await setImmediate();
    signal.throwIfAborted();
    since = performance.now();
  }
  pieces.push(Buffer.from(text));
  return Buffer.concat(pieces);
}
