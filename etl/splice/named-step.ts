import { Irregular, type Step, type Walk } from './walk';

const dot = 0x2e;

/**
 * Returns a function that moves past an asset. An asset consists of the name of its Go type (inline), a 32-bit
 * compatibility word, and the structure of that type. The function sets `walk.type` to the part of the name after the
 * last dot.
 */
export function namedStep(bodies: Readonly<Record<string, Step>>): Step {
  const types = Object.entries(bodies).map(([type, body]) => ({
    type,
    body,
    bytes: Buffer.from(type, 'latin1'),
  }));
  return (walk, at) => {
    const start = at + 2;
    const end = start + walk.view.getUint16(at, true);
    let name = end;
    while (name > start && walk.bytes[name - 1] !== dot) name--;
    for (const { type, body, bytes } of types) {
      if (!bytesAt(walk, name, end, bytes)) continue;
      if (walk.view.getInt32(end, true) !== 0) throw new Irregular();
      walk.type = type;
      return body(walk, end + 4);
    }
    throw new Irregular();
  };
}

function bytesAt({ bytes }: Walk, from: number, to: number, expected: Buffer): boolean {
  if (to - from !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false;
  return true;
}
