import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates } from '../servers/certificates';
import { clearSettings } from '../servers/clear-environment';
import { type GrpcProxy, startGrpcProxy } from '../servers/grpc-proxy';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { FederationFolder } from './federation-folder';
import { runMain } from './run-main';

describeWithTemporal('the verbs, and a Temporal server that demands a certificate and a key', () => {
  const key = 'the-right-key';
  let server: TestServer;
  let namespace: string;
  let proxy: GrpcProxy;
  let federation: FederationFolder;
  /** The methods that were called with the right key. */
  const called = new Set<string>();
  clearSettings();

  const run = (...argv: string[]) => runMain(...argv, '--config', federation.settings);

  beforeAll(async () => {
    server = await connectToTestServer();
    namespace = await server.createNamespace();
    const certificates = await makeCertificates();
    proxy = await startGrpcProxy(server.address, 0, {
      ...certificates.server,
      requestCert: true,
      rejectUnauthorized: true,
    });
    proxy.answer = (method, { authorization }) => {
      if (authorization !== `Bearer ${key}`) return { code: 16, message: 'The key is unknown.' };
      called.add(method.replace(/^.*\//, ''));
      return undefined;
    };
    federation = await FederationFolder.create({ address: proxy.address, namespace });
    for (const [name, text] of Object.entries(certificates.client))
      writeFileSync(join(federation.folder, name), text);
  });
  afterAll(async () => {
    await federation?.[Symbol.asyncDispose]();
    await proxy?.close();
    await server?.close();
  });
  beforeEach(() => {
    const file = (name: string) => join(federation.folder, name);
    process.env.TEMPORAL_TLS_SERVER_CA_CERT_PATH = file('ca');
    process.env.TEMPORAL_TLS_CLIENT_CERT_PATH = file('crt');
    process.env.TEMPORAL_TLS_CLIENT_KEY_PATH = file('key');
    process.env.TEMPORAL_API_KEY = key;
  });

  it('read and start runs with both', async () => {
    const { run: id } = JSON.parse((await run('federate', '--json')).out) as { run: string };
    await server.client(namespace).workflow.getHandle(id).terminate();
    const { out, err } = await run('runs');
    expect(out).toContain(`${id} `);
    expect(err).toBe('');
    expect((await run('status')).out).not.toContain('TEMPORAL_');
    expect([...called]).toEqual(expect.arrayContaining(['StartWorkflowExecution', 'ListWorkflowExecutions']));
  });

  it.each<[string, string, string, RegExp]>([
    [
      'a wrong key',
      'TEMPORAL_API_KEY',
      'another',
      /^TEMPORAL_ACCESS_DENIED: .*The key is unknown\..*\n.*TEMPORAL_API_KEY/,
    ],
    ['no key', 'TEMPORAL_API_KEY', '', /^TEMPORAL_ACCESS_DENIED: .*The key is unknown\./],
    [
      'no certificate',
      'TEMPORAL_TLS_CLIENT_CERT_PATH',
      '',
      /^(?:SETTINGS_INVALID|TEMPORAL_UNAVAILABLE): .*certificate.*\n.*TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ],
  ])('say what to do with %s', async (_, variable, value, says) => {
    process.env[variable] = value;
    if (variable !== 'TEMPORAL_API_KEY') delete process.env.TEMPORAL_TLS_CLIENT_KEY_PATH;
    const { status, out, err } = await run('federate');
    expect([out, err]).toEqual(['', expect.stringMatching(says)]);
    expect(status).toBe(1);
    expect((await run('status')).out).toMatch(/^Not shown\n.*(?:The key is unknown|client certificate)\./m);
    expect((await run('doctor')).out).toMatch(/✗ FAILED .*TEMPORAL_/);
  });
});
