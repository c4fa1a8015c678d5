import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as sdk from '@temporalio/client';
import type { Settings } from '../../config/settings';
import { probeTemporal } from '../../operator/probe-temporal';
import { expired, makeCertificates, notYetValid } from '../servers/certificates';
import { startGrpcProxy } from '../servers/grpc-proxy';
import { type Listening, listenOnLoopback } from '../storage/loopback';
import { startTlsServer, type TlsServer } from '../storage/tls-server';
import { until } from '../until';

const proxyVariables = ['grpc_proxy', 'https_proxy', 'http_proxy', 'no_grpc_proxy', 'no_proxy'];
const before = { ...process.env };
let secure: TlsServer;
let web: Listening;
let proxy: Listening;
beforeAll(async () => {
  for (const name of proxyVariables) delete process.env[name];
  const refusing: Server = createServer().on('connect', (_, socket) => {
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  [secure, web, proxy] = await Promise.all([
    startTlsServer(),
    listenOnLoopback(createServer((_, response) => response.end('hello'))),
    listenOnLoopback(refusing),
  ]);
});
afterAll(async () => {
  await Promise.all([secure.close(), web.close(), proxy.close()]);
  for (const name of proxyVariables) if (before[name] !== undefined) process.env[name] = before[name];
});

/** Returns the error with which a probe of the server ends. */
async function failureOf(
  address: string,
  tls?: Settings['temporal']['connection']['tls'],
  patienceMs = 10_000,
) {
  const connection = { address, tls } as Settings['temporal']['connection'];
  const opened = await probeTemporal(sdk, { address, connection }, patienceMs).catch(
    (error: unknown) => error,
  );
  if (opened instanceof sdk.Connection) await opened.close();
  return opened as { code?: string; detail?: string; hint?: string };
}

describe('a Temporal server that cannot be used is explained:', () => {
  it('nothing listens', async () => {
    expect(await failureOf('127.0.0.1:1')).toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      detail: 'No Temporal server answers at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1.',
      hint: expect.stringContaining('correct temporal.address'),
    });
  });

  it('it is there, but slow', async () => {
    const slow = http2.createServer().on('stream', () => undefined);
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(slow.address() as AddressInfo).port}`;
    expect(await failureOf(address, undefined, 2_000)).toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      detail: `The Temporal server at ${address} did not answer in time.`,
      hint: expect.stringMatching(/^Try again\. .* load and the log/),
    });
    slow.close();
  });

  it('no such name', async () => {
    expect(await failureOf('temporal.invalid:7233')).toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      detail: expect.stringContaining('its name cannot be resolved.'),
    });
  });

  it('it expects TLS', async () => {
    expect(await failureOf(secure.host)).toMatchObject({
      detail: expect.stringContaining(
        'the connection was closed at once, as a server that expects TLS does.',
      ),
      hint: expect.stringContaining('TEMPORAL_TLS_SERVER_CA_CERT_PATH'),
    });
  });

  it('it does not use TLS', async () => {
    expect(await failureOf(web.host, true)).toMatchObject({
      detail: expect.stringContaining('the server does not use TLS, but this client does.'),
      hint: expect.stringContaining('TEMPORAL_TLS'),
    });
  });

  it('an unknown authority has signed its certificate', async () => {
    expect(await failureOf(secure.host, true)).toMatchObject({
      detail: expect.stringContaining('certificate'),
      hint: expect.stringContaining('TEMPORAL_TLS_SERVER_CA_CERT_PATH'),
    });
  });

  it('its certificate has another name', async () => {
    const serverRootCACertificate = readFileSync(secure.files.ca);
    const address = secure.host.replace('127.0.0.1', 'localhost');
    expect(await failureOf(address, { serverRootCACertificate })).toMatchObject({
      detail: expect.stringContaining('altnames'),
      hint: expect.stringContaining('TEMPORAL_TLS_SERVER_NAME'),
    });
  });

  it('it speaks HTTP, such as the web UI', async () => {
    expect(await failureOf(web.host)).toMatchObject({
      detail: expect.stringContaining('what answers there does not speak gRPC.'),
      hint: expect.stringContaining('7233'),
    });
  });

  it('the client’s own key cannot be used', async () => {
    const clientCertPair = { crt: Buffer.from('x'), key: Buffer.from('y') };
    expect(await failureOf(secure.host, { clientCertPair })).toMatchObject({
      code: 'SETTINGS_INVALID',
      hint: expect.stringContaining('TEMPORAL_TLS_CLIENT_KEY_PATH'),
    });
  });

  it('a proxy refuses the connection', async () => {
    // The gRPC library writes the status of a proxy to the console.
    const said = jest.spyOn(console, 'error').mockImplementation();
    process.env['http_proxy'] = `http://${proxy.host}`;
    try {
      expect(await failureOf('temporal.example:7233')).toMatchObject({
        detail: expect.stringContaining('the proxy refuses the connection.'),
        hint: expect.stringContaining('no_proxy'),
      });
      // The library tries once more, a second after its connection was closed. If the tests ended before that, Jest
      // would complain about the late message.
      await until('the last attempt', () => said.mock.calls.length > 1);
    } finally {
      delete process.env['http_proxy'];
      said.mockRestore();
    }
  });

  describe('a certificate', () => {
    type Certificates = Awaited<ReturnType<typeof makeCertificates>>;
    let good: Certificates;
    let other: Certificates;
    beforeAll(async () => {
      [good, other] = await Promise.all([makeCertificates(), makeCertificates()]);
    });

    /** Returns the error for a server that demands certificates, and for a client with another one. */
    async function refused({ server }: Certificates, client?: Certificates['client']) {
      const demanding = await startGrpcProxy('127.0.0.1:1', 0, {
        ...server,
        ca: [good.server.ca, server.ca],
        requestCert: true,
        rejectUnauthorized: true,
      });
      demanding.answer = () => ({ code: 7, message: 'This server was reached.' });
      try {
        const { crt, key } = client ?? { crt: '', key: '' };
        return await failureOf(demanding.address, {
          serverRootCACertificate: Buffer.from(server.ca),
          ...(client && { clientCertPair: { crt: Buffer.from(crt), key: Buffer.from(key) } }),
        });
      } finally {
        await demanding.close();
      }
    }

    it('is accepted', async () => {
      expect((await refused(good, good.client)).detail).toContain('This server was reached.');
    });

    it('of the client is missing, or of another authority', async () => {
      for (const client of [undefined, other.client])
        expect(await refused(good, client)).toMatchObject({
          code: 'TEMPORAL_UNAVAILABLE',
          detail: expect.stringContaining('does not accept the client certificate.'),
          hint: expect.stringContaining('TEMPORAL_TLS_CLIENT_CERT_PATH'),
        });
    });

    it.each([
      ['has expired', expired],
      ['is not yet valid', notYetValid],
    ])('of the client %s', async (_, validity) => {
      const certificates = await makeCertificates({ client: validity });
      expect(await refused(certificates, certificates.client)).toMatchObject({
        code: 'TEMPORAL_UNAVAILABLE',
        detail: expect.stringContaining('does not accept the client certificate.'),
        hint: expect.stringContaining('TEMPORAL_TLS_CLIENT_CERT_PATH'),
      });
    });

    it.each([
      ['has expired', expired],
      ['is not yet valid', notYetValid],
    ])('of the server %s', async (what, validity) => {
      const certificates = await makeCertificates({ server: validity });
      expect(await refused(certificates, good.client)).toMatchObject({
        code: 'TEMPORAL_UNAVAILABLE',
        detail: expect.stringContaining(`certificate ${what}`),
        hint: expect.stringMatching(/^Renew the server’s certificate, or correct the clock/),
      });
    });
  });

  it.each([
    [7, 'Request unauthorized.', 'TEMPORAL_ACCESS_DENIED'],
    [16, 'The key has expired.', 'TEMPORAL_ACCESS_DENIED'],
    [8, 'The rate limit is exceeded.', 'TEMPORAL_THROTTLED'],
    [3, 'The request is odd.', 'TEMPORAL_REFUSED'],
    [14, 'The upstream is down.', 'TEMPORAL_UNAVAILABLE'],
    [13, 'It failed.', 'TEMPORAL_UNAVAILABLE'],
  ])('it answers with status %i, "%s"', async (status, message, code) => {
    const grpc = await startGrpcProxy('127.0.0.1:1');
    grpc.answer = () => ({ code: status, message });
    expect(await failureOf(grpc.address)).toMatchObject({ code, detail: expect.stringContaining(message) });
    await grpc.close();
  });
});
