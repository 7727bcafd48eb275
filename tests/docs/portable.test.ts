import t from 'tap';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, listFiles } from './markdown-pages.js';

const MACHINE_PATH = /(?<![\w.~-])\/(?:work|tmp|root|home|Users)\/[\w.-]+/g;
const REGISTRY_HOST = /\b(?:registry|proxy|mirror|repo\d*|index|deb)\.[\w.-]+\.(?:org|com|io|net|dev)\b/gi;

const written = listFiles('').filter(
  (path) =>
    /\.(md|ts|js|json|ya?ml)$|(^|\/)(Makefile|Dockerfile|run|\.npmrc)$/.test(path) &&
    !path.startsWith('models/'),
);

t.test('no file names a path of one machine', async (t) => {
  t.same(find(MACHINE_PATH), []);
});

t.test('no file names the host of a package registry', async (t) => {
  t.same(find(REGISTRY_HOST), []);
});

t.test('a path of one machine and the host of a registry are found', async (t) => {
  t.same('see /home/ada, ./tmp/x, a/work/b'.match(MACHINE_PATH), ['/home/ada']);
  t.same('registry.example.org and example.org'.match(REGISTRY_HOST), ['registry.example.org']);
});

function find(pattern: RegExp): string[] {
  return written
    .filter((path) => path !== 'tests/docs/portable.test.ts')
    .flatMap((path) =>
      (readFileSync(join(REPOSITORY, path), 'utf8').match(pattern) ?? []).map((word) => `${path}: ${word}`),
    );
}
