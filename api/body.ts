import { setImmediate } from 'node:timers/promises';
import type { Parts } from './json';

/** Length from which collected text is encoded as one chunk, in characters. */
const pieceLength = 64 * 1_024;
/** Shortest time between two pauses, in milliseconds. */
const turn = 10;

/**
 * Encodes a body from its parts. It pauses for other requests, because an answer of a hundred thousand rows takes
 * seconds, in which a health probe would time out. Throws the signal's reason if the signal is aborted.
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
