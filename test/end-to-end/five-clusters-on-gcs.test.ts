import { randomUUID } from 'node:crypto';
import { connectToGcs, describeWithGcs } from '../servers/fake-gcs';
import { describeFiveClusters } from './describe-five-clusters';

describeWithGcs('with a GCS server', () => {
  describeFiveClusters(
    'five clusters on GCS',
    async () => {
      const gcs = await connectToGcs();
      const bucket = `five-${randomUUID()}`;
      await gcs.createBucket(bucket);
      return { type: 'GCS', config: { bucket } };
    },
    { gcsEmulator: async () => (await connectToGcs()).endpoint, briefly: true },
  );
});
