import { Pace } from '../concurrency/pace';
import type { Turn } from '../query/answers';
import { bytesPerMegabyte, tooLarge } from '../query/statements';
import type { Parts } from './json';

/** Number of characters that are collected before they are encoded as one chunk. */
const pieceLength = 64 * 1_024;

/**
 * Encodes the parts of a response body as UTF-8. Regularly yields to the event loop, because encoding a hundred
 * thousand rows takes seconds: without these pauses, a health probe would time out. Throws the signal's reason if the
 * signal is aborted, and QUERY_TOO_LARGE if the body has more megabytes than allowed.
 */
export async function bodyOf(
  parts: Parts,
  { signal, megabytes }: Pick<Turn, 'signal' | 'megabytes'>,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let text = '';
  let bytes = 0;
  const pace = new Pace(signal);
  for (const part of parts) {
    text += part;
    if (text.length >= pieceLength) {
      const piece = Buffer.from(text);
      bytes += piece.length;
      if (bytes > megabytes * bytesPerMegabyte) throw tooLarge('The answer', megabytes);
      pieces.push(piece);
      text = '';
    }
    if (pace.isDue()) await pace.pause();
  }
  pieces.push(Buffer.from(text));
  return Buffer.concat(pieces);
}
