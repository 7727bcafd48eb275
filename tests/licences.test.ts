import t from 'tap';
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

/** Packages that are not for development, by the lock file; what is installed says its licence itself. */
function readShipped(): { path: string; licence: string | undefined }[] {
  const { packages } = readJson('package-lock.json') as { packages: Record<string, LockEntry> };
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { license }]) => ({ path, licence: readInstalled(path) ?? license }));
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
