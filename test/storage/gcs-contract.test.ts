import { randomUUID } from 'node:crypto';
import { openGcs } from '../../storage/drivers/gcs';
import { gcsConfig } from '../../storage/drivers/gcs-config';
import { withPrefix } from '../../storage/with-prefix';
import { withRetry } from '../../storage/with-retry';
import { connectToGcs, describeWithGcs } from '../servers/fake-gcs';
import { describeBucketContract } from './bucket-contract';

describeWithGcs('against a GCS server', () => {
  const open = async (bucket: string, settings: object, prefix: string, create: boolean) => {
    const { endpoint, createBucket } = await connectToGcs();
    if (create) await createBucket(bucket);
    const config = gcsConfig.parse({ bucket, ...settings });
    return withRetry(withPrefix(await openGcs(config, { apiEndpoint: endpoint }), prefix));
  };
  const contract = (name: string, settings: object, prefix: string, largeSize: number) =>
    describeBucketContract(name, {
      open: () => open(`b-${randomUUID()}`, settings, prefix, true),
      openMissing: () => open(`missing-${randomUUID()}`, settings, prefix, false),
      largeSize,
      // Listing this many objects takes two pages, because a page has at most 1,000 objects.
      manyObjects: 1105,
      prefixBytes: prefix === '' ? 0 : prefix.length + 1,
    });

  contract('GCS', {}, '', 9 * 1024 * 1024);
  // A chunk size of 1 is raised to the minimum of 256 KiB. An object of 3 MiB then ends exactly at the end of a chunk.
  contract('GCS, below a prefix, in small chunks', { chunk_size_bytes: 1 }, 'below/here', 3 * 1024 * 1024);
});
