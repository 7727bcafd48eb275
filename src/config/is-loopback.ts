import { BlockList, isIPv4, isIPv6 } from 'node:net';

const LOOPBACK = new BlockList();
// An IPv6 address may be a mapped one of IPv4.
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * True for a host, without brackets and port, that is `localhost` or a loopback address in its usual form.
 * Other names are not resolved.
 */
export function isLoopback(host: string): boolean {
  // Asked for every request; the list takes a microsecond.
  if (isIPv4(host)) return host.startsWith('127.');
  return host.toLowerCase() === 'localhost' || (isIPv6(host) && LOOPBACK.check(host, 'ipv6'));
}
