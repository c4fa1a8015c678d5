import { keyType, undefinedPart, usualWords } from '../asset-identity';
import { propertyOrder } from '../asset-properties';
import type { AssetType } from '../model';
import type { TableView } from './string-union';
import type { Walk } from './walk';

const slash = 0x2f;
const undefinedBytes = Buffer.from(undefinedPart, 'latin1');
/** For each part of an asset's usual key, its index in `propertyOrder`, or -1 for the asset type. */
const parts = usualWords.map((word) => propertyOrder.findIndex((name) => name === word));
const typeBytes = new Map<string, Buffer>();

/**
 * Returns whether an asset has the usual key, which consists of its type and properties (see `assetIdentity`). Compares
 * bytes without decoding the asset.
 *
 * @param walk a walk over the file that has just passed the asset
 * @param table the string table that the asset's string indexes refer to
 * @param key the position of the string index of the asset's key
 */
export function hasUsualKey(walk: Walk, table: TableView, key: number): boolean {
  const { view, properties } = walk;
  const { bytes, view: strings, starts } = table;
  if (properties < 0) return false;
  const entry = starts[view.getInt32(key, true)]!;
  let at = entry + 2;
  const end = at + strings.getUint16(entry, true);
  for (let i = 0; i < parts.length; i++) {
    if (i > 0 && bytes[at++] !== slash) return false;
    const part = parts[i]!;
    if (part < 0) {
      at = behind(bytes, at, bytesOfType(walk.type), 0, -1);
    } else {
      const value = starts[view.getInt32(properties + 4 * part, true)]!;
      const length = strings.getUint16(value, true);
      at =
        length === 0
          ? behind(bytes, at, undefinedBytes, 0, -1)
          : behind(bytes, at, bytes, value + 2, value + 2 + length);
    }
    if (at < 0) return false;
  }
  return at === end;
}

/**
 * Compares the bytes at position `at` with the bytes of `expected` from `from` to `to`. A negative `to` means the end
 * of `expected`. Returns the position after the compared bytes if all of them are equal, otherwise -1.
 */
function behind(bytes: Buffer, at: number, expected: Buffer, from: number, to: number): number {
  if (to < 0) to = expected.length;
  for (; from < to; from++, at++) if (bytes[at] !== expected[from]) return -1;
  return at;
}

function bytesOfType(type: string): Buffer {
  let bytes = typeBytes.get(type);
  if (bytes === undefined) {
    bytes = Buffer.from(keyType(type as AssetType), 'latin1');
    typeBytes.set(type, bytes);
  }
  return bytes;
}
