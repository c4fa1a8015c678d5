import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describeFiveClusters } from './describe-five-clusters';

// Only in long runs: example.test.ts runs the same clusters on a folder, and checks their union.
describeFiveClusters('five clusters on a folder', async (folder) => {
  const directory = path.join(folder, 'bucket');
  await mkdir(directory);
  return { type: 'FILESYSTEM', config: { directory } };
});
