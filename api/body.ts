import { Pace } from '../concurrency/pace';
import type { Parts } from './json';

/** Number of characters that are collected before they are encoded as one chunk. */
const pieceLength = 64 * 1_024;

/**
 * Encodes the parts of a response body as UTF-8. Regularly yields to the event loop, because encoding a hundred
 * thousand rows takes seconds: without these pauses, a health probe would time out. Throws the signal's reason if the
 * signal is aborted.
 */
export async function bodyOf(parts: Parts, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let text = '';
  const pace = new Pace(signal);
  for (const part of parts) {
    text += part;
    if (text.length >= pieceLength) {
      pieces.push(Buffer.from(text));
      text = '';
    }
    if (pace.isDue()) await pace.pause();
  }
  pieces.push(Buffer.from(text));
  return Buffer.concat(pieces);
}
