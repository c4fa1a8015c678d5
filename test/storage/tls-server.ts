import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import os from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { listenOnLoopback } from './loopback';

export interface TlsServer {
  readonly host: string;
  /**
   * Paths of PEM files: `ca` is the certificate of the authority that signed the server's certificate. `cert` and `key`
   * are a client certificate that the same authority signed, and its private key.
   */
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Returns the number of connections so far, including failed ones. */
  connections(): number;
  /** For each request so far, the common name of the client certificate, or an empty string if there was none. */
  readonly clients: string[];
  /** Headers of each request so far. */
  readonly headers: IncomingHttpHeaders[];
  close(): Promise<void>;
}

/**
 * Starts an HTTPS server on loopback, with a certificate that a private authority has signed. The server answers every
 * request with 404.
 */
export async function startTlsServer(): Promise<TlsServer> {
  const subject = (value: string) => [{ name: 'commonName', value }];
  const shared = { keyType: 'ec', algorithm: 'sha256' } as const;
  const authority = await generate(subject('test authority'), {
    ...shared,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  const ca = { key: authority.private, cert: authority.cert };
  const own = await generate(subject('localhost'), {
    ...shared,
    ca,
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'store.internal' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const client = await generate(subject('a client'), { ...shared, ca });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'federated-etl-tls-'));
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const clients: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  // gRPC clients check the certificate only if the server offers HTTP/2. So this server offers it, but answers with
  // HTTP/1.1.
  const ALPNProtocols = ['http/1.1', 'h2'];
  const options = { key: own.private, cert: own.cert, ca: authority.cert, ALPNProtocols };
  const server = createServer(
    { ...options, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      const { CN } = (socket.authorized ? socket.getPeerCertificate().subject : {}) as { CN?: string };
      clients.push(CN ?? '');
      headers.push(request.headers);
      response.writeHead(404).end();
    },
  );
  let connections = 0;
  server.on('connection', () => (connections += 1));
  const { host, close } = await listenOnLoopback(server);
  return {
    host,
    files: {
      ca: write('ca.pem', authority.cert),
      cert: write('client.pem', client.cert),
      key: write('client.key', client.private),
    },
    connections: () => connections,
    clients,
    headers,
    async close() {
      await close();
      await rm(folder, { recursive: true });
    },
  };
}
