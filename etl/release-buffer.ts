/**
 * Frees the memory of an array immediately. The array is empty afterwards. Does nothing if the array covers only a part
 * of its buffer. Without this function, a large buffer could stay in memory for a long time, because garbage collection
 * is rare in an idle thread.
 */
export function releaseBuffer({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
