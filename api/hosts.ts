import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { FederationError } from '../errors/federation-error';
import type { ServerOptions } from './options';

/**
 * Decides by the `Host` header which requests are answered if reading needs no token. Without this check, any web page
 * could read the costs: the page lets its own domain name resolve to the address of this server (DNS rebinding), and
 * the browser then regards the server as the page's own. But the browser sends the page's name as `Host`.
 */
export class Hosts {
  private readonly names: ReadonlySet<string>;

  constructor({ hosts = [] }: Pick<ServerOptions, 'hosts'>) {
    this.names = new Set(['localhost', hostname(), ...hosts].map((name) => name.toLowerCase()));
  }

  /** Throws HOST_UNKNOWN if a request with these headers does not ask for this server. */
  require(headers: IncomingHttpHeaders): void {
    const { host = '' } = headers;
    if (this.names.has('*') || this.isOwn(host) || isFromApiServer(headers)) return;
    throw new FederationError('HOST_UNKNOWN', {
      subject: { setting: 'api.hosts' },
      detail: `This server does not answer to the name '${nameIn(host).slice(0, 253)}'.`,
    });
  }

  private isOwn(host: string): boolean {
    // Browsers always send a host. An IP address is safe, because DNS rebinding needs a name.
    const name = nameIn(host);
    return name === '' || isIP(name) !== 0 || name.endsWith('.localhost') || this.names.has(name);
  }
}

/** Returns the name or IP address in a `Host` header, without the port, brackets and the final dot. */
function nameIn(host: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|(.*?))(?::\d*)?$/.exec(host.trim()) ?? [];
  return (address ?? name).toLowerCase().replace(/\.$/, '');
}

/**
 * Returns whether a program, such as kubectl-cost, has sent a request through the proxy of the Kubernetes API server.
 * That proxy sends its own name as `Host`, which a pod cannot know. A page could send the same `X-Forwarded-Uri`, but
 * it can neither omit `Accept-Language` nor change `Accept-Encoding`, in which every browser names deflate.
 */
function isFromApiServer(headers: IncomingHttpHeaders): boolean {
  const proxied = /^\/api\/v1\/namespaces\/[^/]+\/(?:pods|services)\/[^/]+\/proxy(?:\/|$)/;
  return (
    proxied.test(String(headers['x-forwarded-uri'] ?? '')) &&
    headers['accept-language'] === undefined &&
    !/\bdeflate\b/i.test(String(headers['accept-encoding'] ?? ''))
  );
}
