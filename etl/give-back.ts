/**
 * Gives the memory of bytes or numbers back at once, if they have it to themselves: they are empty from then on. The garbage
 * collector would take its time with large ones, and longer in a thread that has nothing to do.
 */
export function giveBack({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
