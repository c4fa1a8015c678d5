/**
 * Returns a copy of a file in which floating-point numbers are replaced. Throws unless the eight bytes of each `from`
 * occur exactly once in the file.
 */
export function patchedFloats(file: Uint8Array, changes: readonly (readonly [from: number, to: number])[]) {
  const bytes = Buffer.from(file);
  for (const [from, to] of changes) {
    const wanted = Buffer.alloc(8);
    wanted.writeDoubleLE(from);
    const at = bytes.indexOf(wanted);
    if (at < 0 || bytes.indexOf(wanted, at + 1) >= 0) throw new Error(`${from} does not occur exactly once`);
    bytes.writeDoubleLE(to, at);
  }
  return bytes;
}
