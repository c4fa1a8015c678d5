/**
 * Releases the memory of an array at once if the array covers its whole buffer; the array is then empty. Why: the
 * garbage collector takes its time with large buffers, and even longer in an idle thread.
 */
export function releaseBuffer({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
