import { startMergeThreads } from '../../activities/threads/merge-threads';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { TestFederator } from './federated-bucket';

/**
 * Merges all windows of a bucket in a folder at once, with the given memory for merges, and prints the highest memory
 * usage of the process in bytes. Tests start this file as a separate process.
 */
async function main([directory = '', mergeMemory = '']: string[]): Promise<void> {
  const threads = startMergeThreads({ threads: 2 });
  const federator = new TestFederator(openFilesystem({ directory }), threads);
  Object.assign(federator.deps, { mergeMemory: Number(mergeMemory) });
  await federator.federate();
  await threads.close();
  process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
}

void main(process.argv.slice(2));
