import { randomUUID } from 'node:crypto';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import {
  createLockedBucket,
  describeWithS3,
  type S3Server,
  s3Settings,
  startS3Server,
} from '../servers/versitygw';
import { describeBucketContract } from './bucket-contract';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';

describeWithS3('against a bucket with versions and Object Lock', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server({ rootDir: temporaryFolder(), versionsDir: temporaryFolder() });
  });
  afterAll(async () => {
    await server.stop();
    await removeTemporaryFolders();
  });
  const open = async (bucket: string, create: boolean) => {
    if (create) await createLockedBucket(server, bucket);
    const config = { ...s3Settings(server, bucket), part_size: 5 * 1024 * 1024, checksum: 'crc32' };
    return openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'federated-store.yaml'));
  };
  describeBucketContract('S3', {
    open: () => open(`b-${randomUUID()}`, true),
    openMissing: () => open(`missing-${randomUUID()}`, false),
    largeSize: 5 * 1024 * 1024 + 1,
    manyObjects: 20,
    prefixBytes: 0,
    createsAgain: false,
  });
});
