import { randomBytes, randomUUID } from 'node:crypto';
import { openAzure } from '../../storage/drivers/azure';
import { azureConfig } from '../../storage/drivers/azure-config';
import { connectToAzure, describeWithAzure } from '../servers/azurite';
import { describeBucketFaults } from './describe-faults';

describeWithAzure('through a proxy that breaks things', () => {
  const container = `b-${randomUUID()}`;
  let made: Promise<void> | undefined;
  const open = async (host: string, silentMs: number, wrongKey?: string) => {
    const server = await connectToAzure();
    await (made ??= server.createContainer(container));
    const { account, key } = server;
    const endpoint = `http://${host}/${account}`;
    const config = {
      container,
      storage_connection_string: `AccountName=${account};AccountKey=${wrongKey ?? key};BlobEndpoint=${endpoint}`,
      http_config: { response_header_timeout: `${silentMs}ms` },
    };
    return openAzure(azureConfig.parse(config));
  };
  describeBucketFaults('AZURE', {
    server: async () => new URL((await connectToAzure()).endpoint).host,
    open,
    openAsStranger: (host) => open(host, 10_000, randomBytes(32).toString('base64')),
    slowDown: {
      kind: 'status',
      status: 503,
      headers: { 'x-ms-error-code': 'ServerBusy' },
      body: '<?xml version="1.0"?><Error><Code>ServerBusy</Code><Message>busy</Message></Error>',
      retryAfter: '0.01',
    },
    noticesFlips: true,
    byHead: [],
  });
});
