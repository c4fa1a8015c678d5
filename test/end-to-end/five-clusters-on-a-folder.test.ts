import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describeFiveClusters } from './describe-five-clusters';

describeFiveClusters(
  'five clusters on a folder',
  async (folder) => {
    const directory = path.join(folder, 'bucket');
    await mkdir(directory);
    return { type: 'FILESYSTEM', config: { directory } };
  },
  { briefly: true },
);
