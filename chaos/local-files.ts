import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { parseWindowFile, type WindowId, windowId } from '../etl/window';
import { byBytes } from '../federation/byte-order';

/** Lists the windows that have a file in a local ETL. */
export async function localWindows(etl: string): Promise<WindowId[]> {
  const names = await readdir(path.join(etl, 'bingen'), { recursive: true });
  return names
    .flatMap((name) => parseWindowFile(name)?.ref ?? [])
    .map((ref) => windowId(ref))
    .sort(byBytes);
}
