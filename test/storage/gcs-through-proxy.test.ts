import { randomUUID } from 'node:crypto';
import { openGcs } from '../../storage/drivers/gcs';
import { gcsConfig } from '../../storage/drivers/gcs-config';
import { connectToGcs, describeWithGcs } from '../servers/fake-gcs';
import { describeBucketFaults } from './describe-faults';

describeWithGcs('through a proxy that breaks things', () => {
  const bucket = `b-${randomUUID()}`;
  let made: Promise<void> | undefined;
  describeBucketFaults('GCS', {
    server: async () => (await connectToGcs()).endpoint.replace('http://', ''),
    open: async (host, silentMs) => {
      const server = await connectToGcs();
      await (made ??= server.createBucket(bucket));
      const config = {
        bucket,
        chunk_size_bytes: 5 * 1024 * 1024,
        http_config: { response_header_timeout: `${silentMs}ms` },
      };
      return openGcs(gcsConfig.parse(config), { apiEndpoint: `http://${host}` });
    },
    slowDown: {
      kind: 'status',
      status: 429,
      body: '{"error":{"code":429,"message":"slow down","errors":[{"reason":"rateLimitExceeded"}]}}',
      retryAfter: '0.01',
    },
    noticesFlips: true,
    byHead: [],
  });
});
