/**
 * Releases the memory of an array at once, if no other view shares its buffer; the array is empty afterwards. The garbage
 * collector takes its time with large buffers, and even longer in an idle thread.
 */
export function releaseBuffer({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
