import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { FederationError } from '../errors/federation-error';
import type { ServerOptions } from './options';

/** An address to listen on, taken apart. */
export function parseListen(listen: string): { host: string; port: number } {
  const at = listen.lastIndexOf(':');
  const host = listen.slice(0, at).replace(/^\[|\]$/g, '');
  return { host: host === '' ? '::' : host, port: Number(listen.slice(at + 1)) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Who may read and who may change something. Throws SETTINGS_INVALID where nobody decided. */
export class Access {
  private readonly open: boolean;

  constructor(private readonly options: Pick<ServerOptions, 'listen' | 'token' | 'openRead'>) {
    this.open = options.openRead || isLoopback(parseListen(options.listen).host);
    if (!this.open && options.token === undefined) {
      throw new FederationError('SETTINGS_INVALID', {
        subject: { setting: 'api.token' },
        detail: `${options.listen} can be reached from other machines, and neither api.token nor api.openRead is set.`,
        hint: 'Set api.token, set api.openRead to let anybody read, or listen on 127.0.0.1.',
      });
    }
  }

  get canAct(): boolean {
    return this.options.token !== undefined;
  }

  /** Throws ACCESS_DENIED. */
  requireRead(authorization: string | undefined): void {
    if (!this.open) this.requireToken(authorization);
  }

  /** Throws ACCESS_DENIED. */
  requireAct(authorization: string | undefined): void {
    if (this.options.token === undefined) {
      throw new FederationError('ACCESS_DENIED', {
        detail: 'Nothing can be changed here, as no operator token is configured.',
        hint: 'Set api.token, or use the command line.',
      });
    }
    this.requireToken(authorization);
  }

  private requireToken(authorization: string | undefined): void {
    const given = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given !== undefined && same(given, this.options.token ?? '')) return;
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
