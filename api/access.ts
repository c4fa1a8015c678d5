import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { parseListen } from '../config/listen';
import { FederationError } from '../errors/federation-error';
import type { ServerOptions } from './options';

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Pages of this machine, whatever their port. */
const loopbackOrigin = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** Whose pages a browser lets read: any web page could otherwise read the costs from a person's machine. */
export function allowedOrigins({
  origins,
  openRead,
}: Pick<ServerOptions, 'origins' | 'openRead'>): '*' | RegExp | string[] {
  if (origins === undefined) return openRead ? '*' : loopbackOrigin;
  return origins.includes('*') ? '*' : [...origins];
}

/** Who may read and who may change something. Throws SETTINGS_INVALID where nobody decided. */
export class Access {
  private readonly open: boolean;
  /** An empty one would be no secret. */
  private readonly token: string | undefined;

  constructor(options: Pick<ServerOptions, 'listen' | 'token' | 'openRead'>) {
    this.token = options.token === '' ? undefined : options.token;
    this.open = options.openRead || isLoopback(parseListen(options.listen, 'api.listen').host);
    if (!this.open && this.token === undefined) {
      throw new FederationError('SETTINGS_INVALID', {
        subject: { setting: 'api.token' },
        detail: `${options.listen} can be reached from other machines, and neither api.token nor api.openRead is set.`,
        hint: 'Set api.token, set api.openRead to let anybody read, or listen on 127.0.0.1.',
      });
    }
  }

  get canAct(): boolean {
    return this.token !== undefined;
  }

  /** Throws ACCESS_DENIED. */
  requireRead(headers: IncomingHttpHeaders): void {
    if (!this.open) this.requireToken(headers);
  }

  /** Throws ACCESS_DENIED. */
  requireAct(headers: IncomingHttpHeaders): void {
    if (this.token === undefined) {
      throw new FederationError('ACCESS_DENIED', {
        detail: 'Nothing can be changed here, as no operator token is configured.',
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

/** All that are given: none makes up for another that is wrong. */
function tokensOf({ authorization = '', 'x-api-key': apiKey = '' }: IncomingHttpHeaders): string[] {
  const bearer = /^Bearer\s+(.*)$/i.exec(authorization)?.[1] ?? '';
  return [bearer, apiKey].flat().filter((token) => token !== '');
}

/** Takes the same time however much of it is right. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
