import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { Socket } from 'node:net';
import { skipsVerification, type HttpConfig } from './config-fields';
import { readSettingFile } from './setting-file';

/** How long a connection may take. */
export const connectTimeoutMs = 5_000;
/** More than anything here does at once: a request that waits for a socket waits without a limit. */
const maxSockets = 256;

/**
 * The connections to a store, as its `http_config` wants them. The SDKs' own timeouts do not end everything that hangs,
 * so a socket ends itself: when it is not connected within 5 seconds, and when it is silent for
 * `response_header_timeout`, before an answer, in the middle of one, or idle. The usual variables (`HTTPS_PROXY`,
 * `HTTP_PROXY`, `NO_PROXY`) name the proxy to use. The caller destroys them.
 */
export function httpAgents(http: HttpConfig): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const pool = {
    keepAlive: true,
    maxSockets: http.max_conns_per_host || maxSockets,
    // Read here as the SDKs read theirs: proxies are the machine's business, not a store's.
    proxyEnv: process.env,
  };
  const idleMs = http.response_header_timeout;
  return {
    httpAgent: watched(new HttpAgent(pool), idleMs),
    httpsAgent: watched(new HttpsAgent({ ...pool, ...tlsOptions(http) }), idleMs),
  };
}

/** The agent, whose new sockets end themselves. */
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
  // Not the socket's own timeout: whoever uses the socket sets that anew for each request.
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
