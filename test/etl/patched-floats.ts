/** A file in which the eight bytes of each number are those of another one. Each has to be there once. */
export function patchedFloats(file: Uint8Array, changes: readonly (readonly [from: number, to: number])[]) {
  const bytes = Buffer.from(file);
  for (const [from, to] of changes) {
    const wanted = Buffer.alloc(8);
    wanted.writeDoubleLE(from);
    const at = bytes.indexOf(wanted);
    if (at < 0 || bytes.indexOf(wanted, at + 1) >= 0) throw new Error(`${from} is not there once`);
    bytes.writeDoubleLE(to, at);
  }
  return bytes;
}
