import { join } from 'node:path';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { describeBucketContract } from './bucket-contract';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';

afterAll(removeTemporaryFolders);

const open = (directory: string, prefix = '') => {
  const yaml = JSON.stringify({ type: 'FILESYSTEM', config: { directory }, prefix });
  return openBucket(parseFederatedStore(yaml, 'federated-store.yaml'));
};
const largeSize = 10_000_000;

describeBucketContract('FILESYSTEM, below a prefix', {
  open: () => open(temporaryFolder(), 'below/here'),
  openMissing: () => open(join(temporaryFolder(), 'missing')),
  largeSize,
  manyObjects: 2305,
  prefixBytes: 11,
});

describeBucketContract('FILESYSTEM, the driver itself, without hard links', {
  open: () => Promise.resolve(openFilesystem({ directory: temporaryFolder() }, { hardLinks: false })),
  openMissing: () => Promise.resolve(openFilesystem({ directory: join(temporaryFolder(), 'missing') })),
  largeSize,
  manyObjects: 305,
});
