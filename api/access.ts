import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { parseListen } from '../config/listen';
import type { ReadToken } from '../config/read-tokens';
import { FederationError } from '../errors/federation-error';
import { addressOf } from './address';
import type { ServerOptions } from './options';
import { slowly, WrongTokens } from './wrong-tokens';

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

/** Name under which the log shows the operator token. A read token cannot have it: file names have no blanks. */
const operator = 'operator token';

/**
 * Decides which requests may read data and which may perform operator actions. The constructor throws SETTINGS_INVALID
 * if other machines can reach the server, but there is neither a token nor `openRead`.
 */
export class Access {
  /** Whether reading needs no token. */
  readonly open: boolean;
  private readonly given: ServerOptions['token'];
  private readonly readTokens: NonNullable<ServerOptions['readTokens']>;
  private readonly wrongTokens: WrongTokens;

  constructor({
    token,
    readTokens = () => [],
    openRead,
    listen,
    log,
    now = () => Date.now() / 1_000,
    wait = slowly,
  }: ServerOptions) {
    this.given = token;
    this.readTokens = readTokens;
    this.wrongTokens = new WrongTokens({
      now,
      wait,
      delayed: (address) =>
        log.warn(
          { event: 'api.wrong-tokens', address },
          `Many wrong tokens come from ${address}. Answers to its wrong tokens are delayed.`,
        ),
    });
    this.open = openRead || isLoopback(parseListen(listen, 'api.listen').host);
    if (!this.open && this.tokens().length === 0) {
      throw new FederationError('SETTINGS_INVALID', {
        subject: { setting: 'api.token' },
        detail: `${listen} can be reached from other machines, but there is neither a token (api.token, api.readTokensPath) nor api.openRead.`,
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

  /** Returns all tokens that are valid now. */
  private tokens(): readonly ReadToken[] {
    const { token } = this;
    return [...(token === undefined ? [] : [{ name: operator, token }]), ...this.readTokens()];
  }

  /** Returns the name of a request's token. Returns undefined if it has none, or if one of its tokens is wrong. */
  nameOf(headers: IncomingHttpHeaders): string | undefined {
    const valid = this.tokens();
    const names = tokensOf(headers).map((given) => nameIn(valid, given));
    return names.includes(undefined) ? undefined : names[0];
  }

  /**
   * Returns the client that a request counts for when clients share the limits on queries: the name of its token, or
   * its address.
   */
  clientOf({ headers, ip }: Asking): string {
    return this.nameOf(headers) ?? addressOf(ip);
  }

  /** Throws ACCESS_DENIED unless a request may read data. If its token is wrong, may wait before it throws. */
  async requireRead({ headers, ip }: Asking): Promise<void> {
    if (this.open || this.nameOf(headers) !== undefined) return;
    const hasToken = tokensOf(headers).length > 0;
    if (hasToken) await this.wrongTokens.slowDown(ip);
    throw new FederationError('ACCESS_DENIED', {
      detail: hasToken ? 'The token is wrong.' : 'The token is missing.',
    });
  }

  /** Throws ACCESS_DENIED unless a request may make changes. If its token is wrong, may wait before it throws. */
  async requireAct({ headers, ip }: Asking): Promise<void> {
    const { token } = this;
    if (token === undefined) {
      throw new FederationError('ACCESS_DENIED', {
        detail: 'Changes are not possible, as no operator token is configured.',
        hint: 'Set api.token, or use the command line.',
      });
    }
    const given = tokensOf(headers);
    if (given.length > 0 && given.every((one) => same(one, token))) return;
    const name = this.nameOf(headers);
    if (given.length > 0 && name === undefined) await this.wrongTokens.slowDown(ip);
    throw new FederationError('ACCESS_DENIED', {
      detail:
        given.length === 0
          ? 'The operator token is missing.'
          : name === undefined || name === operator
            ? 'The operator token is wrong.'
            : `The token ${name} may only read; a change needs the operator token.`,
    });
  }
}

/** What `Access` has to know about a request. */
interface Asking {
  readonly headers: IncomingHttpHeaders;
  /** Address that the request came from. */
  readonly ip: string;
}

/**
 * Returns the name of a token among the valid ones; undefined if it is not one of them. Compares it with all of them,
 * so that the response time does not reveal which one is similar.
 */
function nameIn(valid: readonly ReadToken[], given: string): string | undefined {
  return valid.filter(({ token }) => same(given, token))[0]?.name;
}

/**
 * Returns every token in a request's headers: from `Authorization` and from `X-API-Key`. A request that has both is
 * denied if either of them is wrong.
 */
export function tokensOf({ authorization = '', 'x-api-key': apiKey = '' }: IncomingHttpHeaders): string[] {
  const bearer = /^Bearer\s+(.*)$/i.exec(authorization)?.[1] ?? '';
  return [bearer, apiKey].flat().filter((token) => token !== '');
}

/**
 * Compares two tokens in constant time, so that the response time does not reveal how much of a guessed token is right.
 */
export function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
