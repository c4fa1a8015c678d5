import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Creates a folder and its missing parents. Returns the path of the first folder that it created, or undefined if the
 * folder already existed.
 *
 * Use this instead of Node's recursive `mkdir`, which reports ENOENT for nearly every reason why a folder cannot be
 * created, such as a read-only volume or an exhausted quota.
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true });
  } catch (error) {
    const parent = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw error;
    const first = await makeFolder(parent);
    try {
      await mkdir(folder);
    } catch (cause) {
      // EEXIST means that another process has just created the folder.
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    return first ?? folder;
  }
}
