import { traitsOf } from '../../storage/folder-traits';
import { limitsOf } from '../file-system-limits';
import type { Check } from './check';

/** Warns if the file system of a folder lacks something that is needed for the given use. */
export async function checkFileSystem(use: 'local ETL' | 'bucket', folder: string): Promise<Check[]> {
  const traits = await traitsOf(folder);
  const limits = traits === undefined ? [] : limitsOf(traits, use);
  return limits.map((limit) => ({ check: use, subject: folder, outcome: 'warning', ...limit }));
}
