import t from 'tap';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = process.cwd();

/** Licences that ask for no more than their notice. */
const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'Apache 2.0', // as usearch writes it
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
  'Zlib',
]);

interface LockEntry {
  readonly dev?: boolean;
  readonly license?: string;
}

t.test('every package that ships has a licence that lets it', async (t) => {
  const shipped = readShipped();
  t.ok(shipped.length > 50, `${shipped.length} packages`);
  t.same(
    shipped.filter(({ licence }) => !isAllowed(licence)),
    [],
  );
});

t.test('the bill of materials has what the page has in it, of an image too', async (t) => {
  const bundled = readBundled().map((path) => path.replace('node_modules/', ''));
  t.same(bundled.sort(), ['preact', 'uplot']);
  for (const flags of [[], ['--installed']]) {
    const file = join(t.testdir({}), 'sbom.json');
    const written = spawnSync(process.execPath, ['.ci/write-sbom.js', file, ...flags], { encoding: 'utf8' });
    t.equal(written.status, 0, written.stderr);
    const { components } = JSON.parse(readFileSync(file, 'utf8')) as { components: { name: string }[] };
    const names = components.map(({ name }) => name);
    t.same(
      bundled.filter((name) => !names.includes(name)),
      [],
    );
    t.notOk(names.includes('esbuild'));
  }
});

t.test('choices and sums of licences are judged by their parts', async (t) => {
  for (const licence of ['MIT', '(MIT OR GPL-3.0-only)', '(MIT AND Zlib)', 'MIT OR CC0-1.0']) {
    t.ok(isAllowed(licence), licence);
  }
  for (const licence of [
    'GPL-3.0-only',
    '(MIT AND GPL-3.0-only)',
    'UNLICENSED',
    'SEE LICENSE IN x',
    '',
    undefined,
  ]) {
    t.notOk(isAllowed(licence), licence ?? 'none');
  }
});

/** Packages that are not for development, by the lock file, and those that the page of the explorer has in it; what is installed says its licence itself. */
function readShipped(): { path: string; licence: string | undefined }[] {
  const { packages } = readJson('package-lock.json') as { packages: Record<string, LockEntry> };
  const bundled = readBundled();
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && (dev !== true || bundled.includes(path)))
    .map(([path, { license }]) => ({ path, licence: readInstalled(path) ?? license }));
}

/** The packages of the notice beside the page. */
function readBundled(): string[] {
  const notice = readFileSync(join(import.meta.dirname, '../src/explorer/NOTICE.txt'), 'utf8');
  return [...notice.matchAll(/^(\S+) \d+\.\d+\.\d+$/gm)].map(([, name]) => `node_modules/${name}`);
}

function readInstalled(path: string): string | undefined {
  const file = join(path, 'package.json');
  if (!existsSync(join(REPOSITORY, file))) return undefined;
  const { license } = readJson(file) as { license?: string | { type: string } };
  return typeof license === 'object' ? license.type : license;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(REPOSITORY, file), 'utf8'));
}

/** SPDX expressions without nested brackets. */
function isAllowed(licence = ''): boolean {
  const expression = licence.replace(/[()]/g, '');
  return expression
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => ALLOWED.has(part.trim())));
}
