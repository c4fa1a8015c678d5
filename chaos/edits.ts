import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A change of one source file: replaces a text that occurs exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Applies edits to the sources in a folder. Throws an error if a text does not occur exactly once. */
export async function applyEdits(root: string, edits: readonly Edit[]): Promise<void> {
  for (const { file, find, replace } of edits) {
    const at = path.join(root, file);
    const parts = (await readFile(at, 'utf8')).split(find);
    if (parts.length !== 2)
      throw new Error(`${file} has this text ${parts.length - 1} times instead of once: ${find}`);
    await writeFile(at, parts.join(replace));
  }
}
