import { setImmediate } from 'node:timers/promises';
import type { Parts } from './json';

/** Number of characters to collect before they are encoded as one chunk. */
const pieceLength = 64 * 1_024;
/** Minimum time between two pauses, in milliseconds. */
const turn = 10;

/**
 * Encodes a body from its parts. Pauses now and then to let other requests run: an answer of a hundred thousand rows
 * takes seconds, and without pauses a health probe would time out meanwhile. Throws the signal's reason if the signal
 * is aborted.
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
