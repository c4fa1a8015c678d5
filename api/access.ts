import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { parseListen } from '../config/listen';
import { FederationError } from '../errors/federation-error';
import type { ServerOptions } from './options';

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Matches the origins of pages that are served from this machine, on any port. */
const loopbackOrigin = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/**
 * Returns the origins whose pages may read this server's answers in a browser (CORS). Restricting the origins prevents
 * an arbitrary web page that a user opens from reading cost data through that user's browser.
 */
export function allowedOrigins({
  origins,
  openRead,
}: Pick<ServerOptions, 'origins' | 'openRead'>): '*' | RegExp | string[] {
  if (origins === undefined) return openRead ? '*' : loopbackOrigin;
  return origins.includes('*') ? '*' : [...origins];
}

/**
 * Decides which requests may read data and which may perform operator actions. The constructor throws SETTINGS_INVALID
 * if other machines can reach the server, but neither a token nor `openRead` is set.
 */
export class Access {
  /** Whether reading needs no token. */
  readonly open: boolean;
  private readonly given: ServerOptions['token'];

  constructor(options: Pick<ServerOptions, 'listen' | 'token' | 'openRead'>) {
    this.given = options.token;
    this.open = options.openRead || isLoopback(parseListen(options.listen, 'api.listen').host);
    if (!this.open && this.token === undefined) {
      throw new FederationError('SETTINGS_INVALID', {
        subject: { setting: 'api.token' },
        detail: `${options.listen} can be reached from other machines, and neither api.token nor api.openRead is set.`,
        hint: 'Set api.token, set api.openRead to let anybody read, or listen on 127.0.0.1.',
      });
    }
  }

  /** The operator token; undefined if the settings have none or an empty one. */
  private get token(): string | undefined {
    const token = typeof this.given === 'function' ? this.given() : this.given;
    return token === '' ? undefined : token;
  }

  get canAct(): boolean {
    return this.token !== undefined;
  }

  /** Throws ACCESS_DENIED unless a request with these headers may read data. */
  requireRead(headers: IncomingHttpHeaders): void {
    if (!this.open) this.requireToken(headers);
  }

  /** Throws ACCESS_DENIED unless a request with these headers may make changes. */
  requireAct(headers: IncomingHttpHeaders): void {
    if (this.token === undefined) {
      throw new FederationError('ACCESS_DENIED', {
        detail: 'Changes are not possible, as no operator token is configured.',
        hint: 'Set api.token, or use the command line.',
      });
    }
    this.requireToken(headers);
  }

  private requireToken(headers: IncomingHttpHeaders): void {
    const given = tokensOf(headers);
    const { token } = this;
    if (given.length > 0 && token !== undefined && given.every((one) => same(one, token))) return;
    throw new FederationError('ACCESS_DENIED', {
      detail: given.length === 0 ? 'The operator token is missing.' : 'The operator token is wrong.',
    });
  }
}

/**
 * Returns every token in a request's headers: from `Authorization` and from `X-API-Key`. A request that has both is
 * denied if either of them is wrong.
 */
function tokensOf({ authorization = '', 'x-api-key': apiKey = '' }: IncomingHttpHeaders): string[] {
  const bearer = /^Bearer\s+(.*)$/i.exec(authorization)?.[1] ?? '';
  return [bearer, apiKey].flat().filter((token) => token !== '');
}

/**
 * Compares two tokens in constant time, so that the response time does not reveal how much of a guessed token is right.
 */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
