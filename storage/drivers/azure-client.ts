import type { TokenCredential } from '@azure/identity' with { 'resolution-mode': 'import' };
import type { BlockBlobClient, ContainerClient, Pipeline } from '@azure/storage-blob' with {
  'resolution-mode': 'import',
};
import { FederationError } from '../../errors/federation-error';
import { keepSecret } from '../../errors/secrets';
import { isSet } from '../config-fields';
import { httpAgents } from '../http-agents';
import { accountName, type AzureConfig } from './azure-config';

/**
 * OAuth scope with which a token is requested. It covers Azure Storage in every account; role assignments decide which
 * operations the token allows.
 */
const scope = 'https://storage.azure.com/.default';

/** The SDK's client for a container, with helpers for copies and error messages. */
export interface AzureConnection {
  readonly container: ContainerClient;
  readonly account: string;
  /**
   * Returns the token with which the store may read the source of a copy. Returns undefined if the URL of the source
   * contains a signature, which makes a token unnecessary.
   */
  sourceToken(): Promise<{ scheme: string; value: string } | undefined>;
  /**
   * Returns a URL from which the store can read the blob that it is to copy. If the settings contain an account key,
   * the URL is signed with it.
   */
  readableUrl(blob: BlockBlobClient): Promise<string>;
  close(): void;
}

/**
 * Loads the Azure SDK and creates a client for the container. Loads the SDK's credential package only if the settings
 * contain neither an account key nor a shared access signature. The SDK makes one attempt per request, because
 * `withRetry` does the retries. Requests use this program's HTTP agents, because the SDK's own agents have no time
 * limit.
 */
export async function connect(config: AzureConfig): Promise<AzureConnection> {
  const { BlobSASPermissions, ContainerClient, newPipeline, StorageSharedKeyCredential } =
    await import('@azure/storage-blob');
  const readOnly = BlobSASPermissions.parse('r');
  const address = addressOf(config);
  const { httpAgent, httpsAgent } = httpAgents(config.http_config);
  const shared =
    address.key === '' ? undefined : new StorageSharedKeyCredential(address.account, address.key);
  // With an account key or a shared access signature, no token is needed.
  const hasOwn = shared !== undefined || address.sas !== '';
  const token = hasOwn ? undefined : await tokenCredential(config);
  const pipeline = newPipeline(shared ?? token, { retryOptions: { maxTries: 1 } });
  useAgents(pipeline, (url) => (url.startsWith('https:') ? httpsAgent : httpAgent));
  const url = `${address.url}/${config.container}${address.sas === '' ? '' : `?${address.sas}`}`;
  return {
    container: new ContainerClient(url, pipeline),
    account: address.account,
    sourceToken: async () => {
      const access = await token?.getToken(scope);
      return access ? { scheme: 'Bearer', value: access.token } : undefined;
    },
    readableUrl: async (blob) =>
      shared === undefined ? blob.url : blob.generateSasUrl({ ...span(), permissions: readOnly }),
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

/** Makes every request use the given HTTP agents. The SDK has no option for that. */
function useAgents(pipeline: Pipeline, agentOf: (url: string) => object): void {
  pipeline.factories.unshift({
    create: (next) => ({
      sendRequest(request) {
        request.agent = agentOf(request.url) as typeof request.agent;
        return next.sendRequest(request);
      },
    }),
  });
}

/**
 * Returns the period in which a signed URL is valid. It starts 15 minutes before the current time, because the store's
 * clock may be slow.
 */
function span(): { startsOn: Date; expiresOn: Date } {
  const now = Date.now();
  return { startsOn: new Date(now - 15 * 60_000), expiresOn: new Date(now + 60 * 60_000) };
}

interface Address {
  readonly account: string;
  readonly url: string;
  readonly key: string;
  /** A shared access signature, without the leading question mark. Empty if there is none. */
  readonly sas: string;
}

function addressOf(config: AzureConfig): Address {
  const connection = config.storage_connection_string?.reveal() ?? '';
  if (connection !== '') return parseConnectionString(connection);
  const host = config.endpoint || 'blob.core.windows.net';
  const { storage_account: account } = config;
  const key = config.storage_account_key?.reveal() ?? '';
  return { account, url: `https://${account}.${host}`, key, sas: '' };
}

/**
 * Parses a connection string, `Name=value;…`, as shown by the Azure portal. If a part is missing or
 * invalid, throws STORE_CONFIG_INVALID. The error contains no values, because they may be secret.
 */
function parseConnectionString(text: string): Address {
  const fields = new Map(
    text
      .split(';')
      .filter((part) => part.trim() !== '')
      .map((part) => {
        const at = part.indexOf('=');
        return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()] as const;
      }),
  );
  const field = (name: string): string => fields.get(name.toLowerCase()) ?? '';
  const account = field('AccountName');
  const suffix = field('EndpointSuffix') || 'core.windows.net';
  const protocol = field('DefaultEndpointsProtocol') || 'https';
  const own = field('BlobEndpoint').replace(/\/+$/, '');
  if (own === '' && account === '') throw incomplete('AccountName or BlobEndpoint');
  if (own !== '' && !isWebUrl(own)) throw incomplete('a BlobEndpoint that is a URL');
  if (own === '') {
    if (!accountName.test(account)) throw incomplete('the name of a storage account as AccountName');
    if (!/^[\w.-]+(?::\d{1,5})?$/.test(suffix)) throw incomplete('a host as EndpointSuffix');
    if (!/^https?$/i.test(protocol)) throw incomplete('https or http as DefaultEndpointsProtocol');
  }
  const url = own || `${protocol}://${account}.blob.${suffix}`;
  const key = field('AccountKey');
  const sas = field('SharedAccessSignature').replace(/^\?/, '');
  [key, sas, new URLSearchParams(sas).get('sig') ?? '', new URL(url).password].forEach(keepSecret);
  if (key === '' && sas === '') throw incomplete('AccountKey or SharedAccessSignature');
  if (key !== '' && account === '') throw incomplete('AccountName beside AccountKey');
  return { account: account || accountOf(new URL(url)), url, key, sas: key === '' ? sas : '' };
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/**
 * Extracts the account's name from a URL: `https://<account>.blob…`, or `http://127.0.0.1:10000/<account>` for an
 * emulator.
 */
function accountOf({ hostname, pathname }: URL): string {
  return pathname.split('/')[1] || hostname.split('.')[0] || hostname;
}

function incomplete(what: string): FederationError {
  return new FederationError('STORE_CONFIG_INVALID', {
    subject: { setting: 'config.storage_connection_string' },
    detail: `config.storage_connection_string needs ${what}.`,
  });
}

async function tokenCredential(config: AzureConfig): Promise<TokenCredential> {
  const { ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential } =
    await import('@azure/identity');
  const {
    az_tenant_id: tenant,
    client_id: client,
    client_secret: secret,
    user_assigned_id: identity,
  } = config;
  if (isSet(secret)) return new ClientSecretCredential(tenant, client, secret.reveal());
  return identity === ''
    ? new DefaultAzureCredential()
    : new ManagedIdentityCredential({ clientId: identity });
}
