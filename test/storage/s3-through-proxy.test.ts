import { randomUUID } from 'node:crypto';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { openS3 } from '../../storage/drivers/s3';
import { s3Config } from '../../storage/drivers/s3-config';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { describeBucketFaults } from './describe-faults';

describeWithS3('through a proxy that breaks things', () => {
  const bucket = `b-${randomUUID()}`;
  let made: Promise<void> | undefined;
  const open = async (endpoint: string, silentMs: number, wrong: object = {}) => {
    const server = await connectToS3();
    await (made ??= server.createBucket(bucket));
    const config = {
      ...s3Settings(server, bucket),
      endpoint,
      part_size: 5 * 1024 * 1024,
      http_config: { response_header_timeout: `${silentMs}ms` },
      ...wrong,
    };
    return openS3(s3Config.parse(config));
  };
  describeBucketFaults('S3', {
    server: async () => s3Settings(await connectToS3(), bucket).endpoint,
    open,
    openAsStranger: (host) => open(host, 10_000, { secret_key: 'wrong' }),
    slowDown: {
      kind: 'status',
      status: 503,
      body: '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
      retryAfter: '0.01',
    },
    noticesFlips: false,
    byHead: ['head', 'copy'],
    orphans: async () => {
      const { endpoint, region, accessKey, secretKey } = await connectToS3();
      const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
      const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      client.destroy();
      return Uploads.length;
    },
  });
});
