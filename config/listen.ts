import { networkInterfaces } from 'node:os';
import { FederationError } from '../errors/federation-error';

/**
 * Parses an address to listen on, such as `127.0.0.1:9003`. `:9003` means port 9003 on all addresses. Throws
 * SETTINGS_INVALID if the address is invalid. The error names the given setting.
 */
export function parseListen(listen: string, setting: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new FederationError('SETTINGS_INVALID', {
      subject: { setting },
      detail: `${listen} is not an address to listen on, such as 127.0.0.1:9003 or :9003 (${setting}).`,
    });
  }
  const host = match[1] ?? match[2] ?? '';
  return { host: host === '' ? everyAddress() : host, port };
}

/** Returns the host that means "all addresses": `::` (IPv4 and IPv6), or `0.0.0.0` if the machine has no IPv6. */
function everyAddress(): string {
  const known = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return known.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}
