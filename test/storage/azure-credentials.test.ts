import { openAzure } from '../../storage/drivers/azure';
import { azureConfig } from '../../storage/drivers/azure-config';
import { clearEnvironment } from '../servers/clear-environment';
import { everyNameHere } from './every-name-here';
import { type FaultyServer, startFaultyServer } from './faulty-s3-server';
import { startTlsServer, type TlsServer } from './tls-server';

/**
 * Fake store and fake identity service on loopback. In these tests, credentials do not come from the store's settings.
 */
let store: TlsServer;
let identity: FaultyServer;
clearEnvironment(/^(AZURE|IDENTITY|MSI)_/);
beforeAll(async () => {
  [store, identity] = await Promise.all([startTlsServer(), startFaultyServer()]);
  identity.answer((response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        access_token: 'the token',
        expires_on: String(Math.floor(Date.now() / 1000) + 3_600),
        resource: 'https://storage.azure.com',
        token_type: 'Bearer',
      }),
    ),
  );
});
afterAll(() => Promise.all([store.close(), identity.close()]));
beforeEach(() => {
  Object.assign(process.env, {
    IDENTITY_ENDPOINT: `http://${identity.endpoint}/token`,
    IDENTITY_HEADER: 'secret',
  });
});
afterEach(() => jest.restoreAllMocks());

/**
 * Makes all host names resolve to this machine, and calls `head` for a blob of the account `acme`. Returns the token
 * that the fake store received.
 */
async function lookedBy(settings: object): Promise<string | undefined> {
  everyNameHere();
  const port = store.host.split(':')[1];
  const config = {
    storage_account: 'acme',
    container: 'costs',
    endpoint: `store.test:${port}`,
    http_config: { tls_config: { ca_file: store.files.ca, server_name: 'store.internal' } },
    ...settings,
  };
  const bucket = await openAzure(azureConfig.parse(config));
  store.headers.length = 0;
  try {
    expect(await bucket.head('k')).toBeUndefined();
    return store.headers[0]?.authorization;
  } finally {
    await bucket.close();
  }
}

test('a managed identity is named by its client id', async () => {
  expect(await lookedBy({ user_assigned_id: '11111111-2222-3333-4444-555555555555' })).toBe(
    'Bearer the token',
  );
  expect(identity.seen.at(-1)?.url).toContain('client_id=11111111-2222-3333-4444-555555555555');
});

test('without any settings, the machine’s identity is found', async () => {
  expect(await lookedBy({})).toBe('Bearer the token');
});
