import t from 'tap';
import { readFileSync } from 'node:fs';

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, LockedPackage>;
};
const packages = Object.entries(lock.packages);

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

t.test('the lock file names no registry, so that it installs from any', async (t) => {
  t.same(
    packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
  );
});
