import { randomUUID } from 'node:crypto';
import { connectToS3, describeWithS3, s3Store } from '../servers/versitygw';
import { describeFiveClusters } from './describe-five-clusters';

describeWithS3('with an S3 server', () => {
  describeFiveClusters('five clusters on S3', async () => {
    const s3 = await connectToS3();
    const bucket = `five-${randomUUID()}`;
    await s3.createBucket(bucket);
    return s3Store(s3, bucket);
  });
});
