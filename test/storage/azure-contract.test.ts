import { randomUUID } from 'node:crypto';
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  generateAccountSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { type AzureAccess, connectToAzure, describeWithAzure } from '../servers/azurite';
import { describeBucketContract } from './bucket-contract';

describeWithAzure('against an Azure server', () => {
  const open = async (
    container: string,
    connect: (access: AzureAccess) => string,
    prefix: string,
    create: boolean,
  ) => {
    const server = await connectToAzure();
    if (create) await server.createContainer(container);
    const config = { container, storage_connection_string: connect(server) };
    return openBucket(
      parseFederatedStore(JSON.stringify({ type: 'AZURE', config, prefix }), 'federated-store.yaml'),
    );
  };
  const contract = (name: string, connect: (access: AzureAccess) => string, prefix: string) =>
    describeBucketContract(name, {
      open: () => open(`b-${randomUUID()}`, connect, prefix, true),
      openMissing: () => open(`missing-${randomUUID()}`, connect, prefix, false),
      largeSize: 20 * 1024 * 1024 + 1,
      // Listing this many objects takes two pages, because a page has at most 1,000 objects.
      manyObjects: 1105,
      prefixBytes: prefix === '' ? 0 : prefix.length + 1,
    });

  contract('AZURE, by the account’s key', ({ connectionString }) => connectionString, '');
  contract('AZURE, by a shared access signature, below a prefix', bySignature, 'below/here');
});

/**
 * Returns a connection string that contains a shared access signature instead of the account's key. The signature
 * permits access to containers and objects.
 */
function bySignature({ account, key, endpoint }: AzureAccess): string {
  const signature = generateAccountSASQueryParameters(
    {
      permissions: AccountSASPermissions.parse('rwdlac'),
      services: AccountSASServices.parse('b').toString(),
      resourceTypes: AccountSASResourceTypes.parse('co').toString(),
      protocol: SASProtocol.HttpsAndHttp,
      expiresOn: new Date(Date.now() + 3_600_000),
    },
    new StorageSharedKeyCredential(account, key),
  );
  return `BlobEndpoint=${endpoint};SharedAccessSignature=${signature.toString()}`;
}
