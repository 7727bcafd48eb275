import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { createTrustedRanges } from '../../config/trusted-ranges.js';

/** What Fastify takes for `trustProxy`: whether an address of `X-Forwarded-For`, as it stands there, is a proxy's. */
export function createProxyTrust(ranges: readonly string[]): false | ((address: string) => boolean) {
  if (ranges.length === 0) return false;
  const trusted = createTrustedRanges(ranges);
  return (text) => {
    const address = readAddress(text);
    return address !== undefined && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  };
}

/**
 * The address of the client: what the trusted proxy nearest to it says, without a port. Where that is no address, it is the proxy that said
 * so: otherwise each made-up text would be a client of its own.
 */
export function findClientAddress({ ip, ips }: Pick<FastifyRequest, 'ip' | 'ips'>): string {
  if (ips === undefined || isIP(ip) !== 0) return ip;
  return ips.map(readAddress).findLast((address) => address !== undefined) ?? ips[0]!;
}

/** The IP address of `address`, `address:port` or `[address]:port`. */
function readAddress(text: string): string | undefined {
  if (isIP(text) !== 0) return text;
  const { bracketed, plain } = WITH_PORT.exec(text)?.groups ?? {};
  const address = bracketed ?? plain ?? '';
  return isIP(address) === 0 ? undefined : address;
}

const WITH_PORT = /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[\d.]+))(?::\d{1,5})?$/;
