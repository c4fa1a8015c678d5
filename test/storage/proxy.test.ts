import { randomUUID } from 'node:crypto';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { connectToS3, describeWithS3, s3Store } from '../servers/versitygw';
import { type Listening, listenOnLoopback } from './loopback';
import { startTlsServer, type TlsServer } from './tls-server';

/** A typical company proxy: it forwards plain HTTP requests, and opens tunnels for encrypted connections. */
interface Proxy extends Listening {
  /** Requests that the proxy has received, such as `CONNECT 127.0.0.1:443` or `PUT http://…`. */
  readonly asked: string[];
}

async function startProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const server = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const onward = request(
      incoming.url ?? '',
      { method: incoming.method, headers: incoming.headers },
      (result) => {
        answer.writeHead(result.statusCode ?? 502, result.headers);
        result.pipe(answer);
      },
    );
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', ({ url = '' }, socket, head) => {
    asked.push(`CONNECT ${url}`);
    const { hostname, port } = new URL(`http://${url}`);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
    socket.on('close', () => onward.destroy());
  });
  return { ...(await listenOnLoopback(server)), asked };
}

const variables = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy'];

describe('a proxy from the environment', () => {
  let proxy: Proxy;
  let before: (readonly [string, string | undefined])[];

  beforeEach(async () => {
    before = variables.map((name) => [name, process.env[name]] as const);
    for (const name of variables) delete process.env[name];
    proxy = await startProxy();
  });
  afterEach(async () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await proxy.close();
  });

  describe('with TLS', () => {
    let server: TlsServer;
    beforeAll(async () => {
      server = await startTlsServer();
    });
    afterAll(() => server.close());

    const storeOf = {
      S3: () => ({
        type: 'S3',
        config: { bucket: 'costs', endpoint: server.host, access_key: 'k', secret_key: 's' },
      }),
      GCS: () => ({ type: 'GCS', config: { bucket: 'costs' } }),
    };

    it.each(['S3', 'GCS'] as const)('is used for %s, by a tunnel', async (type) => {
      process.env['HTTPS_PROXY'] = `http://${proxy.host}`;
      const store = storeOf[type]();
      const tls = { http_config: { tls_config: { ca_file: server.files.ca } } };
      const bucket = await openBucket(
        parseFederatedStore(JSON.stringify({ ...store, config: { ...store.config, ...tls } }), 'store.yaml'),
        { gcsEmulator: `https://${server.host}` },
      );
      // The server behind the tunnel answers every request with 404, so `head` finds no object.
      expect(await bucket.head('a')).toBeUndefined();
      expect(proxy.asked).toEqual([`CONNECT ${server.host}`]);
      await bucket.close();
    });
  });

  describeWithS3('with an S3 server', () => {
    async function roundTrip(): Promise<string> {
      const s3 = await connectToS3();
      const name = `proxy-${randomUUID()}`;
      await s3.createBucket(name);
      const bucket = await openBucket(parseFederatedStore(JSON.stringify(s3Store(s3, name)), 'store.yaml'));
      await bucket.put('a/b', Buffer.from('through the proxy'));
      const { bytes } = await readAll(bucket, 'a/b');
      await bucket.close();
      return bytes.toString();
    }

    it('forwards writes and reads', async () => {
      process.env['HTTP_PROXY'] = `http://${proxy.host}`;
      expect(await roundTrip()).toBe('through the proxy');
      expect(proxy.asked.map((one) => one.split(' ')[0])).toEqual(['PUT', 'GET']);
    });

    it('is not used for hosts in NO_PROXY', async () => {
      process.env['HTTP_PROXY'] = `http://${proxy.host}`;
      process.env['NO_PROXY'] = '127.0.0.1';
      expect(await roundTrip()).toBe('through the proxy');
      expect(proxy.asked).toEqual([]);
    });
  });
});
