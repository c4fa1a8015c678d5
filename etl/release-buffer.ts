/**
 * Releases the memory of an array at once, and leaves the array empty. Does nothing if the array does not cover its
 * whole buffer. Why: the garbage collector takes its time to free large buffers, and even longer in an idle thread.
 */
export function releaseBuffer({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
