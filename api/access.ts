import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { parseListen } from '../config/listen';
import { FederationError } from '../errors/federation-error';
import type { ServerOptions } from './options';

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
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
  requireRead(authorization: string | undefined): void {
    if (!this.open) this.requireToken(authorization);
  }

  /** Throws ACCESS_DENIED. */
  requireAct(authorization: string | undefined): void {
    if (this.token === undefined) {
      throw new FederationError('ACCESS_DENIED', {
        detail: 'Nothing can be changed here, as no operator token is configured.',
        hint: 'Set api.token, or use the command line.',
      });
    }
    this.requireToken(authorization);
  }

  private requireToken(authorization: string | undefined): void {
    const given = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given !== undefined && this.token !== undefined && same(given, this.token)) return;
    throw new FederationError('ACCESS_DENIED', {
      detail: given === undefined ? 'The operator token is missing.' : 'The operator token is wrong.',
    });
  }
}

/** Takes the same time however much of it is right. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
