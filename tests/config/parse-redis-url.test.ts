import t from 'tap';
import { describeRedisAddress, parseRedisUrl } from '../../src/config/parse-redis-url.js';

t.test('one server, Sentinels and a cluster each have a form', async (t) => {
  const cases: [url: string, address: object, described: string][] = [
    [
      'redis://localhost',
      { kind: 'single', hosts: [{ host: 'localhost', port: 6379 }], tls: false, database: 0 },
      'Redis at localhost:6379',
    ],
    [
      'rediss://user:p%40ss@redis.internal:6380/2',
      {
        kind: 'single',
        hosts: [{ host: 'redis.internal', port: 6380 }],
        tls: true,
        database: 2,
        username: 'user',
        password: 'p@ss',
      },
      'Redis at redis.internal:6380',
    ],
    [
      'redis://:a:b@[::1]:1/',
      { kind: 'single', hosts: [{ host: '::1', port: 1 }], tls: false, database: 0, password: 'a:b' },
      'Redis at [::1]:1',
    ],
    [
      'redis-sentinel://user@s1,s2:7000/my-master/3?sentinelPassword=a%26b',
      {
        kind: 'sentinel',
        hosts: [
          { host: 's1', port: 26_379 },
          { host: 's2', port: 7000 },
        ],
        tls: false,
        database: 3,
        username: 'user',
        masterName: 'my-master',
        sentinelPassword: 'a&b',
      },
      'Redis my-master of the Sentinels at s1:26379, s2:7000',
    ],
    [
      'rediss-cluster://:x@n1:7001,n2:7002',
      {
        kind: 'cluster',
        hosts: [
          { host: 'n1', port: 7001 },
          { host: 'n2', port: 7002 },
        ],
        tls: true,
        database: 0,
        password: 'x',
      },
      'The Redis cluster at n1:7001, n2:7002',
    ],
  ];
  for (const [url, address, described] of cases) {
    t.strictSame(parseRedisUrl(url), address, url);
    t.equal(describeRedisAddress(parseRedisUrl(url)), described);
  }
});

t.test('what is wrong with an address is said without showing it', async (t) => {
  const cases: [url: string, problem: RegExp][] = [
    ['http://:hunter2@redis', /is none of `redis:/],
    ['redis://:hunter2@', /is none of/],
    ['redis://:hunter2@redis:99999', /a part that is not host:port/],
    ['redis://:hunter2@a b', /a part that is not host:port/],
    ['redis://:hunter2@a,b', /several hosts: write redis-cluster/],
    ['redis://:hunter2%@a', /a % that begins no/],
    ['redis://:hunter2@a/x', /a database that is not a number/],
    ['redis://:hunter2@a?db=1', /a query, which only an address of Sentinels/],
    ['redis-cluster://:hunter2@a/1', /a cluster has only database 0/],
    ['redis-sentinel://:hunter2@a', /names no master/],
    ['redis-sentinel://:hunter2@a/m/x', /a database that is not a number/],
    ['redis-sentinel://:hunter2@a/m?password=hunter2', /a query other than sentinelPassword/],
  ];
  for (const [url, message] of cases) {
    t.throws(() => parseRedisUrl(url), { code: 'INVALID_CONFIG', message }, url);
    t.throws(
      () => parseRedisUrl(url),
      { message: /^redis\.url (?!.*hunter2).* \(its value is a secret\)$/ },
      url,
    );
  }
});
