import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { readLoadProfile } from '../../src/config/load-profile.js';

const shipped = readdirSync('configs/load').map((file) => file.replace('.yaml', ''));
const smoke = parse(readFileSync('configs/load/smoke.yaml', 'utf8')) as Record<string, unknown>;

t.test('every shipped profile can be used, by its name and as a file', async (t) => {
  t.same(shipped.sort(), ['average', 'breakpoint', 'peak', 'smoke', 'soak']);
  for (const name of shipped) {
    const profile = readLoadProfile(name, { configsDir: 'configs' });
    t.equal(profile.name, name);
    t.same(readLoadProfile(`configs/load/${name}.yaml`, { configsDir: 'elsewhere' }), profile);
  }
});

t.test('a production-like host is recognised by every shipped profile', async (t) => {
  for (const name of shipped) {
    const patterns = readLoadProfile(name, { configsDir: 'configs' }).productionHosts.map(
      (each) => new RegExp(each),
    );
    const matches = (host: string): boolean => patterns.some((pattern) => pattern.test(host));
    for (const host of ['prod.example.com', 'api-production.example.com', 'shortlist.prod'])
      t.ok(matches(host), host);
    for (const host of ['localhost', 'products.example.com', 'staging.example.com'])
      t.notOk(matches(host), host);
  }
});

t.test('an unknown profile is refused with those that there are', async (t) => {
  t.throws(() => readLoadProfile('smok', { configsDir: 'configs' }), {
    code: 'INVALID_CONFIG',
    message: /smok\.yaml.*average, breakpoint, peak, smoke, soak/s,
  });
  t.throws(() => readLoadProfile('smok', { configsDir: join(t.testdir(), 'none') }), {
    code: 'INVALID_CONFIG',
  });
});

t.test('everything that is wrong with a profile is named at once', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'mine.yaml');
  const problemsOf = (changes: Record<string, unknown>): readonly string[] => {
    writeFileSync(file, stringify({ ...smoke, ...changes }));
    try {
      readLoadProfile(file, { configsDir: 'configs' });
      return [];
    } catch (error) {
      return (error as { problems: string[] }).problems;
    }
  };
  t.same(problemsOf({}), []);
  t.match(problemsOf({ stages: [{ rate: 0, seconds: 1 }], arrivals: 'sometimes' }), [
    /stages\.0\.rate is 0/,
    /arrivals is "sometimes", allowed is one of constant, poisson/,
  ]);
  t.match(
    problemsOf({
      users: { known: 0, hot: 0, unknown: 0 },
      limits: { ten: 1 },
      scenarios: {},
      productionHosts: ['('],
    }),
    [/limits: "ten" is no limit/, /users: no weight/, /scenarios: no weight/, /productionHosts: .*\(/],
  );
});
