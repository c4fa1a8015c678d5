import { randomUUID } from 'node:crypto';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { describeBucketContract } from './bucket-contract';

describeWithS3('against an S3 server', () => {
  const open = async (bucket: string, settings: object, prefix: string, create: boolean) => {
    const server = await connectToS3();
    if (create) await server.createBucket(bucket);
    const config = { ...s3Settings(server, bucket), ...settings };
    return openBucket(
      parseFederatedStore(JSON.stringify({ type: 'S3', config, prefix }), 'federated-store.yaml'),
    );
  };
  const contract = (name: string, settings: object, prefix: string) =>
    describeBucketContract(name, {
      open: () => open(`b-${randomUUID()}`, settings, prefix, true),
      openMissing: () => open(`missing-${randomUUID()}`, settings, prefix, false),
      largeSize: 12 * 1024 * 1024 + 1,
      // Listing this many objects takes two pages, because a page has at most 1,000 objects.
      manyObjects: 1105,
      prefixBytes: prefix === '' ? 0 : prefix.length + 1,
    });

  contract('S3', { part_size: 5 * 1024 * 1024 }, '');
  contract('S3, below a prefix, with listings of version 1', { list_objects_version: 'v1' }, 'below/here');
});
