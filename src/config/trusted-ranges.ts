import { BlockList, isIP } from 'node:net';

/** Names that stand for ranges in `server.trustProxy`. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** True for an IP address, a CIDR range, or a name of ranges. */
export function isTrustedRange(text: string): boolean {
  return Object.hasOwn(NAMED, text) || parseRange(text) !== undefined;
}

/** The addresses in `ranges`; each must be one that `isTrustedRange` accepts. */
export function createTrustedRanges(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of ranges.flatMap((range) => (Object.hasOwn(NAMED, range) ? NAMED[range]! : [range]))) {
    const { address, prefix, family } = parseRange(text)!;
    list.addSubnet(address, prefix, family);
  }
  return list;
}

function parseRange(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [, address, bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address ?? '');
  if (address === undefined || version === 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  return prefix > longest ? undefined : { address, prefix, family: `ipv${version as 4 | 6}` };
}
