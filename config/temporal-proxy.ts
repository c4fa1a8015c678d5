import { BlockList, isIPv4 } from 'node:net';
import { ownValue } from '../etl/own-value';

/** The environment variables in which a Temporal client looks for a proxy. The first one that is set is used. */
const proxyVariables = ['grpc_proxy', 'https_proxy', 'http_proxy'];

/**
 * Returns a notice if clients would reach Temporal through a proxy while workers would not. Clients follow variables
 * such as `http_proxy`, but workers always connect directly. Returns undefined if clients would connect directly too.
 */
export function proxyNotice(env: NodeJS.ProcessEnv, address: string): string | undefined {
  const variable = proxyVariables.find((name) => (ownValue(env, name) ?? '') !== '');
  if (variable === undefined) return undefined;
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  const exceptions = (env['no_grpc_proxy'] || env['no_proxy'] || '').split(',').filter((text) => text !== '');
  if (exceptions.some((exception) => host.endsWith(exception) || isInNetwork(host, exception)))
    return undefined;
  return `${variable} is set: clients reach Temporal at ${address} through that proxy, but workers always connect directly. If Temporal can be reached directly, add ${host} to no_proxy; if not, no work is done.`;
}

/** Returns whether an address is in a network such as `10.0.0.0/8`. */
function isInNetwork(host: string, network: string): boolean {
  const [ip = '', length = ''] = network.split('/');
  if (!isIPv4(host) || !isIPv4(ip) || !/^\d+$/.test(length) || Number(length) > 32) return false;
  const list = new BlockList();
  list.addSubnet(ip, Number(length));
  return list.check(host);
}
