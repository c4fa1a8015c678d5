import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadTypescript } from '../servers/load-typescript';
import { type FaultyGcsServer, gcsError, json, resource, startFaultyGcsServer } from './faulty-gcs-server';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';

/** Fake server on loopback that acts as the store and as the token service. */
let server: FaultyGcsServer;
beforeAll(async () => {
  server = await startFaultyGcsServer();
});
afterAll(async () => {
  await server.close();
  await removeTemporaryFolders();
});

const write = (name: string, text: string): string => {
  const file = path.join(temporaryFolder(), name);
  writeFileSync(file, text);
  return file;
};
/** Returns external account credentials. With them, the client fetches its token from the loopback server. */
const external = (file = write('token', 'subj3ct')) =>
  JSON.stringify({
    type: 'external_account',
    audience: '//iam.example.com/pool',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${server.endpoint}/token`,
    credential_source: { file },
    client_secret: 'cl13nt-s3cr3t',
  });
const token = json(200, {
  access_token: 'acc3ss-t0ken',
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  token_type: 'Bearer',
  expires_in: 3600,
});

/** Calls `head` for the same object twice in a separate process, and returns both results. */
async function ask(
  service_account: string | undefined,
  endpoint: string | undefined,
  { env = {}, timeout = '10m' }: { env?: NodeJS.ProcessEnv; timeout?: string } = {},
): Promise<unknown[]> {
  const settings = { bucket: 'costs', service_account, http_config: { response_header_timeout: timeout } };
  const args = [JSON.stringify(settings), ...(endpoint === undefined ? [] : [endpoint])];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...loadTypescript, path.join(__dirname, 'ask-gcs.ts'), ...args],
    { env: { ...process.env, ...env } },
  );
  return JSON.parse(stdout) as unknown[];
}

test('are exchanged for a token once, and no error shows either', async () => {
  server.answer(
    token,
    json(200, resource('k', Buffer.alloc(3))),
    gcsError(403, 'forbidden', 'acc3ss-t0ken may not'),
  );
  const [first, second] = await ask(external(), server.endpoint);
  expect(first).toMatchObject({ key: 'k', size: 3 });
  expect(second).toMatchObject({
    code: 'STORAGE_ACCESS_DENIED',
    retryable: false,
    shown: expect.stringContaining('*** may not') as string,
  });
  expect(JSON.stringify(second)).not.toMatch(/acc3ss-t0ken|cl13nt|subj3ct/);
  expect(server.seen.map(({ path: at, headers }) => `${at} ${headers.authorization ?? ''}`)).toEqual([
    '/token ',
    '/storage/v1/b/costs/o/k Bearer acc3ss-t0ken',
    '/storage/v1/b/costs/o/k Bearer acc3ss-t0ken',
  ]);
});

test('that are refused are not retried, and unreadable ones are reported as such', async () => {
  server.answer(json(400, { error: 'invalid_grant', error_description: 'cl13nt-s3cr3t is nobody’s' }));
  const refused = await ask(external(), server.endpoint);
  expect(refused[0]).toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
  expect(JSON.stringify(refused)).not.toMatch(/cl13nt|subj3ct/);
  expect(server.seen.map(({ path: at }) => at)).toEqual(['/token', '/token']);
  const unread = await ask(external('/none/token'), server.endpoint);
  expect(unread[0]).toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
});

test('whose service fails can be obtained later', async () => {
  server.answer(json(503, { error: 'unavailable' }));
  const later = { code: 'STORAGE_UNAVAILABLE', retryable: true };
  expect((await ask(external(), server.endpoint))[0]).toMatchObject(later);
  server.answer(() => undefined, token, json(200, resource('k', Buffer.alloc(3))));
  // The time-out applies to both calls. It must be long enough for the second call to succeed, even on a busy machine.
  const [silent, then] = await ask(external(), server.endpoint, { timeout: '3s' });
  expect(silent).toMatchObject(later);
  expect(then).toMatchObject({ key: 'k' });
});

test('come from Google’s own chain if the file has none, and STORAGE_EMULATOR_HOST changes nothing', async () => {
  server.answer(json(400, { error: 'invalid_grant' }));
  const found = await ask(undefined, undefined, {
    env: {
      GOOGLE_APPLICATION_CREDENTIALS: write('credentials.json', external()),
      STORAGE_EMULATOR_HOST: server.endpoint,
    },
  });
  expect(found[0]).toMatchObject({ code: 'STORAGE_ACCESS_DENIED' });
  expect(server.seen.map(({ path: at }) => at)).toEqual(['/token', '/token']);
});
