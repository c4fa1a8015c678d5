import http2 from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

/** A gRPC status with which a proxy answers instead of the server. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
}

/** A proxy in front of a Temporal server. */
export interface GrpcProxy {
  readonly address: string;
  /**
   * Called for each request. Returns the status to answer with, or undefined to pass the request to the server. `path`
   * ends with the name of the method.
   */
  answer: (path: string, headers: http2.IncomingHttpHeaders) => GrpcStatus | undefined;
  /** Makes the proxy use other certificates from now on, and closes all open connections. Only for a proxy with TLS. */
  renew(tls: http2.SecureServerOptions): void;
  /** Refuses new connections, and closes all that are open. */
  goAway(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of the Temporal server at `address`. It can answer requests in the server's place. It listens
 * on `port`. (Default: any free port) With `tls`, clients have to use TLS.
 */
export async function startGrpcProxy(
  address: string,
  port = 0,
  tls?: http2.SecureServerOptions,
): Promise<GrpcProxy> {
  const upstream = http2.connect(`http://${address}`);
  upstream.on('error', () => undefined);
  const sockets = new Set<Socket>();
  const secure = tls && http2.createSecureServer(tls);
  const server = secure ?? http2.createServer();
  const proxy: GrpcProxy = {
    address: '',
    answer: () => undefined,
    renew: (other) => {
      secure?.setSecureContext(other);
      for (const socket of sockets) socket.destroy();
    },
    goAway: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    close: async () => {
      await proxy.goAway();
      upstream.destroy();
    },
  };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    const status = proxy.answer(String(headers[':path']), headers);
    if (status !== undefined) {
      const { code, message } = status;
      const grpc = { 'grpc-status': String(code), 'grpc-message': message };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...grpc }, { endStream: true });
      return;
    }
    const call = upstream.request({ ...headers, ':authority': address });
    call.on('error', () => stream.destroy());
    stream.on('close', () => call.close());
    let trailers: http2.OutgoingHttpHeaders = {};
    call.on('response', (answer, flags) => {
      const endStream = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      if (!stream.destroyed) stream.respond(answer, { endStream, waitForTrailers: !endStream });
    });
    call.on('trailers', (last: http2.OutgoingHttpHeaders) => (trailers = last));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(call).pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return Object.assign(proxy, { address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
}
