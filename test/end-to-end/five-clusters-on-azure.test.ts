import { randomUUID } from 'node:crypto';
import { connectToAzure, describeWithAzure } from '../servers/azurite';
import { describeFiveClusters } from './describe-five-clusters';

describeWithAzure('with an Azure server', () => {
  describeFiveClusters(
    'five clusters on Azure',
    async () => {
      const azure = await connectToAzure();
      const container = `five-${randomUUID()}`;
      await azure.createContainer(container);
      return { type: 'AZURE', config: { container, storage_connection_string: azure.connectionString } };
    },
    { briefly: true },
  );
});
