import { ShortlistError } from '../domain/errors.js';

/** The servers of Redis, and the credentials for them. */
export interface RedisAddress {
  /** One server; the master that Sentinels name; a cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** The server; the Sentinels; some nodes of the cluster, which name the others. */
  readonly hosts: readonly RedisHost[];
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** What the Sentinels call the master. */
  readonly masterName?: string;
  /** What the Sentinels themselves ask for. */
  readonly sentinelPassword?: string;
}

/** A host that a Redis URL names. */
export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** The forms of `redis.url`, for those who write one. */
export const REDIS_URL_FORMS =
  '`redis://host:port/database`, `redis-sentinel://host:port,host:port/master-name/database` or ' +
  '`redis-cluster://host:port,host:port`, with `user:password@` before the hosts as needed, and `rediss` for TLS';

const PARTS =
  /^(rediss?)(-sentinel|-cluster)?:\/\/(?:(?<login>[^/]*)@)?(?<hosts>[^/?#@]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?<port>\d{1,5}))?$/;
const KINDS = { '': 'single', '-sentinel': 'sentinel', '-cluster': 'cluster' } as const;
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 };

/**
 * Reads the address of one server, of a master behind Sentinels, or of a cluster.
 * @throws ShortlistError INVALID_CONFIG saying what is wrong, without the address: it may hold a password
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = PARTS.exec(url);
  if (parts === null) throw invalid(`is none of ${REDIS_URL_FORMS}`);
  const kind = KINDS[(parts[2] ?? '') as keyof typeof KINDS];
  const { login, hosts, path, query } = parts.groups!;
  const common = {
    kind,
    tls: parts[1] === 'rediss',
    hosts: hosts!.split(',').map((text) => parseHost(text, DEFAULT_PORTS[kind])),
    ...parseLogin(login),
  };
  if (kind === 'sentinel') return { ...common, ...parseMaster(path), ...parseQuery(query) };
  if (query !== undefined) throw invalid('has a query, which only an address of Sentinels may have');
  if (kind === 'single' && common.hosts.length > 1) {
    throw invalid('names several hosts: write redis-cluster:// or redis-sentinel:// before them');
  }
  const database = parseDatabase(path);
  if (kind === 'cluster' && database > 0) throw invalid('names a database: a cluster has only database 0');
  return { ...common, database };
}

/** Kind and hosts of a Redis, without passwords. */
export function describeRedisAddress({ kind, hosts, masterName }: RedisAddress): string {
  const places = hosts
    .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
    .join(', ');
  if (kind === 'single') return `Redis at ${places}`;
  return kind === 'cluster'
    ? `The Redis cluster at ${places}`
    : `Redis ${masterName} of the Sentinels at ${places}`;
}

function parseHost(text: string, defaultPort: number): RedisHost {
  const { host, port = String(defaultPort) } = HOST.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) > 65_535) throw invalid('has a part that is not host:port');
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function parseLogin(login: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (login === undefined) return {};
  const colon = login.indexOf(':');
  const username = decode(colon < 0 ? login : login.slice(0, colon));
  const password = colon < 0 ? '' : decode(login.slice(colon + 1));
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a % that begins no percent-encoded byte');
  }
}

function parseMaster(path = ''): { masterName: string; database: number } {
  const [name, ...rest] = path.split('/');
  const masterName = decode(name!);
  if (masterName === '') throw invalid('names no master: redis-sentinel://host:port/master-name');
  return { masterName, database: parseDatabase(rest.join('/')) };
}

function parseDatabase(text = ''): number {
  if (/^\d{0,5}$/.test(text)) return Number(text);
  throw invalid('has a database that is not a number');
}

function parseQuery(query: string | undefined): { sentinelPassword?: string } {
  if (query === undefined) return {};
  const [, password] = /^sentinelPassword=([^&]+)$/.exec(query) ?? [];
  if (password === undefined) throw invalid('has a query other than sentinelPassword=…');
  return { sentinelPassword: decode(password) };
}

function invalid(problem: string): ShortlistError {
  return new ShortlistError('INVALID_CONFIG', `redis.url ${problem} (its value is a secret)`);
}
