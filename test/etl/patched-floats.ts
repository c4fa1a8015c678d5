/**
 * Copies a file and replaces floating-point numbers (eight bytes each) in the copy. Each `from` must occur exactly
 * once.
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
