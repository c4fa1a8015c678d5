import { gunzipSync, gzipSync } from 'node:zlib';
import { isGzipped } from '../../etl/gzip';
import { integer, pick, type Random } from '../random';

/** Makes a damaged copy of a file. `other` is another undamaged file. */
type Mutation = (random: Random, bytes: Buffer, other: Buffer) => Buffer;

const bytesOfInterest = [0, 1, 2, 0x1f, 0x7f, 0x80, 0x8b, 0xfe, 0xff];
const countsOfInterest = [
  -(2 ** 31),
  -2,
  -1,
  0,
  1,
  2,
  255,
  256,
  65_535,
  65_536,
  2 ** 20,
  2 ** 27,
  2 ** 31 - 1,
];
const lengthsOfInterest = [0, 1, 255, 256, 0x7fff, 0x8000, 0xfffe, 0xffff];

/** Most of the structure of a file is in its first bytes: versions, string table, counts. So damage these more often. */
function place(random: Random, { length }: Buffer, size = 1): number {
  const last = Math.max(length - size + 1, 1);
  return integer(random, random() < 0.3 ? Math.min(last, 256) : last);
}

function several(random: Random, damage: () => void): void {
  for (let left = 1 + integer(random, random() < 0.2 ? 40 : 3); left > 0; left--) damage();
}

function slice(random: Random, bytes: Buffer): Buffer {
  const from = integer(random, bytes.length + 1);
  return bytes.subarray(from, from + integer(random, random() < 0.5 ? 64 : bytes.length + 1));
}

/** Mutations of the bytes of a file that is not gzipped. */
const plainMutations: Readonly<Record<string, Mutation>> = {
  'flipped bits': (random, bytes) => {
    several(random, () => {
      const at = place(random, bytes);
      bytes[at] = bytes[at]! ^ (1 << integer(random, 8));
    });
    return bytes;
  },
  'overwritten bytes': (random, bytes) => {
    several(random, () => {
      bytes[place(random, bytes)] = random() < 0.5 ? pick(random, bytesOfInterest) : integer(random, 256);
    });
    return bytes;
  },
  'changed counts': (random, bytes) => {
    several(random, () => {
      const at = place(random, bytes, 4);
      if (at + 4 > bytes.length) return;
      const near = bytes.readInt32BE(at) + integer(random, 5) - 2;
      bytes.writeInt32BE(random() < 0.5 ? pick(random, countsOfInterest) : near | 0, at);
    });
    return bytes;
  },
  'changed lengths': (random, bytes) => {
    several(random, () => {
      const at = place(random, bytes, 2);
      if (at + 2 > bytes.length) return;
      const near = bytes.readUInt16BE(at) + integer(random, 5) - 2;
      bytes.writeUInt16BE(random() < 0.5 ? pick(random, lengthsOfInterest) : near & 0xffff, at);
    });
    return bytes;
  },
  'cut off': (random, bytes) => bytes.subarray(0, integer(random, bytes.length)),
  'cut out': (random, bytes) => {
    const from = place(random, bytes);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + slice(random, bytes).length)]);
  },
  inserted: (random, bytes) => {
    const at = place(random, bytes);
    const noise = Buffer.from(Array.from({ length: integer(random, 32) }, () => integer(random, 256)));
    return Buffer.concat([
      bytes.subarray(0, at),
      random() < 0.5 ? noise : slice(random, bytes),
      bytes.subarray(at),
    ]);
  },
  'two files spliced': (random, bytes, other) =>
    Buffer.concat([bytes.subarray(0, place(random, bytes)), other.subarray(place(random, other))]),
  'two files joined': (_, bytes, other) => Buffer.concat([bytes, other]),
  'a part of another file': (random, bytes, other) => {
    slice(random, other).copy(bytes, place(random, bytes));
    return bytes;
  },
  undamaged: (_, bytes) => bytes,
};

/** Mutations that gzip a file, and damage the result or not. */
const gzipMutations: Readonly<Record<string, Mutation>> = {
  gzipped: (_, bytes) => pack(bytes),
  'gzipped and damaged': (random, bytes) => {
    const packed = pack(bytes);
    return plainMutations['overwritten bytes']!(random, packed, packed);
  },
  'gzipped and cut off': (random, bytes) => {
    const packed = pack(bytes);
    return packed.subarray(0, integer(random, packed.length));
  },
  'gzipped with another length': (random, bytes) => {
    const packed = pack(bytes);
    packed.writeInt32LE(pick(random, countsOfInterest), packed.length - 4);
    return packed;
  },
  'gzip members joined': (random, bytes, other) => {
    const at = integer(random, bytes.length);
    const second = random() < 0.5 ? bytes.subarray(at) : other;
    return Buffer.concat([pack(bytes.subarray(0, at)), pack(second)]);
  },
  'gzipped with bytes behind': (random, bytes) =>
    Buffer.concat([pack(bytes), random() < 0.5 ? Buffer.alloc(integer(random, 40)) : slice(random, bytes)]),
  'gzipped twice': (_, bytes) => pack(pack(bytes)),
  'gzip bomb behind a file': (random, bytes) =>
    pack(Buffer.concat([bytes, Buffer.alloc(random() < 0.02 ? 40 * 2 ** 20 : 2 ** 18)])),
};

function pack(bytes: Buffer): Buffer {
  return gzipSync(bytes, { level: 1 });
}

/** The names of all mutations. */
export const mutations: readonly string[] = [...Object.keys(plainMutations), ...Object.keys(gzipMutations)];

/**
 * Applies a random mutation to a copy of a file. A gzipped file is unpacked first, or its packed bytes are damaged.
 *
 * @returns the name of the mutation, and the new file
 */
export function mutate(random: Random, file: Buffer, other: Buffer): { mutation: string; bytes: Buffer } {
  const unpack = (bytes: Buffer) =>
    isGzipped(bytes) && random() < 0.8 ? gunzipSync(bytes) : Buffer.from(bytes);
  const mutation = pick(random, mutations);
  const plain = plainMutations[mutation];
  if (plain === undefined)
    return { mutation, bytes: gzipMutations[mutation]!(random, unpack(file), unpack(other)) };
  const damaged = plain(random, unpack(file), unpack(other));
  return { mutation, bytes: random() < 0.1 ? pack(damaged) : damaged };
}
