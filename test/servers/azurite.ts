import { randomBytes } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { describeWith } from './describe-with';
import { startOnFreePort } from './go-program';
import { sharedServer } from './shared-servers';

/** Address and credentials with which a client connects to an Azure Blob Storage server. */
export interface AzureAccess {
  readonly connectionString: string;
  readonly account: string;
  readonly key: string;
  /** URL of the server. Its path is the name of the account. */
  readonly endpoint: string;
}

export interface AzureServer extends AzureAccess {
  createContainer(name: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a separate Azure server (the emulator Azurite), for tests that have to stop their server. The server keeps
 * blobs in memory and verifies signatures.
 */
export async function startAzureServer(): Promise<AzureServer> {
  const account = 'testaccount';
  const key = randomBytes(32).toString('base64');
  const accessAt = (port: number): AzureAccess => {
    const endpoint = `http://127.0.0.1:${port}/${account}`;
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint}`;
    return { connectionString, account, key, endpoint };
  };
  const { port, stop } = await startOnFreePort({
    name: 'azurite',
    binary: process.execPath,
    args: (at) => [
      require.resolve('azurite/dist/src/blob/main.js'),
      ...['--silent', '--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry'],
      ...['--blobHost', '127.0.0.1', '--blobPort', String(at)],
    ],
    env: { ...process.env, AZURITE_ACCOUNTS: `${account}:${key}` },
    answers: (at) => answersAsItself(accessAt(at)),
  });
  const access = accessAt(port);
  return { ...access, createContainer: (name) => createContainer(access, name), stop };
}

/** Connects to the Azure server that all test files of a run share. Each test file creates its own containers there. */
export async function connectToAzure(): Promise<Omit<AzureServer, 'stop'>> {
  const access = await sharedServer<AzureAccess>('azure');
  return { ...access, createContainer: (name) => createContainer(access, name) };
}

/**
 * Defines a suite that needs an Azure server. The suite is never skipped: the server is always available, because it is
 * an npm package of the project.
 */
export function describeWithAzure(name: string, suite: () => void): void {
  describeWith(undefined, name, suite);
}

async function createContainer({ connectionString }: AzureAccess, name: string): Promise<void> {
  await BlobServiceClient.fromConnectionString(connectionString).getContainerClient(name).create();
}

/**
 * Returns whether the server on this port accepts the key of the server that was just started. If not, another server
 * listens on the port.
 */
async function answersAsItself({ connectionString }: AzureAccess): Promise<boolean> {
  const client = BlobServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
  return client.getProperties({ abortSignal: AbortSignal.timeout(2_000) }).then(
    () => true,
    () => false,
  );
}
