import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { Socket } from 'node:net';
import { type HttpConfig, skipsVerification } from './config-fields';
import { readSettingFile } from './setting-file';

/** Time limit for opening a connection, in milliseconds. */
export const connectTimeoutMs = 5_000;
/**
 * Maximum number of sockets per host. It is higher than the number of requests that ever run at once, because a request
 * that waits for a free socket has no time limit.
 */
const maxSockets = 256;

/**
 * Returns HTTP agents that apply the `http_config` of a store. The agents close a socket that takes more than 5 seconds
 * to connect. They also close a socket that has had no traffic for at least `response_header_timeout`, whether before a
 * response, during one, or while idle. The SDKs' own timeouts do not cover every way in which a request can hang. The
 * agents honour `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. The caller must destroy the agents.
 */
export function httpAgents(http: HttpConfig): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const pool = {
    keepAlive: true,
    maxSockets: http.max_conns_per_host || maxSockets,
    // Take the proxy from the environment, as the SDKs do: a proxy is a setting of the machine, not of a store.
    proxyEnv: process.env,
  };
  const idleMs = http.response_header_timeout;
  return {
    httpAgent: watched(new HttpAgent(pool), idleMs),
    httpsAgent: watched(new HttpsAgent({ ...pool, ...tlsOptions(http) }), idleMs),
  };
}

/** Changes an agent so that all sockets that it opens are closed if they hang. */
function watched<Agent extends HttpAgent>(agent: Agent, idleMs: number): Agent {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    const socket = create(...args) as Socket | undefined;
    if (socket !== undefined) watch(socket, idleMs);
    return socket;
  };
  return agent;
}

function watch(socket: Socket, idleMs: number): void {
  const end = (code: string, what: string) => socket.destroy(Object.assign(new Error(what), { code }));
  const connecting = setTimeout(
    () => end('ETIMEDOUT', `no connection within ${connectTimeoutMs} ms`),
    connectTimeoutMs,
  );
  socket.once('connect', () => clearTimeout(connecting));
  socket.once('close', () => clearTimeout(connecting));
  if (idleMs === 0) return;
  let read = -1;
  let written = -1;
  // Check with a timer whether the socket has had any traffic. The socket's own timeout does not help, because the HTTP
  // client resets it for each request.
  const silent = setInterval(() => {
    if (socket.bytesRead === read && socket.bytesWritten === written)
      end('ETIMEDOUT', `silent for ${idleMs} ms`);
    read = socket.bytesRead;
    written = socket.bytesWritten;
  }, idleMs);
  silent.unref();
  socket.once('close', () => clearInterval(silent));
}

function tlsOptions(http: HttpConfig): AgentOptions {
  const { ca_file, cert_file, key_file, server_name } = http.tls_config;
  const file = (path: string | undefined, name: string) =>
    path === undefined ? undefined : readSettingFile(path, `config.http_config.tls_config.${name}`);
  return {
    ca: file(ca_file, 'ca_file'),
    cert: file(cert_file, 'cert_file'),
    key: file(key_file, 'key_file'),
    servername: server_name,
    rejectUnauthorized: !skipsVerification(http),
  };
}
