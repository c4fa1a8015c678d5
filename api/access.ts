import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FederationError } from '../errors/federation-error';
import type { ServerOptions } from './options';

/** An address to listen on, taken apart. Throws SETTINGS_INVALID when it is none. */
export function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new FederationError('SETTINGS_INVALID', {
      subject: { setting: 'api.listen' },
      detail: `${listen} is no address to listen on, such as 127.0.0.1:9003 or :9003.`,
    });
  }
  const host = match[1] ?? match[2] ?? '';
  return { host: host === '' ? everyAddress() : host, port };
}

/** Of both kinds, where there are both. */
function everyAddress(): string {
  const known = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return known.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}

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
    this.open = options.openRead || isLoopback(parseListen(options.listen).host);
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
