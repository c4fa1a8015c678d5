import { setImmediate } from 'node:timers/promises';
import type { Parts } from './json';

/** In characters. */
const pieceLength = 64 * 1_024;
/** So long may others wait, in milliseconds. */
const turn = 10;

/**
 * Makes a body of its parts. Others have their turn meanwhile: an answer of a hundred thousand rows takes seconds, and a
 * probe that waited for it would take the server for dead. Throws the signal's reason when it is aborted.
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
